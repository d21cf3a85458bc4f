"""The `aurelia` command."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from aurelia_plugin.commands.parser import Parser

__all__ = ["main", "parser"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0; 1 if the command failed or found faults; 70 for a fault of this
        program; 130 if it was interrupted; 141 if nobody reads its output. Wrong arguments exit
        with 2.
    """
    try:
        # Within the try: an interruption of these imports is one, too.
        from aurelia_plugin.commands import console
        from aurelia_plugin.commands.messages import shown_messages

        console.open_streams()
        try:
            options = parser().parse_args(arguments)
            with shown_messages():
                return int(options.run(options) or 0)
        finally:  # after --help, too
            console.flush()
    except Exception as error:  # noqa: BLE001 - a person gets a message, and a bug report a file
        return _fail(error)
    except KeyboardInterrupt as error:
        return _fail(error)


def _fail(error: BaseException) -> int:
    """Say what went wrong, and return the exit status."""
    from aurelia_plugin.commands.console import ClosedOutput, complain, flush
    from aurelia_plugin.commands.failures import failure_of

    failure = failure_of(error)
    with contextlib.suppress(ClosedOutput, OSError):  # what cannot be written is the failure
        flush()
    with contextlib.suppress(ClosedOutput, OSError):  # nobody can be told; the status says it
        if failure.text:
            complain(failure.text)
        sys.stderr.flush()
    return failure.status


def parser() -> Parser:
    """Return the parser of all commands."""
    from aurelia_plugin import __version__
    from aurelia_plugin.commands import (
        board,
        compare,
        data,
        distil,
        doctor,
        engine,
        export,
        models,
        probe,
        reported,
        sidecar,
        study,
        summary,
        traces,
        verify,
    )
    from aurelia_plugin.commands.parser import Parser

    found = Parser(prog="aurelia", description="Tools around the AURELIA plugin for lmms-eval.")
    found.add_argument("--version", action="version", version=__version__)
    commands = found.add_subparsers(title="commands", required=True)
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
        verify,
        engine,
        summary,
        export,
        board,
        reported,
    ):
        module.add(commands)
    return found


def _print_tasks_path(_: argparse.Namespace) -> None:
    from aurelia_plugin.commands.console import say
    from aurelia_plugin.registration import tasks_path

    say(str(tasks_path()))
