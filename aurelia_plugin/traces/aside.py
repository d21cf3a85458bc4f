"""Files that cannot be used, put aside: they are not ours to delete."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from loguru import logger

from aurelia_plugin.files.shown import shown

__all__ = ["is_left_over", "put_aside"]

_SUFFIX: Final = ".unreadable"


def is_left_over(path: Path) -> bool:
    """Whether a file was put aside, or left half written by a process that was killed."""
    return path.suffix == _SUFFIX or path.name.startswith(".part-")


def put_aside(path: Path, cause: str) -> None:
    """Rename a file, or the link around it, out of the way.

    Args:
        path: the file or folder.
        cause: what is wrong with it; said in a warning.

    Raises:
        OSError: it cannot be renamed.
    """
    # Behind a folder that leads out lie files of others: the link gives way, they stay.
    moved = path.parent if path.parent.is_symlink() else path
    aside = _free_name(moved)
    logger.warning(
        "{} cannot be read ({}); it is kept as {} and made again.",
        shown(moved), cause, shown(aside.name),
    )  # fmt: skip
    with contextlib.suppress(FileNotFoundError):  # another process has done it
        moved.replace(aside)


def _free_name(path: Path) -> Path:
    """Return a name that does not stand for a folder already, which would not be written over."""
    aside = path.with_name(f"{path.stem}{_SUFFIX}")
    number = 1
    while os.path.lexists(aside) and (aside.is_dir() or path.is_dir()):
        number += 1
        aside = path.with_name(f"{path.stem}-{number}{_SUFFIX}")
    return aside
