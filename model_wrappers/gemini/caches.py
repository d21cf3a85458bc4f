"""Context caching at Gemini: the media of a clip that is asked about often are kept there.

The service keeps prefixes of requests by itself and charges a tenth for what it finds again,
without a promise. What it is told to keep is found again for certain, is read once more at the full
price, and costs storage: so a clip is kept after calls about it were read at the full price, and
never where the service finds it again by itself.

Source: https://ai.google.dev/gemini-api/docs/caching (a minimum of 1,024 or 4,096 tokens by model;
a request that names a cache may not have a system instruction of its own).
"""

from __future__ import annotations

import functools
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from loguru import logger

from aurelia_plugin.calling.backend import Usage
from aurelia_plugin.calling.single_flight import SingleFlight
from aurelia_plugin.errors import BackendError, TransientError
from aurelia_plugin.model_wrappers.gemini.client import library
from aurelia_plugin.model_wrappers.gemini.prefixes import Prefix

__all__ = ["GeminiCaches", "Kept"]

TTL_S = 300
"""Seconds for which the service keeps a clip from the last order to do so."""

_SPARE_S = 30.0
"""A cache that ends so soon is not used any more: a call may take as long."""

_LEAST_TOKENS = 1024
"""No model keeps less; some want more, and say so."""

_HALF = 0.5
"""Calls count as read at the full price when the service found less than this of them again."""

T = TypeVar("T")


class InThread(Protocol):
    """Runs a function of the client in a thread and translates its errors."""

    def __call__(self, call: Callable[..., T]) -> Awaitable[T]:
        """Return what the call returns."""


class Kept(NamedTuple):
    """A clip at the service.

    Attributes:
        name: its resource name.
        until: when it ends, by `time.monotonic`.
        usage: what keeping it cost, for the call that ordered it.
    """

    name: str
    until: float
    usage: Usage


@dataclass
class _Seen:
    """What calls about one clip have cost.

    Attributes:
        full: calls in a row that were read at the full price.
        tokens: the most that such a call had.
    """

    full: int = 0
    tokens: int = 0


class GeminiCaches:
    """The clips that one backend has the service keep.

    Args:
        backend: the backend's name, for messages.
        model: the service's id; a clip is kept for one model.
        in_thread: runs a function of the client.
        after: calls about a clip that are read at the full price before it is kept; 0 for never.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        backend: str,
        model: str,
        in_thread: InThread,
        after: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._model = model
        self._in_thread = in_thread
        self._after = after
        self._clock = clock
        self._least = _LEAST_TOKENS
        self._seen: dict[str, _Seen] = defaultdict(_Seen)
        self._kept: dict[str, Kept] = {}
        self._flights: SingleFlight[Kept | None] = SingleFlight()
        self._off = after < 1

    def pays(self, key: str) -> bool:
        """Whether the next call about this clip orders the service to keep it."""
        if self._off or self._alive(key) is not None:
            return False
        seen = self._seen.get(key)
        return seen is not None and seen.full >= self._after and seen.tokens >= self._least

    async def get(self, prefix: Prefix) -> tuple[Kept | None, Usage]:
        """Return the clip at the service, ordered now where that pays, and what ordering cost.

        A service that does not keep things is asked once: calls go on without.
        """
        kept = self._alive(prefix.key)
        if kept is not None or not prefix.contents or not self.pays(prefix.key):
            return kept, Usage()
        kept = await self._flights(prefix.key, lambda: self._order(prefix))
        if kept is None or self._kept.get(prefix.key) is not kept:
            return kept, Usage()
        # The first of the calls that waited for the order pays for it.
        self._kept[prefix.key] = kept._replace(usage=Usage())
        return kept, kept.usage

    def took(self, key: str, usage: Usage) -> None:
        """Learn from what a call about a clip cost."""
        seen = self._seen[key]
        found = usage.cached_tokens > _HALF * usage.input_tokens
        seen.full = 0 if found else seen.full + 1
        seen.tokens = max(seen.tokens, usage.input_tokens)

    def forget(self, key: str) -> bool:
        """Drop a clip that the service does not have any more; whether there was one."""
        return self._kept.pop(key, None) is not None

    async def delete_all(self) -> None:
        """Delete what is kept; what cannot be deleted ends by itself."""
        kept, self._kept = self._kept, {}
        self._seen.clear()
        for one in kept.values():
            try:
                await self._in_thread(functools.partial(_deleted, name=one.name))
            except BackendError as error:
                logger.warning("{}: {} was not deleted: {}", self._backend, one.name, error.what)

    def _alive(self, key: str) -> Kept | None:
        kept = self._kept.get(key)
        return kept if kept is not None and kept.until - self._clock() > _SPARE_S else None

    async def _order(self, prefix: Prefix) -> Kept | None:
        begun = self._clock()
        try:
            cache = await self._in_thread(functools.partial(_ordered, self._model, prefix))
        except TransientError:
            return None  # the call itself says what is wrong, or the next one orders again
        except BackendError as error:
            self._refused(prefix.key, error)
            return None
        tokens = int(getattr(cache.usage_metadata, "total_token_count", None) or 0)
        usage = Usage(input_tokens=tokens, stored_token_hours=tokens * TTL_S / 3600)
        kept = Kept(str(cache.name), begun + TTL_S, usage)
        self._kept[prefix.key] = kept
        return kept

    def _refused(self, key: str, error: BackendError) -> None:
        least = re.search(r"min_total_token_count\D{0,3}(\d{1,9})", error.what)
        if least:
            self._least = max(self._least, int(least[1]))
            self._seen[key].full = 0
            return
        self._off = True
        logger.warning("{}: clips are not kept at the service: {}", self._backend, error.what)


class _Cache(Protocol):
    name: str | None
    usage_metadata: object


class _Caches(Protocol):
    def create(self, *, model: str, config: object) -> _Cache: ...

    def delete(self, *, name: str) -> object: ...


class _Client(Protocol):
    caches: _Caches


def _ordered(model: str, prefix: Prefix, client: _Client) -> _Cache:
    config = library().types.CreateCachedContentConfig(
        contents=prefix.contents,
        system_instruction=prefix.system or None,
        ttl=f"{TTL_S}s",
        display_name=prefix.key[:12],
    )
    return client.caches.create(model=model, config=config)


def _deleted(client: _Client, name: str) -> object:
    return client.caches.delete(name=name)
