"""Decoded and encoded media, kept while several roles and iterations ask for them.

Bounded by bytes and by number, so that memory stays flat however many clips a run has. Who asks for
what is being made waits for it: a clip is decoded once, however many agents want it at one moment.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, NamedTuple, TypeVar

__all__ = ["MediaMemory"]

T = TypeVar("T")


class _Kept(NamedTuple, Generic[T]):
    value: T
    size: int


class MediaMemory(Generic[T]):
    """What was made of media, by key; the least recently used goes first. Safe for threads.

    Args:
        size: the bytes that a value holds.
        most_bytes: of all values together; one that is larger is handed out and not kept.
        most: number of values.
    """

    def __init__(
        self, size: Callable[[T], int], most_bytes: int = 192 * 2**20, most: int = 64
    ) -> None:
        self._size = size
        self._most_bytes = most_bytes
        self._most = most
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._held = 0
        self._making: dict[Hashable, Future[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of a key, made by `make` if it is not there.

        Callers share the value, and leave it as it is. A key has to change with what it was made
        from: use a digest of the content.

        Raises:
            Exception: what `make` raises, to everyone who waited for it; nothing is kept of it.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key].value
            future = self._making.get(key)
            mine = future is None
            if future is None:
                future = self._making[key] = Future()
        if not mine:
            return future.result()
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                del self._making[key]
            future.set_exception(error)
            raise
        with self._lock:
            del self._making[key]
            self._keep(key, _Kept(value, self._size(value)))
        future.set_result(value)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._held = 0

    def _keep(self, key: Hashable, kept: _Kept[T]) -> None:
        if kept.size > self._most_bytes:
            return
        self._kept[key] = kept
        self._held += kept.size
        while self._held > self._most_bytes or len(self._kept) > self._most:
            self._held -= self._kept.popitem(last=False)[1].size
