"""Writing a file so that other processes, and a process killed midway, see all of it or nothing."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(
    path: Path, content: bytes, check: Callable[[Path], object] | None = None
) -> None:
    """Write `content` beside `path` and rename it into place.

    Args:
        path: the file to make; its folder is created.
        content: the bytes.
        check: called with the finished temporary file (same suffix) before it takes its place;
            what it raises leaves no file behind.

    Raises:
        OSError: the folder cannot be written to.
    """
    # Not tempfile: its files are their owner's alone, and a folder may be shared.
    temporary = path.with_name(f".part-{uuid.uuid4().hex}{path.suffix}")
    try:
        try:
            _write(temporary, content)
        except FileNotFoundError:  # rarely: a look at every folder first would cost more
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(temporary, content)
        if check is not None:
            check(temporary)
        os.replace(temporary, path)
    except BaseException:  # whatever ended it, an interrupt too: no part of a file stays
        temporary.unlink(missing_ok=True)
        raise


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
