"""Output of the command line."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, TypeAlias

__all__ = ["Subcommands", "say"]

if TYPE_CHECKING:
    # The type of what `add_subparsers` returns has no public name.
    Subcommands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subcommands = object


def say(text: str = "") -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{text}\n")
