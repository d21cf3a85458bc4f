"""A comparison on the terminal."""

from __future__ import annotations

from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.text import Text

from aurelia_plugin.compare.outputs.sections import Section, arms_section, sections
from aurelia_plugin.compare.result import Comparison
from aurelia_plugin.files.escaping import for_terminal
from aurelia_plugin.files.tables import fitted_table, room

__all__ = ["show", "show_arms"]

_BRIEF = (
    "verdict_",
    "runs",
    "gain_",
    "scores_",
    "leaks",
    "evaluator",
    "modality",
    "board_",
    "reported",
)
_WIDE: Final = 200
"""Columns of a line where nothing limits them, as in a file."""


def show(result: Comparison, console: Console | None = None, *, everything: bool = False) -> None:
    """Print the comparison's tables.

    Args:
        console: where to; by default standard output. Columns that do not fit its width are left
            out, the least important first.
        everything: all tables and all columns, not only runs, gains and scores per column, audits
            and boards.
    """
    console = console or Console()
    width = room(console)
    if width is None:
        console.width = _WIDE
    for verdict in result.verdicts:
        console.print(_plain(verdict.sentence), style="bold")
    for section in sections(result):
        if everything or (section.name.startswith(_BRIEF) and section.name != "leaks_by_kind"):
            _print(console, section, width, everything=everything)
    for note in result.notes:
        console.print(_plain(f"Note: {note}"))


def show_arms(result: Comparison, console: Console, *, title: str = "") -> None:
    """Print what follows, and a line for each arm.

    Args:
        title: stands above, where there are several comparisons.
    """
    width = room(console)
    if width is None:
        console.width = _WIDE
    if title:
        console.print(_plain(title), style="bold")
    for verdict in result.verdicts:
        console.print(_plain(verdict.sentence), style="bold")
    console.print()
    _print(console, arms_section(result), width, everything=False)


def _print(console: Console, section: Section, width: int | None, *, everything: bool) -> None:
    fitted = fitted_table(
        section.head,
        section.rows,
        width=width,
        least=() if everything else section.least,
        numbers=not section.text,
        box=SIMPLE_HEAD,
        title=section.title,
    )
    if width is None:
        console.width = max(_WIDE, console.measure(fitted.table).maximum)
    console.print(fitted.table)
    for note in filter(None, (section.note, fitted.note)):
        console.print(_plain(note), style="dim")
    console.print()


def _plain(text: str) -> Text:
    """Return text that is shown as it is: no markup, no control characters."""
    return Text(for_terminal(text))
