"""`aurelia models`: the catalogue of targets."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from aurelia_plugin.commands.console import say_json, say_table
from aurelia_plugin.commands.parser import Subcommands

if TYPE_CHECKING:
    from aurelia_plugin.model_wrappers.catalogue import Row

__all__ = ["add"]

_HEAD = ("model name", "status", "paper", "joint", "sees", "hears", "system")


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "models",
        help="print the catalogue of targets",
        description="Print the targets: what each sees and hears, and what was verified. run: with "
        "its real weights; run-tiny: a tiny instance with random weights; code-only: likewise, and "
        "no weights were ever published; read: source and documentation only; unavailable: cannot "
        "be had.",
    )
    command.add_argument("--all", action="store_true", help="print all columns, however wide")
    command.add_argument("--json", action="store_true", help="print all fields, as a list of rows")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from aurelia_plugin.model_wrappers.catalogue import rows

    if options.json:
        found = [row.model_dump(mode="json") for row in rows().values()]
        say_json(json.dumps(found, indent=2, ensure_ascii=False))
        return
    cells = [_cells(row) for row in rows().values()]
    least = () if options.all else ("hears", "sees", "paper", "joint", "system")
    say_table(_HEAD, cells, numbers=False, least=least)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"aurelia_{row.id}",
        row.status,
        "paper" if row.paper else "",
        row.joint,
        ", ".join(row.sees) or "-",
        ", ".join(row.takes.hearing) or "-",
        f"{row.system} {row.size}".strip(),
    )
