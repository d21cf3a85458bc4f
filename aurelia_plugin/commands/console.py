"""Output of the command line: all that a command shows goes through here, and is text only."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, TextIO

from aurelia_plugin.files.escaping import for_json, for_terminal

if TYPE_CHECKING:  # rich takes a tenth of a second, which `--help` need not wait for
    from _typeshed import SupportsWrite
    from rich.console import Console

__all__ = [
    "ClosedOutput",
    "complain",
    "flush",
    "open_streams",
    "plain_echo",
    "say",
    "say_json",
    "say_missing",
    "say_table",
    "say_wrapped",
    "standard_output",
    "write",
]


class ClosedOutput(Exception):  # noqa: N818 - no error: the reader, such as `head`, has had enough
    """Whatever reads standard output has closed it."""


def say(text: str = "") -> None:
    """Write text to standard output, and end the line."""
    write(sys.stdout, f"{text}\n")


def say_json(document: str) -> None:
    """Write a JSON document to standard output; what it says stays exactly the same."""
    write(sys.stdout, f"{for_json(document)}\n")


def complain(text: str) -> None:
    """Write text to standard error, and end the line."""
    write(sys.stderr, f"{text}\n")


def say_table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: bool = True,
    least: Sequence[str] = (),
) -> None:
    """Write a table to standard output, as wide as that is.

    Args:
        head: the columns' titles.
        rows: of as many cells.
        numbers: whether all columns but the first stand at the right.
        least: titles of columns that are left out where there is no room, the first ones first.
    """
    from aurelia_plugin.files.tables import fitted_table, room

    console = standard_output()
    width = room(console)
    fitted = fitted_table(head, list(rows), width=width, least=least, numbers=numbers)
    if width is None:
        console.width = max(1, console.measure(fitted.table).maximum)
    console.print(fitted.table)
    if fitted.note:
        say_wrapped("", fitted.note)


def say_wrapped(head: str, text: str) -> None:
    """Write a paragraph to standard output, its lines as long as that is wide."""
    from aurelia_plugin.files.tables import room

    width = room(standard_output())
    say(head + text if width is None else fill(head + text, width, subsequent_indent="  "))


def standard_output() -> Console:
    """Return a console that writes to standard output and takes text for nothing but text."""
    from rich.console import Console

    class PlainConsole(Console):
        """A console that leaves it to the command line what a closed output means."""

        def on_broken_pipe(self) -> None:
            raise ClosedOutput

    return PlainConsole(highlight=False, markup=False, emoji=False)


def say_missing(names: Sequence[str], path: Path | None, shown: int = 20) -> None:
    """Name the media that are missing: the first ones here, all of them in the file."""
    if not names:
        return
    say(f"{len(names)} media are missing; all names: {path}")
    for name in names[:shown]:
        say(f"  {name}")
    if len(names) > shown:
        say(f"  and {len(names) - shown} more")


def plain_echo() -> Callable[[bytes], None]:
    """Return what shows another program's output on standard error as it comes.

    Lines that it overwrites are shown below one another.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def echo(chunk: bytes) -> None:
        write(sys.stderr, decoder.decode(chunk).replace("\r", "\n"))
        sys.stderr.flush()

    return echo


def open_streams() -> None:
    """Let both streams take any text, where they are closed or lack a character too."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - to the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write out what is held back; afterwards nothing is left that could fail at the exit.

    Raises:
        ClosedOutput: nobody reads it.
        OSError: it cannot be written.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        _let_go(sys.stdout)
        raise _named(error) from error


def _let_go(stream: TextIO) -> None:
    """Lead a stream that cannot be written to nowhere, so that the exit does not fail again."""
    try:
        place = stream.fileno()
    except (OSError, ValueError):  # no file of the system
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, place)
    os.close(nowhere)


def write(stream: SupportsWrite[str], text: str) -> None:
    """Write text to a stream, and nothing but text.

    Raises:
        ClosedOutput: nobody reads it.
        OSError: it cannot be written.
    """
    try:
        stream.write(for_terminal(text))
    except OSError as error:
        raise _named(error) from error


def _named(error: OSError) -> Exception:
    """Return the error of a stream as one that says which, or that nobody reads it."""
    if isinstance(error, BrokenPipeError):
        return ClosedOutput()
    return OSError(error.errno, error.strerror, "standard output")
