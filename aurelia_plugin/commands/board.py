"""`aurelia board`: a table and a page of many submissions."""

from __future__ import annotations

import argparse
from pathlib import Path

from aurelia_plugin.commands.console import say, say_table
from aurelia_plugin.commands.parser import Subcommands
from aurelia_plugin.errors import ConfigError

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "board",
        help="make a table and a page of many submissions, those that were asked alike",
        description="Read the submissions in a folder (`aurelia export submission` writes them), "
        "check each, and rank those that were asked alike: the same questions, clips, media, "
        "tasks, parsers and decoding. What was not is refused, with the reason. Exit status 1 if "
        "anything was refused.",
    )
    command.add_argument("folder", type=Path, help="its .json files are the submissions")
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="for board.html, .md and .json; default: board in it",
    )
    command.add_argument(
        "--like", metavar="FILE", help="the submission that others have to be like"
    )
    command.add_argument(
        "--items",
        type=Path,
        metavar="FOLDER",
        help="the benchmark's folder with manifest.jsonl: every answer is read and scored again",
    )
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from aurelia_plugin.compare.submissions.alike import sort_alike
    from aurelia_plugin.compare.submissions.board import head, ranked, table_rows, write_board
    from aurelia_plugin.compare.submissions.reading import gold_items, read_submissions

    gold = gold_items(options.items) if options.items is not None else None
    entries, refusals = read_submissions(options.folder, gold)
    if not entries:
        reasons = "; ".join(f"{one.file}: {one.reason}" for one in refusals[:5])
        raise ConfigError(
            f"{options.folder}: no file is a submission: {reasons}",
            "Make one with: aurelia export submission RUN --to FOLDER/NAME.json",
        )
    found = sort_alike(entries, options.like)
    refusals += found.refusals
    lines = ranked(found.entries)
    say_table(head(lines), table_rows(lines))
    for one in refusals:
        say(f"refused: {one.file}: {one.reason}")
    for path in write_board(found, refusals, options.out or options.folder / "board"):
        say(f"written: {path}")
    return 1 if refusals else 0
