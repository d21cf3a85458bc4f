"""`aurelia reported`: the published figures."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from aurelia_plugin.commands.console import say, say_table, say_wrapped
from aurelia_plugin.commands.parser import Subcommands

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "reported",
        help="print the published figures and their provenance",
        description="Print both halves of the AURELIA paper's main table and AV-Odyssey's figures "
        "for dance and music matching. They are reported figures, never a target.",
    )
    command.add_argument("--all", action="store_true", help="print all columns, however wide")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from aurelia_plugin.benchmark.data.items import COLUMNS
    from aurelia_plugin.benchmark.reported import reported

    figures = reported()
    say_wrapped("", figures.paper.title)
    say_wrapped("", f"{figures.paper.source}\n")
    say("Zero-shot, first / second figure (percent)")
    rows = [
        [f"{row.model} ({row.size})" if row.size else row.model]
        + [
            f"{cell.first:.1f} / {cell.second:.1f}" if (cell := row.cells.get(column)) else "-"
            for column in COLUMNS
        ]
        for row in figures.rows
    ]
    least = () if options.all else tuple(reversed(COLUMNS))
    say_table(("model", *COLUMNS), rows, least=least)
    say("\nWith AURELIA (percent), and the printed gain over the second figure")
    say_table(("model", *COLUMNS), _with_aurelia(), least=least)
    say("\n* misprint: the printed gain does not follow from the printed figures:")
    for fault in figures.paper.misprints:
        found = f"printed +{fault.printed}, is +{fault.computed}"
        say_wrapped("  ", f"{fault.model}, {fault.column}: {found}")
    for fault in figures.paper.poster_misprints:
        say_wrapped("  ", f"{fault.model}, {fault.column}: {fault.note}")
    say("\nWhat to know:")
    for note in figures.paper.notes:
        say_wrapped("- ", note)
    other = figures.av_odyssey
    say()
    say_wrapped("", f"{other.title}: {other.source}")
    say_table(("model", "accuracy"), [(m, f"{v:.1f}") for m, v in other.figures.items()])
    for note in other.notes:
        say_wrapped("- ", note)


def _with_aurelia() -> Iterator[list[str]]:
    from aurelia_plugin.benchmark.data.items import COLUMNS
    from aurelia_plugin.benchmark.reported import reported

    for row in reported().rows:
        if row.closed:
            continue
        size = row.size_with_aurelia or row.size
        line = [f"{row.model} ({size})" if size else row.model]
        for column in COLUMNS:
            cell = row.cells.get(column)
            mark = "*" if cell is not None and cell.misprint else ""
            line.append(f"{cell.with_aurelia:.1f} (+{cell.gain:g}{mark})" if cell else "-")
        yield line
