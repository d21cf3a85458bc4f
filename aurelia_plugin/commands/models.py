"""`aurelia models`: the catalogue of targets."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aurelia_plugin.commands.console import Subcommands, say

if TYPE_CHECKING:
    from aurelia_plugin.model_wrappers.catalogue import Row

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "models",
        help="print the catalogue of targets",
        description="Print the targets: what each sees and hears, and what was verified. run: with "
        "its real weights; run-tiny: a tiny instance with random weights; read: source and "
        "documentation only; unavailable: cannot be had.",
    )
    command.add_argument("--json", action="store_true", help="print all fields, as a list of rows")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from aurelia_plugin.model_wrappers.catalogue import rows

    if options.json:
        found = [row.model_dump(mode="json") for row in rows().values()]
        say(json.dumps(found, indent=2, ensure_ascii=False))
        return
    head = ("model name", "status", "paper", "joint", "sees", "hears", "system")
    lines = [dict(zip(head, head, strict=True)), *(_cells(head, row) for row in rows().values())]
    widths = {key: max(len(line[key]) for line in lines) for key in head}
    for line in lines:
        say(_aligned(line, widths))


def _cells(head: Sequence[str], row: Row) -> dict[str, str]:
    cells = (
        f"aurelia_{row.id}",
        row.status,
        "paper" if row.paper else "",
        row.joint,
        ", ".join(row.sees) or "-",
        ", ".join(row.takes.hearing) or "-",
        f"{row.system} {row.size}".strip(),
    )
    return dict(zip(head, cells, strict=True))


def _aligned(line: Mapping[str, str], widths: Mapping[str, int]) -> str:
    return "  ".join(line[key].ljust(width) for key, width in widths.items()).rstrip()
