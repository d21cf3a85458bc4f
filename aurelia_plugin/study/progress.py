"""How far a run is, from what it prints; how long a study still takes, from what it has run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import fmean
from typing import Final, NamedTuple

__all__ = ["Asked", "RunProgress", "left_over"]

_BAR: Final = re.compile(rb"target:[^\r\n]*?\| *(\d+)/(\d+) \[")
_KEPT: Final = 400  # bytes: longer than a line of a bar


class Asked(NamedTuple):
    """Questions that the target has answered, of all."""

    done: int
    total: int


class RunProgress:
    """Reads the bar of the target out of a run's output, in whatever pieces that comes."""

    def __init__(self) -> None:
        self._tail = b""

    def read(self, chunk: bytes) -> Asked | None:
        """Return the latest state in the output so far, None if this piece brings none."""
        seen = self._tail + chunk
        self._tail = seen[-_KEPT:]
        found = next(reversed(list(_BAR.finditer(seen))), None)
        if found is None:
            return None
        self._tail = seen[found.end() :][-_KEPT:]
        return Asked(int(found[1]), int(found[2]))


def left_over(seconds: Sequence[float], arms: int) -> str:
    """Return how long the other arms will take, in words.

    Args:
        seconds: what each arm took that has been run.
        arms: how many are left.
    """
    if not arms or not seconds:
        return ""
    whole = fmean(seconds) * arms
    time = f"{whole:.0f} s" if whole < 100 else f"{whole / 60:.0f} min"
    if whole >= 100 * 60:
        time = f"{whole / 3600:.1f} h"
    return f"; {arms} more arm{'s' if arms > 1 else ''}, about {time}"
