"""Media that a server has already: each is sent once, and named by its content afterwards.

vLLM (0.11.1 and later) takes a `uuid` on a medium, keeps what it has made of the medium under it,
and takes the `uuid` without data from then on. What it has forgotten it refuses by name
("Cache miss for video at index 0 but data is not provided"), and is then sent again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from loguru import logger

from aurelia_plugin.errors import TransientError
from aurelia_plugin.model_wrappers.delivery.encoding import Blob

__all__ = ["KnownMedia", "Loan", "content_id"]

_FORGETFUL = 8
"""Media that a server has forgotten, from which on it is judged by what it has kept."""


def content_id(blob: Blob, fields: Mapping[str, object]) -> str:
    """Return a name for a medium as a request has it read: equal names, equal model input.

    The fields take part because of vLLM 0.32, which keeps the frames and the sound of an
    interleaved video apart, each under a digest of its own, and refuses a request for which it has
    kept only the sound ("Video doesn't have audio track"): the silence of another muted clip, a
    swapped sound, another rate of the same clip's frames. Under one name they are kept together.

    Args:
        blob: the medium.
        fields: the fields of the request that say how its media are read.
    """
    settings = json.dumps([blob.mime, fields], sort_keys=True).encode()
    return hashlib.sha256(settings + b"\n" + blob.read()).hexdigest()


@dataclass
class Loan:
    """What a request need not send.

    Attributes:
        known: the media that the server should have.
        refused: set where it has turned out not to have them, or to have no use for their names.
    """

    known: frozenset[str]
    refused: bool = False


class KnownMedia:
    """The media that one server has been sent.

    Args:
        server: its name, for messages.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._known: set[str] = set()
        self._under_way: dict[str, asyncio.Future[None]] = {}
        self._kept = self._forgotten = 0
        self._forgetful = False
        self.takes: dict[str, bool] = {}
        """Whether it takes names instead of data, by kind of medium, once that was tried."""

    def has(self, names: Iterable[str]) -> bool:
        """Whether it was sent all of these media, one at least."""
        wanted = set(names)
        return bool(wanted) and wanted <= self._known

    @asynccontextmanager
    async def lent(self, names: Iterable[str]) -> AsyncIterator[Loan]:
        """Yield which of these media need not be sent; all count as sent afterwards.

        While another request sends one of them this one waits, so that no two send the same.
        """
        wanted = frozenset(names)
        loop = asyncio.get_running_loop()
        while busy := [f for n in wanted if (f := self._under_way.get(n)) and f.get_loop() is loop]:
            await asyncio.wait(busy)
        loan = Loan(frozenset() if self._forgetful else wanted & self._known)
        sending, done = wanted - self._known, loop.create_future()
        self._under_way.update(dict.fromkeys(sending, done))
        try:
            yield loan
        except TransientError as error:
            if not error.throttled:  # another process may answer there by now
                self._forget(loan.known)
            raise
        else:
            if loan.refused:
                self._forget(loan.known)
            else:
                self._known |= wanted
                self._kept += len(loan.known)
        finally:
            for name in sending:
                self._under_way.pop(name, None)
            done.set_result(None)

    def _forget(self, names: frozenset[str]) -> None:
        self._known -= names
        self._forgotten += len(names)
        if self._forgotten > max(_FORGETFUL, self._kept) and not self._forgetful:
            self._forgetful = True
            logger.warning(
                "{} forgets media before they are asked about again: they are sent with every "
                "request. Give it a larger cache (vLLM: --mm-processor-cache-gb).",
                self._server,
            )
