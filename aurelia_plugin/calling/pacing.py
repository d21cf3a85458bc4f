"""How many calls one service is asked at once: what it bears, found by trying.

Additive increase, multiplicative decrease (Chiu and Jain, 1989): each round of replies allows one
call more, a "too many requests" halves the number, and no call begins before the moment that the
service named.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

__all__ = ["Pacer"]


class _Waiting(NamedTuple):
    priority: int
    came: int
    turn: asyncio.Future[None]


class Pacer:
    """The calls under way to one service.

    Nothing here belongs to an event loop: one run may use several, one after the other.

    Args:
        most: calls at once at most; where it begins.
        clock: seconds, never going back.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = float(max(1, most))
        self.under_way = 0
        self._most = self.limit
        self._clock = clock
        self._cut_at = self._resume_at = float("-inf")
        self._refused_since: float | None = None
        self._waiting: list[_Waiting] = []  # a heap
        self._came = itertools.count()

    @asynccontextmanager
    async def turn(self, priority: int = 0) -> AsyncIterator[float]:
        """Wait for a place and hold it; gives the time at which the call begins.

        Args:
            priority: of the calls that wait, those with the lowest number go first, and equals in
                the order in which they came.
        """
        await self._enter(priority)
        try:
            yield self._clock()
        finally:
            self.under_way -= 1
            self._admit()

    def passed(self) -> None:
        """Count a reply: the service bears what it is asked."""
        self._refused_since = None
        self.limit = min(self._most, self.limit + 1 / self.limit)
        self._admit()

    def throttled(self, began: float, retry_after: float | None) -> None:
        """Count a "too many requests".

        Args:
            began: when the refused call began. Calls that began before the last cut tell nothing
                new: one storm halves the limit once.
            retry_after: seconds for which the service wants to be left alone.
        """
        now = self._clock()
        if self._refused_since is None:
            self._refused_since = now
        if retry_after is not None:
            self._resume_at = max(self._resume_at, now + retry_after)
        if began >= self._cut_at:
            self._cut_at = now
            self.limit = max(1.0, self.limit / 2)

    @property
    def refused_for(self) -> float:
        """Seconds since the first of the refusals after the last reply; 0 if there is none."""
        return 0.0 if self._refused_since is None else self._clock() - self._refused_since

    async def _enter(self, priority: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiting(priority, next(self._came), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # let in, and cancelled at the same moment
                self.under_way -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        """Let in those who wait, in order, as far as limit and pause allow."""
        while self._waiting and self.under_way < int(self.limit):
            turn = self._waiting[0].turn
            if turn.done():  # its caller was cancelled
                heapq.heappop(self._waiting)
                continue
            pause = self._resume_at - self._clock()
            if pause > 0:
                turn.get_loop().call_later(pause, self._admit)
                return
            heapq.heappop(self._waiting)
            turn.set_result(None)
            self.under_way += 1
