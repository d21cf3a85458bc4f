"""The readers of replies as one generated module and the tables beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from aurelia_plugin.compare.outputs.exports.bundling import Name, bundle
from upstream_export.formatting import formatted
from upstream_export.shortening.module import Short, shortened

__all__ = ["generated"]

_TITLE = """\
Read a reply and score it.

Reading takes the reply and the question, never the gold answer. The module is generated from
aurelia_plugin/benchmark/scoring of aurelia-lmms-eval, where changes belong; patterns and words
are in {table}.
"""


def generated(folder: Path, name: str, wanted: Sequence[Name]) -> dict[Path, str]:
    """Return a module with what is wanted, and its table, by their paths in a checkout.

    Args:
        folder: of both.
        name: of both, without ending.
        wanted: the functions that others call.
    """
    short = _short(name, tuple(wanted))
    return {folder / f"{name}.py": short.module, folder / f"{name}.json": short.table}


@lru_cache(maxsize=4)
def _short(name: str, wanted: tuple[Name, ...]) -> Short:
    table = f"{name}.json"
    source = bundle(wanted, _TITLE.format(table=table))
    short = shortened(source, frozenset(one.name for one in wanted), table)
    return short._replace(module=formatted(short.module))
