"""`aurelia data`: check, build, import and annotate the questions and clips of AVReasonBench."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from aurelia_plugin.commands import data_annotate, data_build, data_import
from aurelia_plugin.commands.console import say, say_json, say_table
from aurelia_plugin.commands.parser import Subcommands

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command and its parts to the parser."""
    data = commands.add_parser("data", help="check, build, import or annotate the benchmark's data")
    parts = data.add_subparsers(title="commands", required=True)
    check = parts.add_parser(
        "check",
        help="check a folder's manifest and media; exit status 1 if anything is wrong",
        description="Report every fault with file and line, and what the folder holds. The last "
        "line is the command that runs what is there.",
    )
    check.add_argument(
        "folder",
        type=Path,
        nargs="?",
        help="the folder with manifest.jsonl; default: that of avreasonbench_public",
    )
    check.add_argument(
        "--annotations-only", action="store_true", help="do not look at the media files"
    )
    check.set_defaults(run=_check)
    schema = parts.add_parser("schema", help="print the JSON Schema of a manifest's line")
    schema.set_defaults(run=_schema)
    data_build.add(parts)
    data_import.add(parts)
    data_annotate.add(parts)


def _check(options: argparse.Namespace) -> int:
    from aurelia_plugin.benchmark.data.checking import check_folder
    from aurelia_plugin.benchmark.data.home import PUBLIC
    from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS, CUSTOM
    from aurelia_plugin.benchmark.data.run_command import run_command

    folder = options.folder or PUBLIC.folder()
    report = check_folder(folder, media=not options.annotations_only)
    for fault in report.faults:
        say(str(fault))
    # Of the paper's columns and categories those without items are shown, too; own data have none.
    paper = report.columns.keys() != {CUSTOM}
    columns = [*(COLUMNS if paper else ()), *([CUSTOM] if report.columns[CUSTOM] else [])]
    asked = CATEGORIES if paper else [name for name in CATEGORIES if report.categories[name]]
    categories = [*asked, *sorted(report.categories.keys() - set(CATEGORIES))]
    say_table(("column", "items"), [(name, str(report.columns[name])) for name in columns])
    say_table(("category", "items"), [(name, str(report.categories[name])) for name in categories])
    files = "not looked at" if options.annotations_only else f"{report.media} files"
    say(f"media: {files}")
    say("good" if report.good else f"not good: {len(report.faults)} faults")
    if not report.good:
        return 1
    say("run it with:")
    say(run_command(folder))
    return 0


def _schema(_: argparse.Namespace) -> None:
    from aurelia_plugin.benchmark.data.items import item_schema

    say_json(json.dumps(item_schema(), indent=1))
