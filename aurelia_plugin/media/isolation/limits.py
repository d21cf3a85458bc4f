"""Whether files are decoded in processes of their own, and what these may use."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace

__all__ = ["Limits", "configure", "current_limits", "is_isolated"]

_IN_PROCESS = "AURELIA_DECODE_IN_PROCESS"
_GIB = 2**30


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> int:
    """Return a quarter of the machine's memory, 2 to 8 GiB."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        physical = 16 * _GIB
    return min(8 * _GIB, max(2 * _GIB, physical // 4))


@dataclass(frozen=True)
class Limits:
    """What the processes that decode may use.

    Attributes:
        isolated: whether there are any; else files are decoded in this process.
        workers: how many at once.
        memory: bytes of address space of each.
        silent_seconds: without a packet or picture done, after which one is taken to hang.
        seconds: for one task, however alive it looks; and
        seconds_per_mb: this much more for each million bytes of the file.
    """

    isolated: bool = True
    workers: int = 0
    memory: int = 0
    silent_seconds: float = 120.0
    seconds: float = 600.0
    seconds_per_mb: float = 60.0

    def deadline(self, file_bytes: int) -> float:
        """Return the seconds that a task over files of this size may take."""
        return self.seconds + self.seconds_per_mb * file_bytes / 1e6


_limits: Limits | None = None


def current_limits() -> Limits:
    """Return the limits: those configured, else the default of this machine."""
    global _limits
    if _limits is None:
        _limits = Limits(workers=min(4, _cores()), memory=_memory())
    return _limits


def configure(
    *,
    isolated: bool | None = None,
    workers: int | None = None,
    memory: int | None = None,
    silent_seconds: float | None = None,
    seconds: float | None = None,
) -> Limits:
    """Change the limits for what is decoded from now on, and return those before.

    What is None stays as it is. See `Limits`.

    Raises:
        ValueError: a limit is not positive.
    """
    global _limits
    before = current_limits()
    given = {
        "isolated": isolated,
        "workers": workers,
        "memory": memory,
        "silent_seconds": silent_seconds,
        "seconds": seconds,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    for name, value in changes.items():
        if name != "isolated" and value <= 0:
            raise ValueError(f"{name} is {value}; it must be positive")
    _limits = replace(before, **changes)  # type: ignore[arg-type]
    return before


def is_isolated() -> bool:
    """Return whether files are decoded in processes of their own.

    They are not where `configure(isolated=False)` or AURELIA_DECODE_IN_PROCESS=1 says so, nor on
    Windows, whose processes cannot be limited and handed memory in the ways used here.
    """
    named = os.environ.get(_IN_PROCESS, "").strip().lower()
    return current_limits().isolated and named in ("", "0", "false") and sys.platform != "win32"
