"""Files at Gemini: each content uploaded once, used by every role, deleted at the end."""

from __future__ import annotations

import asyncio
import functools
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar
from weakref import WeakSet, WeakValueDictionary

from loguru import logger

from aurelia_plugin.calling.single_flight import SingleFlight
from aurelia_plugin.errors import BackendError, TransientError
from aurelia_plugin.model_wrappers.delivery.encoding import Blob

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.types import File

__all__ = ["GeminiFiles"]


_KEPT_FOR = 40 * 3600.0
"""Seconds after which a file is uploaded again: the service deletes it after 48 hours."""

T = TypeVar("T")


class InThread(Protocol):
    """Runs a function of the client in a thread, and translates its errors."""

    async def __call__(self, call: Callable[[Client], T]) -> T:
        """Return what the function returns."""
        ...


class _Uploaded(NamedTuple):
    name: str
    uri: str
    at: float


@dataclass(eq=False)
class _Account:
    """What was uploaded with one key, whichever model asked for it."""

    known: dict[str, _Uploaded] = field(default_factory=dict)
    pending: dict[str, File] = field(default_factory=dict)
    waste: list[str] = field(default_factory=list)
    flights: SingleFlight[_Uploaded] = field(default_factory=SingleFlight)
    users: WeakSet[GeminiFiles] = field(default_factory=WeakSet)


_accounts: WeakValueDictionary[str, _Account] = WeakValueDictionary()


class GeminiFiles:
    """The uploads of one backend; those of one account are shared by all that use it.

    Args:
        backend: the backend's name, for messages.
        account: names the key and the address, for instance by a digest.
        in_thread: runs a function of the client in a thread and translates its errors.
        patience: seconds that the service may take to process a file.
        poll: seconds between looks at a file's state.
    """

    def __init__(
        self,
        backend: str,
        account: str,
        in_thread: InThread,
        patience: float,
        poll: float = 1.0,
    ) -> None:
        self._backend = backend
        self._in_thread = in_thread
        self._patience = patience
        self.poll = poll
        self._account = _accounts.setdefault(account, _Account())

    async def uri(self, blob: Blob) -> str:
        """Return where the service has this content, uploading it if it has not.

        Raises:
            TransientError: if it was not ready in time.
            BackendError: if the service could not process it.
        """
        self._account.users.add(self)
        known = self._account.known.get(blob.digest)
        if known is None or time.monotonic() - known.at > _KEPT_FOR:
            known = await self._account.flights(blob.digest, lambda: self._upload(blob))
        return known.uri

    async def _upload(self, blob: Blob) -> _Uploaded:
        pending = self._account.pending
        if blob.digest not in pending:
            # A call that fails while the service is at work is repeated, the upload is not.
            pending[blob.digest] = await self._in_thread(functools.partial(self._send, blob=blob))
        file = pending[blob.digest]
        begun = time.monotonic()
        while _state(file) == "PROCESSING":
            if time.monotonic() - begun > self._patience:
                raise TransientError(
                    self._backend,
                    f"an uploaded file was not ready after {self._patience:g} s",
                    "Raise `upload_timeout`.",
                )
            await asyncio.sleep(self.poll)
            file = await self._in_thread(functools.partial(_looked_up, name=file.name))
        del pending[blob.digest]
        if _state(file) != "ACTIVE":
            raise BackendError(
                self._backend,
                f"the service could not process an uploaded {blob.kind} ({_state(file)})",
                "Check that the file plays from beginning to end.",
            )
        known = _Uploaded(file.name, file.uri, begun)
        self._account.known[blob.digest] = known
        return known

    def _send(self, client: Client, blob: Blob) -> File:
        file = _sent(client, blob)
        # Noted in the thread: the file is there even if whoever asked for it has been cancelled.
        self._account.waste.append(file.name)
        return file

    async def delete_all(self) -> None:
        """Delete what was uploaded, unless another backend of this process still uses it.

        What cannot be deleted the service drops after 48 hours.
        """
        account = self._account
        account.users.discard(self)
        if account.users:
            return
        names, account.waste = account.waste, []
        account.known.clear()
        account.pending.clear()
        for name in names:
            try:
                await self._in_thread(functools.partial(_deleted, name=name))
            except BackendError as error:
                logger.warning("{}: {} was not deleted: {}", self._backend, name, error.what)


def _sent(client: Client, blob: Blob) -> File:
    """Upload without the file's name, which may hold more than a service should know."""
    config = {"mime_type": blob.mime, "display_name": blob.digest[:12]}
    if isinstance(blob.content, bytes):
        return client.files.upload(file=io.BytesIO(blob.content), config=config)
    with blob.content.open("rb") as file:
        return client.files.upload(file=file, config=config)


def _looked_up(client: Client, name: str) -> File:
    return client.files.get(name=name)


def _deleted(client: Client, name: str) -> object:
    return client.files.delete(name=name)


def _state(file: File) -> str:
    """Return the state's name; a file without one is taken for one in the making."""
    name = getattr(file.state, "name", None) or "STATE_UNSPECIFIED"
    return "PROCESSING" if name == "STATE_UNSPECIFIED" else str(name)
