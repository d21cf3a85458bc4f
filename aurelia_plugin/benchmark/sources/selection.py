"""Which rows are taken: the same ones for everyone, whatever the order of the files.

Every row gets a number from SHA-256 of the seed, the column and its id in the source; the rows
with the smallest numbers are taken. No generator's version, no order of rows and no row beside
them plays a part, so two people with the same annotation file choose the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.errors import ConfigError

if TYPE_CHECKING:
    from aurelia_plugin.benchmark.sources.draft import Draft

__all__ = ["by_ids", "by_seed", "read_ids", "shipped_ids", "unknown_rows", "write_ids"]


def by_seed(drafts: Sequence[Draft], column: str, number: int | None, seed: int) -> list[Draft]:
    """Return `number` of the drafts (all, if None or more than there are), in their own order."""
    ranked = sorted(
        range(len(drafts)), key=lambda place: _rank(seed, column, drafts[place].item.source.id)
    )
    return [drafts[place] for place in sorted(ranked[:number])]


def _rank(seed: int, column: str, row: str) -> str:
    return hashlib.sha256(f"{seed}\n{column}\n{row}".encode()).hexdigest()


def by_ids(drafts: Iterable[Draft], ids: Sequence[str], what: str) -> list[Draft]:
    """Return the drafts with these ids, in the order of the ids.

    Raises:
        ConfigError: some ids are not in the annotations.
    """
    found = {draft.item.source.id: draft for draft in drafts}
    unknown = [row for row in ids if row not in found]
    if unknown:
        raise unknown_rows(what, unknown, len(ids))
    return [found[row] for row in ids]


def unknown_rows(what: str, unknown: Sequence[str], number: int) -> ConfigError:
    """Return the error for ids that the annotations do not give.

    Args:
        what: the ids, in words.
        unknown: those that are not there.
        number: how many there are in all.
    """
    return ConfigError(
        f"{what}: {len(unknown)} of {number} rows are not in the annotations, first {unknown[0]}",
        "Use the annotation file that the ids were made from, or choose rows of this one: "
        "--number N (0 for all).",
    )


def read_ids(path: Path) -> list[str]:
    """Return the ids of a file: one a line, `#` starts a comment line.

    Raises:
        ConfigError: it cannot be read or names nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: {cause}", "Name a file with one row id a line.") from error
    ids = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not ids:
        raise ConfigError(f"{path}: names no row.", "Name a file with one row id a line.")
    return ids


def write_ids(path: Path, drafts: Iterable[Draft], head: str) -> None:
    """Write the ids of the chosen rows, after a comment that says how they were chosen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"# {head}", *(draft.item.source.id for draft in drafts)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def shipped_ids(column: str) -> list[str] | None:
    """Return the ids that this package ships for the column, or None where it ships none."""
    place = files("aurelia_plugin.benchmark.sources") / "row_ids" / f"{column}.txt"
    if not place.is_file():
        return None
    return [line for line in place.read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
