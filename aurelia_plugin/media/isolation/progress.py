"""Signs of life of a process that decodes, for the one that waits for it."""

from __future__ import annotations

__all__ = ["tick", "watch"]

_counter: memoryview | None = None


def watch(counter: memoryview) -> None:
    """Count from now on in the first place of `counter`, of unsigned 64-bit numbers."""
    global _counter
    _counter = counter


def tick() -> None:
    """Tell that decoding goes on: a packet was read, or a picture is done."""
    if _counter is not None:
        _counter[0] += 1
