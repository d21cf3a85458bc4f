"""Tables for a terminal: what does not fit its width is left out, the least important first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from aurelia_plugin.files.escaping import for_terminal

__all__ = ["FittedTable", "fitted_table", "room"]

_GAP: Final = 2
"""Columns of the terminal between two cells without a frame."""


_BROKEN: Final = 24
"""Columns of the terminal that a text needs at least before it is broken into lines."""


class FittedTable(NamedTuple):
    """A table, and the titles of the columns that had no room."""

    table: Table
    left_out: tuple[str, ...]

    @property
    def note(self) -> str:
        """What to say below the table; empty where nothing is left out."""
        if not self.left_out:
            return ""
        return f"Left out, for want of width: {', '.join(self.left_out)}. --all shows everything."


def room(console: Console) -> int | None:
    """Return how wide a line may be; None where nothing limits it, as in a file.

    `COLUMNS` counts wherever the output goes.
    """
    if console.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return console.width
    return None


def fitted_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    least: Sequence[str] = (),
    numbers: bool = True,
    box: Box | None = None,
    title: str = "",
) -> FittedTable:
    """Return a table that fits a width.

    Args:
        head: the columns' titles; they may take several lines.
        rows: of as many cells.
        width: columns of the terminal, None without a limit.
        least: titles of columns that may go, the least important first.
        numbers: whether all columns but the first stand at the right, and are never broken.
    """
    plain = [[for_terminal(cell) for cell in row] for row in rows]
    titles = [for_terminal(name) for name in head]
    most = None if numbers else _BROKEN
    widths = [
        _width(titles[place], [row[place] for row in plain], most if place else None)
        for place in range(len(titles))
    ]
    kept = list(range(len(titles)))
    for name in least:
        if width is None or _whole(widths, kept, box) <= width:
            break
        kept = [place for place in kept if head[place] != name]
    table = Table(
        title=Text(for_terminal(title)) if title else None,
        title_justify="left",
        title_style="bold",
        box=box,
        pad_edge=box is not None,
        padding=(0, 1) if box is not None else (0, _GAP, 0, 0),
    )
    for place in kept:
        right = numbers and place > 0
        justify: JustifyMethod = "right" if right else "left"
        least_width = max((cell_len(row[place]) for row in plain), default=0) if right else None
        table.add_column(
            Text(titles[place]), justify=justify, overflow="fold", min_width=least_width
        )
    for row in plain:
        table.add_row(*(Text(row[place]) for place in kept))
    return FittedTable(table, tuple(head[p] for p in range(len(head)) if p not in kept))


def _width(title: str, cells: Sequence[str], most: int | None) -> int:
    """Return how wide a column has to be: titles are broken, texts beyond `most`, figures not."""
    words = max((cell_len(word) for word in title.split()), default=0)
    whole = max((cell_len(cell) for cell in cells), default=0)
    return max(words, whole if most is None else min(whole, most))


def _whole(widths: Sequence[int], kept: Sequence[int], box: Box | None) -> int:
    frame = 1 + 3 * len(kept) if box is not None else _GAP * len(kept)
    return sum(widths[place] for place in kept) + frame
