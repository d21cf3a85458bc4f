"""Gathering concurrent requests to a local model into batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

__all__ = ["MicroBatcher"]

In = TypeVar("In")
Out = TypeVar("Out")


class _Waiting(NamedTuple, Generic[In, Out]):
    item: In
    group: Hashable | None
    future: asyncio.Future[Out]


class MicroBatcher(Generic[In, Out]):
    """Runs what is asked for at the same time in one batch, one batch at a time.

    Nothing waits for a batch to fill: whatever is there when the model becomes free goes in.

    Args:
        run: takes a batch and returns as many results, in order; called in a worker thread,
            never twice at once.
        size: how many items a batch holds at most.
        group: items go into one batch only if this value is equal; None puts an item into a
            batch of its own.
    """

    def __init__(
        self,
        run: Callable[[Sequence[In]], Sequence[Out]],
        size: int,
        group: Callable[[In], Hashable | None],
    ) -> None:
        self._run = run
        self._size = size
        self._group = group
        self._waiting: deque[_Waiting[In, Out]] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def __call__(self, item: In) -> Out:
        """Return the result for one item.

        Raises:
            Exception: what `run` raised for this item. When a batch fails, its items are run
                one by one, so that one bad item does not take the others down.
        """
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, self._group(item), future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # let callers that are ready to ask do so first
            batch = self._next_batch()
            if batch:
                await self._settle(batch)

    def _next_batch(self) -> list[_Waiting[In, Out]]:
        """Take the oldest request and, up to the size, those of its group, in order."""
        batch: list[_Waiting[In, Out]] = []
        others: deque[_Waiting[In, Out]] = deque()
        wanted: Hashable | None = None
        while self._waiting:
            entry = self._waiting.popleft()
            if entry.future.done():  # its caller was cancelled
                continue
            if not batch:
                batch.append(entry)
                wanted = entry.group
            elif len(batch) < self._size and wanted is not None:
                (batch if entry.group == wanted else others).append(entry)
            else:
                others.append(entry)
        self._waiting = others
        return batch

    async def _settle(self, batch: list[_Waiting[In, Out]]) -> None:
        try:
            results = await asyncio.to_thread(self._run, [entry.item for entry in batch])
            _check_length(results, batch)
        except Exception as error:  # noqa: BLE001 - handed to the callers, who know what to do
            if len(batch) == 1:
                if not batch[0].future.done():
                    batch[0].future.set_exception(error)
                return
            for entry in batch:
                await self._settle([entry])
            return
        for entry, result in zip(batch, results, strict=True):
            if not entry.future.done():
                entry.future.set_result(result)


def _check_length(results: Sequence[object], batch: Sequence[object]) -> None:
    if len(results) != len(batch):
        raise ValueError(f"{len(results)} results for a batch of {len(batch)}")
