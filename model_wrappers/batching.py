"""Gathering concurrent requests to a local model into batches."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

__all__ = ["BatchSize", "FixedSize", "GrowingSize", "MicroBatcher", "Places"]

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)  # a NamedTuple cannot be generic before Python 3.11
class _Waiting(Generic[In, Out]):
    item: In
    group: Hashable | None
    future: asyncio.Future[Out]


class _Failure(NamedTuple):
    error: Exception


def _settle(future: asyncio.Future[Out], result: Out | _Failure) -> None:
    if future.done():  # its caller was cancelled
        return
    if isinstance(result, _Failure):
        future.set_exception(result.error)
    else:
        future.set_result(result)


class BatchSize(Protocol):
    """How many items a batch holds at most, and what becomes of that as batches run."""

    @property
    def now(self) -> int:
        """The next batch's."""

    def ran(self, count: int) -> None:
        """Note that a batch of `count` items ran."""

    def ran_out(self, count: int) -> None:
        """Note that the memory was too small for a batch of `count` items."""


class FixedSize:
    """The size that the user asked for."""

    def __init__(self, size: int) -> None:
        self.now = size

    def ran(self, count: int) -> None:
        """Leave it as it is."""

    def ran_out(self, count: int) -> None:
        """Leave it as it is: other prompts may be shorter."""


class GrowingSize:
    """Twice as large after each full batch, until the memory is too small.

    Then it steps back by a quarter and stays there: a size that failed is not tried again.

    Args:
        most: the size beyond which it does not grow.
    """

    def __init__(self, most: int) -> None:
        self.now = 1
        self.most = most

    def ran(self, count: int) -> None:
        """Grow, if the batch was full."""
        if count >= self.now:
            self.now = min(2 * self.now, self.most)

    def ran_out(self, count: int) -> None:
        """Step back for good."""
        self.most = self.now = max(1, min(self.now, count * 3 // 4))


class MicroBatcher(Generic[In, Out]):
    """Runs what is asked for at the same time in one batch, one batch at a time.

    Nothing waits for a batch to fill: whatever is there when the model becomes free goes in.

    Args:
        run: takes a batch and returns as many results, in order; called in a worker thread,
            never twice at once.
        size: how many items a batch holds at most.
        group: items go into one batch only if this value is equal; None puts an item into a
            batch of its own.
        out_of_memory: whether an error says that the batch was too large. Its halves are run then.
    """

    def __init__(
        self,
        run: Callable[[Sequence[In]], Sequence[Out]],
        size: int | BatchSize,
        group: Callable[[In], Hashable | None],
        out_of_memory: Callable[[Exception], bool] = lambda error: False,
    ) -> None:
        self._run = run
        self._size: BatchSize = FixedSize(size) if isinstance(size, int) else size
        self._group = group
        self._out_of_memory = out_of_memory
        self._waiting: deque[_Waiting[In, Out]] = deque()
        self._lock = threading.Lock()  # over what waits, which the worker thread takes from
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._draining: asyncio.Task[None] | None = None

    async def __call__(self, item: In) -> Out:
        """Return the result for one item.

        Raises:
            Exception: what `run` raised for this item. When a batch fails, its items are run
                one by one, so that one bad item does not take the others down.
        """
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append(_Waiting(item, self._group(item), future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(0)  # let callers that are ready to ask do so first
            # Of its own: the others may all be waiting for decoders.
            await loop.run_in_executor(self._thread, self._work)

    def _work(self) -> None:
        """Run one batch after the other: the model does not wait for the loop in between."""
        while batch := self._next_batch():
            for future, result in self._outcomes(batch):
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                    future.get_loop().call_soon_threadsafe(_settle, future, result)

    def _next_batch(self) -> list[_Waiting[In, Out]]:
        """Take the oldest request and, up to the size, those of its group, in order."""
        batch: list[_Waiting[In, Out]] = []
        others: deque[_Waiting[In, Out]] = deque()
        wanted: Hashable | None = None
        with self._lock:
            while self._waiting:
                entry = self._waiting.popleft()
                if entry.future.done():  # its caller was cancelled
                    continue
                if not batch:
                    batch.append(entry)
                    wanted = entry.group
                elif len(batch) < self._size.now and wanted is not None:
                    (batch if entry.group == wanted else others).append(entry)
                else:
                    others.append(entry)
            self._waiting = others
        return batch

    def _outcomes(
        self, batch: list[_Waiting[In, Out]]
    ) -> Iterator[tuple[asyncio.Future[Out], Out | _Failure]]:
        """Run a batch, in parts if it fails."""
        try:
            results = self._run([entry.item for entry in batch])
            _check_length(results, batch)
        except Exception as error:  # noqa: BLE001 - handed to the callers, who know what to do
            again = self._parts(batch, error)
            if not again:
                # A future takes every error but this one, and its caller would wait for ever.
                if isinstance(error, StopIteration):
                    error = RuntimeError(f"StopIteration: {error}")
                yield batch[0].future, _Failure(error)
        else:
            again = []
            self._size.ran(len(batch))
            for entry, result in zip(batch, results, strict=True):
                yield entry.future, result
        # Outside of the handler: a traceback holds what filled the memory.
        for part in again:
            yield from self._outcomes(part)

    def _parts(
        self, batch: list[_Waiting[In, Out]], error: Exception
    ) -> list[list[_Waiting[In, Out]]]:
        """Return the smaller batches in which a failed one is run again, none for a single item."""
        if self._out_of_memory(error):
            self._size.ran_out(len(batch))
            half = (len(batch) + 1) // 2
            return [batch[:half], batch[half:]] if len(batch) > 1 else []
        return [[entry] for entry in batch] if len(batch) > 1 else []


class Places:
    """A number of places that may change while they are taken; who comes first is let in first.

    Args:
        count: how many there are now.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._taken = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._taken < self._count() and not self._queue:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except BaseException:  # cancelled, however: the place must not be lost
            if turn.done() and not turn.cancelled():  # let in, and cancelled at once
                self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self._taken -= 1
        while self._queue and self._taken < self._count():
            turn = self._queue.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)


def _check_length(results: Sequence[object], batch: Sequence[object]) -> None:
    if len(results) != len(batch):
        raise ValueError(f"{len(results)} results for a batch of {len(batch)}")
