"""Reading regular files only: a pipe, a socket or a device in a file's place is refused."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["open_regular", "read_regular"]

# Opened so that even a pipe that takes a file's place between two looks cannot block.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; links are followed.

    Raises:
        OSError: it is not there, not a regular file, cannot be read, or has no name that the
            file system takes (NUL, surrogates, too long).
    """
    try:
        _require_regular(path, os.stat(path))  # before it is opened: that may do something
        descriptor = os.open(path, _FLAGS)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"no usable file name ({error})") from error
    try:
        _require_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:  # whatever it was: the descriptor does not leak
        os.close(descriptor)
        raise


def _require_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder in the place of a file", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file (a pipe, socket or device)", str(path))


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file.

    Args:
        path: the file.
        limit: bytes from which on it is refused, unread.

    Raises:
        OSError: as for `open_regular`, or it is larger.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit >> 20} MB", str(path))
    return content
