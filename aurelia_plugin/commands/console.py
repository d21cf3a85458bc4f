"""Output of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

__all__ = ["Subcommands", "say", "say_missing", "say_table"]

if TYPE_CHECKING:
    # The type of what `add_subparsers` returns has no public name.
    Subcommands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subcommands = object


def say(text: str = "") -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{text}\n")


def say_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output; the first column to the left, others to the right."""
    from aurelia_plugin.benchmark.figures import plain_table

    say(plain_table(head, rows))


def say_missing(names: Sequence[str], path: Path | None, shown: int = 20) -> None:
    """Name the media that are missing: the first ones here, all of them in the file."""
    if not names:
        return
    say(f"{len(names)} media are missing; all names: {path}")
    for name in names[:shown]:
        say(f"  {name}")
    if len(names) > shown:
        say(f"  and {len(names) - shown} more")
