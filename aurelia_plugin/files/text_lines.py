"""Lines of a UTF-8 text file, read one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from aurelia_plugin.files.regular import open_regular

__all__ = ["Line", "LineError", "decoded", "read_lines"]

_LONGEST: Final = 64 * 2**20
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Line(NamedTuple):
    """A line without its end, and its number from 1."""

    number: int
    text: str


class LineError(ValueError):
    """A line that cannot be read as text.

    Args:
        line: its number from 1.
        cause: why.
    """

    def __init__(self, line: int, cause: str) -> None:
        super().__init__(cause)
        self.line = line
        self.cause = cause


def read_lines(path: Path, *, longest: int = _LONGEST) -> Iterator[Line]:
    """Yield the lines that are not blank.

    A byte order mark of UTF-8 and carriage returns before line ends are left out.

    Args:
        path: a regular file.
        longest: bytes of the longest line that is read.

    Raises:
        OSError: the file cannot be read; see `open_regular`.
        LineError: a line is not UTF-8, holds NUL, or is too long.
    """
    with open_regular(path) as file:
        number = 0
        while content := file.readline(longest + 1):
            number += 1
            if len(content) > longest:
                raise LineError(number, f"is longer than {longest >> 20} MB")
            text = decoded(number, content).rstrip("\r\n")
            if text.strip():
                yield Line(number, text)


def decoded(number: int, content: bytes) -> str:
    """Return bytes that begin with the line of that number as text.

    Raises:
        LineError: they are not UTF-8, or hold NUL.
    """
    if number == 1:
        if content.startswith(_UTF16):
            raise LineError(1, "is UTF-16, not UTF-8")
        content = content.removeprefix(_BOM)
    if b"\0" in content:
        raise LineError(number, "holds the NUL character (is it UTF-16?)")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        cause = f"is not UTF-8 at byte {error.start + 1}: {error.reason}"
        raise LineError(number, cause) from error
