"""Rows of upstream's list of tasks and models, which the installed package does not have."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["CHECKOUT", "DocsRow", "rows_added"]

CHECKOUT: Final = "AURELIA_UPSTREAM_LMMS_EVAL"
_PAGE: Final = Path("docs/advanced/current_tasks.md")


class DocsRow(NamedTuple):
    """One line of the page.

    Attributes:
        before: what begins the line before which it is put.
        line: the row.
    """

    before: str
    line: str


def rows_added(rows: Sequence[DocsRow]) -> Mapping[Path, str]:
    """Return the page with these rows, or nothing where no checkout is named.

    Raises:
        ValueError: the checkout's page has no place for a row.
    """
    named = os.environ.get(CHECKOUT, "").strip()
    if not named:
        return {}
    lines = (Path(named) / _PAGE).read_text(encoding="utf-8").splitlines(keepends=True)
    for row in rows:
        place = next((n for n, line in enumerate(lines) if line.startswith(row.before)), None)
        if place is None:
            raise ValueError(f"{_PAGE}: no line begins with {row.before!r}.")
        lines.insert(place, f"{row.line}\n")
    return {_PAGE: "".join(lines)}
