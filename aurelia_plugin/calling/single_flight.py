"""Doing equal work once: who asks for what is already being made waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["SingleFlight"]

T = TypeVar("T")


@dataclass
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class SingleFlight(Generic[T]):
    """Shares work between callers that ask for the same key at the same time.

    Work whose callers have all been cancelled is cancelled too, and has ended when the last of
    them learns of it. Nothing is remembered once the work is done.
    """

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def under_way(self, key: str) -> bool:
        """Whether work for this key has begun and not ended."""
        return key in self._flights

    async def __call__(self, key: str, make: Callable[[], Coroutine[object, object, T]]) -> T:
        """Return what `make` makes, begun here or by an earlier caller.

        Raises:
            Exception: what `make` raised, to every caller.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(make()))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                del self._flights[key]
                await _ended(flight.task)


async def _ended(task: asyncio.Task[object]) -> None:
    """Cancel work for which nobody waits any more, and see it end; done work stays as it is."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # its callers have it or have left: asyncio need not complain of it
