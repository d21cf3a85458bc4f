"""The `aurelia` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from aurelia_plugin import __version__
from aurelia_plugin.commands import (
    compare,
    data,
    distil,
    doctor,
    export,
    models,
    probe,
    reported,
    sidecar,
    study,
    summary,
    traces,
)
from aurelia_plugin.errors import AureliaError
from aurelia_plugin.registration import tasks_path

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 1 if it failed or found faults."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except AureliaError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aurelia", description="Tools around the AURELIA plugin for lmms-eval."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True)
    tasks = commands.add_parser(
        "tasks-path",
        help="print the folder of the packaged tasks",
        description="Print the folder of the packaged tasks, for `lmms-eval tasks --include-path "
        '"$(aurelia tasks-path)"`.',
    )
    tasks.set_defaults(run=_print_tasks_path)
    for module in (
        study,
        compare,
        distil,
        traces,
        data,
        models,
        probe,
        doctor,
        sidecar,
        summary,
        export,
        reported,
    ):
        module.add(commands)
    return parser


def _print_tasks_path(_: argparse.Namespace) -> None:
    print(tasks_path())
