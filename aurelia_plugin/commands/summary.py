"""`aurelia summary`: the figures that the harness's table does not have."""

from __future__ import annotations

import argparse
from pathlib import Path

from aurelia_plugin.commands.console import say, say_json
from aurelia_plugin.commands.parser import Subcommands

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "summary",
        help="print a run's figures per column, per category and over items, with intervals",
        description="Read the samples that lmms-eval wrote with --log_samples and print, per "
        "column, per category and over all items: n, mean score, 95% interval (clustered by "
        "video), accuracy and the share of replies that could not be read.",
    )
    command.add_argument("folder", type=Path, help="the one given as --output_path, or below it")
    command.add_argument(
        "--run", dest="date", metavar="DATE", help="as file names begin; default: the latest run"
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of tables")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from aurelia_plugin.benchmark.figures import read_run

    run = read_run(options.folder, options.date)
    if options.json:
        say_json(run.json())
    else:
        say(run.text())
