"""A comparison on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aurelia_plugin.compare.outputs.sections import Section, sections
from aurelia_plugin.compare.result import Comparison
from aurelia_plugin.files.escaping import for_terminal

__all__ = ["show"]

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
_WIDE = 200


def show(result: Comparison, console: Console | None = None, *, everything: bool = False) -> None:
    """Print the comparison's tables.

    Args:
        console: where to; by default standard output, wide where that is no terminal.
        everything: all tables, not only runs, gains and scores per column, audits and boards.
    """
    console = console or Console()
    if not console.is_terminal:
        console.width = _WIDE
    for verdict in result.verdicts:
        console.print(_plain(verdict.sentence), style="bold")
    for section in sections(result):
        if everything or (section.name.startswith(_BRIEF) and section.name != "leaks_by_kind"):
            _print(console, section)
    for note in result.notes:
        console.print(_plain(f"Note: {note}"))


def _print(console: Console, section: Section) -> None:
    table = Table(title=_plain(section.title), title_justify="left", title_style="bold")
    for place, name in enumerate(section.head):
        right = place > 0 and not section.text
        table.add_column(_plain(name), justify="right" if right else "left", overflow="fold")
    for row in section.rows:
        table.add_row(*(_plain(cell) for cell in row))
    console.print(table)
    if section.note:
        console.print(_plain(section.note), style="dim")
    console.print()


def _plain(text: str) -> Text:
    """Return text that is shown as it is: no markup, no control characters."""
    return Text(for_terminal(text))
