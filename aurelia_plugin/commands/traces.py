"""`aurelia traces`: check, merge and exchange traces folders."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.parser import Subcommands

if TYPE_CHECKING:
    from aurelia_plugin.traces.merging import Merged
    from aurelia_plugin.traces.records import Fault

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command and its parts to the parser."""
    traces = commands.add_parser("traces", help="check, merge, push or pull traces")
    parts = traces.add_subparsers(title="commands", required=True)
    check = parts.add_parser(
        "check",
        help="read every file of traces folders and name each bad one; exit status 1 if any is",
    )
    check.add_argument("folders", type=Path, nargs="+")
    check.set_defaults(run=_check)
    merge = parts.add_parser(
        "merge",
        help="add the traces, calls and records of folders to one",
        description="A second merge changes nothing. A finished trace is never replaced; an "
        "unfinished one gives way to a finished one.",
    )
    merge.add_argument("folders", type=Path, nargs="+")
    merge.add_argument("--to", type=Path, required=True, help="made if it is not there")
    merge.set_defaults(run=_merge)
    push = parts.add_parser(
        "push",
        help="write a folder's finished traces as a data set of parquet files",
        description="Media are named by their digest, and not copied.",
    )
    push.add_argument("folder", type=Path)
    push.add_argument("to", help="hf:ACCOUNT/DATASET at the Hugging Face hub, or a folder")
    push.add_argument("--public", action="store_true", help="for a data set made at the hub")
    push.set_defaults(run=_push)
    pull = parts.add_parser("pull", help="add the traces of a data set to a traces folder")
    pull.add_argument("source", help="hf:ACCOUNT/DATASET, or a folder with parquet files")
    pull.add_argument("--to", type=Path, required=True, help="made if it is not there")
    pull.set_defaults(run=_pull)


def _check(options: argparse.Namespace) -> int:
    from aurelia_plugin.traces.integrity import check_traces

    good = True
    for folder in options.folders:
        report = check_traces(folder)
        _say_faults(report.faults)
        stops = ", ".join(f"{n} {stop}" for stop, n in sorted(report.stops.items())) or "none"
        say(f"{folder}: traces: {stops}; {report.calls} calls, {report.runs} records of runs")
        for path in report.aside:
            say(f"put aside or left over, not read: {path}")
        say("good" if report.good else f"not good: {len(report.faults)} bad files")
        good = good and report.good
    return 0 if good else 1


def _merge(options: argparse.Namespace) -> int:
    from aurelia_plugin.traces.merging import merge_folders

    return _say_merged(merge_folders(options.folders, options.to), options.to)


def _push(options: argparse.Namespace) -> int:
    from aurelia_plugin.traces.pushing import push

    say(f"{push(options.folder, options.to, private=not options.public)} traces: {options.to}")
    return 0


def _pull(options: argparse.Namespace) -> int:
    from aurelia_plugin.traces.datasets import pull_rows
    from aurelia_plugin.traces.merging import Merged, merge_records
    from aurelia_plugin.traces.store import TraceStore

    merged = Merged()
    merge_records(pull_rows(options.source), TraceStore(options.to), merged)
    return _say_merged(merged, options.to)


def _say_merged(merged: Merged, to: Path) -> int:
    _say_faults(merged.faults)
    counts = merged.counts
    say(
        f"{to}: {counts['traces']} traces and {counts['calls']} calls added, {counts['finished']} "
        f"unfinished traces finished, {counts['there']} were there"
    )
    if merged.faults:
        say(f"left out: {len(merged.faults)}")
    return 1 if merged.faults else 0


def _say_faults(faults: Sequence[Fault]) -> None:
    for fault in faults:
        say(str(fault))
