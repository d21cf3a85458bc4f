"""Groups of tasks over a manifest that has items of some columns only."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from loguru import logger

from aurelia_plugin.benchmark.data.home import Benchmark
from aurelia_plugin.benchmark.data.items import CUSTOM, MANIFEST, read_items
from aurelia_plugin.files.contents import FileMemory

__all__ = ["columns_there", "group_member"]

_columns: Final = FileMemory[frozenset[str]]()
_told: Final[set[tuple[str, tuple[str, ...]]]] = set()


def columns_there(benchmark: Benchmark, folder: Path) -> tuple[str, ...]:
    """Return the columns of the benchmark of which the folder's manifest has items.

    Raises:
        ConfigError: a line of the manifest is not an item.
    """
    found = _columns.get(folder / MANIFEST, _read)
    return tuple(column for column in benchmark.columns if column in found)


def _read(manifest: Path) -> frozenset[str]:
    return frozenset(item.column for item in read_items(manifest))


def group_member(benchmark: Benchmark, column: str) -> str:
    """Return the task that stands for a column in the benchmark's group.

    The harness loads each name of a group once, so a column without items gives the name of one
    that has some, and is thereby left out; a warning says which ones are. Where no column has
    items, each gives its own name, and its task says what to do.

    Raises:
        ConfigError: there is no data, or a line of the manifest is not an item.
    """
    folder = benchmark.folder()
    there = columns_there(benchmark, folder)
    absent = tuple(one for one in benchmark.columns if one not in there and one != CUSTOM)
    if there and absent and (str(folder), absent) not in _told:
        _told.add((str(folder), absent))
        logger.warning(
            "{}: {} has no items of {}; the group is run without {}.",
            benchmark.name,
            folder / MANIFEST,
            ", ".join(absent),
            "this column" if len(absent) == 1 else "these columns",
        )
    chosen = column if column in there or not there else there[0]
    return f"{benchmark.name}_{chosen}"
