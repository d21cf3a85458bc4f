"""Decoded and encoded media, kept while questions about them are under way.

Roles and iterations ask for the same frames and sound; they are made once, and let go when the last
question over the clip has been answered, but for the few that a memory may spare for later
questions over it. So memory goes with the number of questions under way, and not with the number
of questions.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.clip import Clip

__all__ = ["MediaMemory", "holding"]

T = TypeVar("T")

_lock = threading.RLock()
_held: Counter[str] = Counter()
_memories: WeakSet[MediaMemory[Any]] = WeakSet()


@contextmanager
def holding(clip: Clip) -> Iterator[None]:
    """Keep what is made of a clip's media until the end of the block.

    A file that cannot be read is met, and reported, by whoever decodes it.
    """
    digests = []
    for medium in clip.media:
        with suppress(MediaError):
            digests.append(medium.digest)
    with _lock:
        _held.update(digests)
    try:
        yield
    finally:
        with _lock:
            _held.subtract(digests)
            free = {digest for digest in digests if _held[digest] <= 0}
            for digest in free:
                del _held[digest]
            for memory in _memories if free else ():
                memory.release()


@dataclass(frozen=True)  # a NamedTuple cannot be generic before Python 3.11
class _Kept(Generic[T]):
    value: T
    size: int


class MediaMemory(Generic[T]):
    """What was made of media that are held, by key. Safe for threads.

    Who asks for what is being made waits for it, held or not.

    Args:
        size: the bytes that a value holds.
        most_bytes: of all values together; the least recently used goes first, and one that is
            larger is handed out and not kept.
        spare_bytes: of those, what may be kept that is no longer held; it goes before what is held.
    """

    def __init__(
        self,
        size: Callable[[T], int],
        most_bytes: int = 512 * 2**20,
        *,
        spare_bytes: int = 0,
    ) -> None:
        self._size = size
        self._most_bytes = most_bytes
        self._spare_bytes = spare_bytes
        self._kept: OrderedDict[tuple[str, Hashable], _Kept[T]] = OrderedDict()
        self._bytes = 0
        self._making: dict[tuple[str, Hashable], Future[T]] = {}
        _memories.add(self)

    def get(self, digest: str, what: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes of a medium, from memory if it is there.

        Callers share the value, and leave it as it is.

        Args:
            digest: the medium's.
            what: tells apart the things that are made of one medium.
            make: makes it.

        Raises:
            Exception: what `make` raises, to everyone who waited for it; nothing is kept of it.
        """
        key = (digest, what)
        with _lock:
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
        except BaseException as error:  # an interrupt too: whoever waits would wait for ever
            with _lock:
                del self._making[key]
            future.set_exception(error)
            raise
        with _lock:
            del self._making[key]
            self._keep(key, _Kept(value, self._size(value)))
        future.set_result(value)
        return value

    def kept(self, digest: str, what: Hashable) -> T | None:
        """Return what is kept of a medium, None if nothing is."""
        with _lock:
            kept = self._kept.get((digest, what))
            return None if kept is None else kept.value

    def replace(self, digest: str, what: Hashable, value: T) -> None:
        """Keep another value instead of the one that is kept, if one is."""
        with _lock:
            if (digest, what) in self._kept:
                self._bytes -= self._kept.pop((digest, what)).size
                self._keep((digest, what), _Kept(value, self._size(value)))

    @property
    def has_room(self) -> bool:
        """Whether what is held fills at most half of it."""
        with _lock:
            return self._bytes - self._spared() <= self._most_bytes / 2

    def release(self) -> None:
        """Let go what is no longer held, the least recently used first, but for what is spared."""
        with _lock:
            self._let_go(self._spared() - self._spare_bytes)

    def forget(self, digest: str | None = None) -> None:
        """Let go what was made of a medium, or everything."""
        with _lock:
            for key in [key for key in self._kept if digest in (None, key[0])]:
                self._bytes -= self._kept.pop(key).size

    def _keep(self, key: tuple[str, Hashable], kept: _Kept[T]) -> None:
        if kept.size > (self._most_bytes if key[0] in _held else self._spare_bytes):
            return
        self._kept[key] = kept
        self._bytes += kept.size
        self.release()
        self._let_go(self._bytes - self._most_bytes)
        while self._bytes > self._most_bytes:
            self._bytes -= self._kept.popitem(last=False)[1].size

    def _spared(self) -> int:
        return sum(kept.size for key, kept in self._kept.items() if key[0] not in _held)

    def _let_go(self, size: int) -> None:
        """Let go at least so many bytes of what is not held, as far as there are any."""
        for key in [key for key in self._kept if key[0] not in _held]:
            if size <= 0:
                return
            kept = self._kept.pop(key)
            self._bytes -= kept.size
            size -= kept.size
