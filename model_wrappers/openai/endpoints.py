"""Several servers of one model behind one backend: evenly used, a dead one left out for a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from loguru import logger

from aurelia_plugin.errors import TransientError

__all__ = ["Endpoints"]


_FIRST_REST_S = 5.0
_LONGEST_REST_S = 120.0
_LEAD = 2
"""Calls that a server which has a call's media may have under way beyond another."""

ClientT = TypeVar("ClientT")
T = TypeVar("T")


@dataclass(eq=False)
class _Place(Generic[ClientT]):
    """One server.

    Attributes:
        under_way: calls to it now.
        begun: calls to it in all.
        failed: in a row.
        rests_until: when it is tried again.
    """

    name: str
    client: ClientT
    under_way: int = 0
    begun: int = 0
    failed: int = 0
    rests_until: float = float("-inf")


class Endpoints(Generic[ClientT]):
    """Chooses a server for each call: the one with the fewest under way, then the least used.

    A server that has what a call is about may have two calls more than others: it need not be sent
    the media, and has the beginning of the prompt in its cache.

    A server that fails is left out for five seconds, then for twice as long each time, up to two
    minutes, and is then tried with real calls. Where all are left out, the one whose rest ends
    first is asked: a call is never refused here.

    Args:
        clients: one for each server, by the name that is logged.
        clock: seconds, never going back.
    """

    def __init__(
        self, clients: Mapping[str, ClientT], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._places = [_Place(name, client) for name, client in clients.items()]
        self._clock = clock

    async def __call__(
        self,
        ask: Callable[[ClientT], Awaitable[T]],
        knows: Callable[[ClientT], bool] = lambda client: False,
    ) -> T:
        """Return what `ask` returns for one of the servers.

        Args:
            ask: makes the call.
            knows: whether a server has what the call is about.

        A server that did no work for the call (it could not be reached, or answered with a server
        error) is followed by another one at once. What may have cost something is raised, to be
        paid for and repeated by whoever counts.

        Raises:
            TransientError: when no server was left to try, or it says so.
            Exception: what `ask` raised otherwise.
        """
        waiting = list(self._places)
        while True:
            place = self._chosen(waiting, knows)
            waiting.remove(place)
            place.begun += 1
            place.under_way += 1
            try:
                result = await ask(place.client)
            except TransientError as error:
                if error.throttled:  # busy is not dead
                    raise
                self._rest(place, error)
                if error.charged or not waiting:
                    raise
            else:
                self._back(place)
                return result
            finally:
                place.under_way -= 1

    def _chosen(
        self, places: Sequence[_Place[ClientT]], knows: Callable[[ClientT], bool]
    ) -> _Place[ClientT]:
        now = self._clock()
        awake = [place for place in places if place.rests_until <= now]
        if not awake:
            return min(places, key=lambda place: place.rests_until)
        if len(awake) == 1:
            return awake[0]
        lead = {place: _LEAD if knows(place.client) else 0 for place in awake}
        return min(awake, key=lambda place: (place.under_way - lead[place], place.begun))

    def _rest(self, place: _Place[ClientT], error: TransientError) -> None:
        now = self._clock()
        if place.rests_until > now:  # calls that began before it was left out
            return
        seconds = min(_LONGEST_REST_S, _FIRST_REST_S * 2**place.failed)
        place.failed += 1
        place.rests_until = now + seconds
        if len(self._places) > 1:
            logger.warning("{} is left out for {:g} s: {}", place.name, seconds, error.what)

    def _back(self, place: _Place[ClientT]) -> None:
        if place.failed and len(self._places) > 1:
            logger.warning("{} answers again", place.name)
            # It has missed what the others did meanwhile, and is not to make up for it at once.
            place.begun = max(other.begun for other in self._places)
        place.failed, place.rests_until = 0, float("-inf")
