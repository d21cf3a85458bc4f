"""The parser of the command line, and the numbers that options take."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from aurelia_plugin.commands.console import write

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

__all__ = ["Parser", "Subcommands", "limit", "whole_number"]


class Parser(argparse.ArgumentParser):
    """An argument parser whose messages are plain text, whatever the arguments hold.

    Attributes:
        late_epilog: makes the end of the help when that is asked for, where it takes imports that
            other commands need not wait for.
    """

    late_epilog: Callable[[], str] | None = None

    def format_help(self) -> str:
        """Return the help."""
        if self.late_epilog is not None:
            self.epilog = self.late_epilog()
        return super().format_help()

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        # Not argparse's own: that one passes over a stream that cannot be written to.
        write(sys.stderr if file is None else file, message or "")


if TYPE_CHECKING:
    # The type of what `add_subparsers` returns has no public name.
    Subcommands: TypeAlias = argparse._SubParsersAction[Parser]
else:
    Subcommands = object


def whole_number(least: int = 0, most: int = 2**32 - 1) -> Callable[[str], int]:
    """Return a type of argument: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return number

    return read


def limit(text: str) -> int | float:
    """Read `--limit`: a number of questions, or a share of them below 1.

    Raises:
        ArgumentTypeError: it is neither.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if 0 < number < 1:
        return number
    if 1 <= number < 2**32 and number.is_integer():
        return int(number)
    raise argparse.ArgumentTypeError(
        f"{text!r} is neither a number of questions nor a share below 1"
    )
