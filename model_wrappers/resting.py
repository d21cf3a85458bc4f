"""Backends whose loaded models stay between the runs of one process."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, runtime_checkable

from aurelia_plugin.calling.backend import Backend

__all__ = ["RESTING", "Resting", "RestingBackends"]


@runtime_checkable
class Resting(Protocol):
    """A backend that can wait, its model loaded, for another run of the same process."""

    async def rest(self) -> bool:
        """Release what only the ended run needs; return whether the rest can be used again."""


class RestingBackends:
    """The backends of ended runs, each by what it was opened with.

    None is taken in before it is told to `welcome` them: a process that evaluates once releases
    everything at its end.
    """

    def __init__(self) -> None:
        self._open = False
        self._resting: dict[Hashable, Backend] = {}

    def welcome(self) -> None:
        """From now on, take in backends."""
        self._open = True

    def take(self, place: Hashable) -> Backend | None:
        """Return the backend that was opened with this, if one rests here; it leaves."""
        return self._resting.pop(place, None)

    async def leave(self, place: Hashable, backend: Backend) -> None:
        """Take a backend in if it can rest, else close it."""
        if self._open and isinstance(backend, Resting) and await backend.rest():
            self._resting[place] = backend
        else:
            await backend.close()

    async def close(self) -> None:
        """Close all that rest here."""
        while self._resting:
            _, backend = self._resting.popitem()
            await backend.close()


RESTING = RestingBackends()
"""This process's."""
