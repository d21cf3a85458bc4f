"""What a command's failure means: what is said, and the exit status."""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from aurelia_plugin.commands.console import ClosedOutput
from aurelia_plugin.errors import AureliaError
from aurelia_plugin.redaction import without_secrets

__all__ = ["BUG", "FAILED", "INTERRUPTED", "UNREAD", "Failure", "failure_of"]

FAILED: Final = 1
"""The command failed, or found faults; the message says the fix."""
BUG: Final = 70
"""This program is at fault (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED: Final = 130
"""128 and SIGINT, as shells have it."""
UNREAD: Final = 141
"""128 and SIGPIPE: nobody reads the output any more."""

_FIXES: Final[Mapping[int, str]] = MappingProxyType(
    {
        errno.ENOENT: "Check the path; a folder on the way is missing, or was deleted.",
        errno.ENOTDIR: "Name a folder: a part of this path is a file.",
        errno.EISDIR: "Name a file: this is a folder.",
        errno.EEXIST: "Name another path: something else is there.",
        errno.EACCES: "Get permission there, or name another path.",
        errno.EPERM: "Get permission there, or name another path.",
        errno.EROFS: "Name another path: this one cannot be written to.",
        errno.ENOSPC: "Make room on this disk, or name another path; the same command goes on.",
        errno.EDQUOT: "Make room within your quota, or name another path.",
        errno.EFBIG: "Name a path on another disk: this one takes no file of that size.",
        errno.ENAMETOOLONG: "Name a shorter path.",
        errno.ELOOP: "Remove the link that leads to itself, or name another path.",
        errno.EMFILE: "Raise the number of open files (`ulimit -n`).",
        errno.ENOMEM: "Free memory, or ask for less at once.",
        errno.EIO: "Check the disk.",
    }
)


class Failure(NamedTuple):
    """What is said on standard error (nothing if empty), and the exit status."""

    text: str
    status: int


def failure_of(error: BaseException) -> Failure:
    """Return what a command that raised this says, and its exit status."""
    if isinstance(error, AureliaError):
        return Failure(str(error), FAILED)
    if isinstance(error, KeyboardInterrupt):
        return Failure("aurelia: stopped; the same command goes on from here", INTERRUPTED)
    if isinstance(error, ClosedOutput):
        return Failure("", UNREAD)
    what, fix = _cause(error)
    if what:
        return Failure(without_secrets(f"{what}\n{fix}"), FAILED)
    return Failure(without_secrets(_bug(error)), BUG)


def _cause(error: BaseException) -> tuple[str, str]:
    """Return what is wrong outside of this program, and the fix; empty if that is not known."""
    if isinstance(error, OSError):
        return _cause_of_system(error)
    if isinstance(error, UnicodeError):
        return f"A text is not UTF-8: {error}", "Save the files that you named as UTF-8."
    if isinstance(error, RecursionError):
        return "What was read is nested too deeply.", "Check the files that you named."
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):  # Python < 3.13
        return str(error), _FIXES[errno.ELOOP]
    if isinstance(error, MemoryError):
        return "There is not enough memory.", "Free memory, or ask for less at once."
    if isinstance(error, ValueError) and "null byte" in str(error):
        return "A path holds a NUL character.", "Check the paths that you named."
    return "", ""


def _cause_of_system(error: OSError) -> tuple[str, str]:
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if _is_path(name)]
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno == errno.ENOENT and not names and not _here():
        return "The current folder is not there any more.", "Change to a folder that is there."
    fix = _FIXES.get(error.errno or 0, "Check the paths and the machine, and run it again.")
    return f"{' to '.join(names) or 'The system'}: {reason}", fix


def _is_path(name: object) -> bool:
    return isinstance(name, str | bytes | os.PathLike)


def _here() -> bool:
    try:
        return bool(os.getcwd())
    except OSError:
        return False


def _bug(error: BaseException) -> str:
    """Return the message about a fault of this program; its traceback is kept in a file."""
    what = f"aurelia failed unexpectedly: {type(error).__name__}: {error}"
    told = without_secrets("".join(traceback.format_exception(error)))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="aurelia-", suffix=".txt", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(told)
    except OSError:
        return f"{what}\nPlease report it, with the command."
    return f"{what}\nPlease report it, with the command and {file.name}"
