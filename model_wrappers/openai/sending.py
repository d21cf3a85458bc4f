"""Requests on their way to one or several servers: media sent once, refusals learnt once."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from aurelia_plugin.errors import BackendError, TransientError
from aurelia_plugin.model_wrappers.openai.client import OpenAIClient
from aurelia_plugin.model_wrappers.openai.endpoints import Endpoints
from aurelia_plugin.model_wrappers.openai.references import KnownMedia
from aurelia_plugin.model_wrappers.openai.replies import Completion
from aurelia_plugin.model_wrappers.openai.servers import Server

__all__ = ["Request", "Sender", "encoded", "named_part"]

Json = Mapping[str, object]


def encoded(body: Json) -> bytes:
    """Return a request's body as JSON; half a character cannot be sent, and becomes a `?`."""
    import orjson

    try:
        return orjson.dumps(body)
    except TypeError:  # what it does not take: half a character, a key that is no text
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8", "replace")


def named_part(form: str, name: str) -> dict[str, object]:
    """Return a part that names a medium and does not send it.

    Args:
        form: the type of the part, such as `video_url`.
        name: the medium's `uuid`.
    """
    return {"type": form, form: None, "uuid": name}


class Request:
    """A request whose media may be left out where the server has them.

    Args:
        forms: the type of each medium's part by the medium's name, of those that may be left out.
        special: whether it has fields that a server may have to be started for.
        body: makes the request's body; the media that it is given are named only.
    """

    def __init__(
        self,
        forms: Mapping[str, str],
        special: bool,
        body: Callable[[frozenset[str]], Json],
    ) -> None:
        self.forms = forms
        self.special = special
        self._body = body
        self._made: dict[frozenset[str], bytes] = {}

    def make(self, known: frozenset[str]) -> bytes:
        """Return what is sent to a server that has these media."""
        if known not in self._made:
            self._made = {known: encoded(self._body(known))}
        return self._made[known]

    async def made(self, known: frozenset[str]) -> bytes:
        """Return the same, made off the event loop unless it is there."""
        if known in self._made:
            return self._made[known]
        return await asyncio.to_thread(self.make, known)


class _Place(NamedTuple):
    """A server, and what it has been sent."""

    client: OpenAIClient
    media: KnownMedia


class Sender:
    """Sends requests.

    Args:
        name: the backend's name, for messages.
        model: the model, as servers know it.
        server: what servers of this kind take.
        open_client: opens the client of an address.
        urls: the addresses.
    """

    def __init__(
        self,
        name: str,
        model: str,
        server: Server,
        open_client: Callable[[str], OpenAIClient],
        urls: Sequence[str],
    ) -> None:
        self._name = name
        self._model = model
        self._server = server
        self._refused: str | None = None
        self._places = [_Place(open_client(url), KnownMedia(url)) for url in urls]
        self._endpoints = Endpoints(dict(zip(urls, self._places, strict=True)))

    def known(self, names: Sequence[str]) -> frozenset[str]:
        """Return these media if a server has all of them, else none: a guess ahead of sending."""
        some = any(place.media.has(names) for place in self._places)
        return frozenset(names) if some else frozenset()

    async def __call__(self, request: Request) -> Completion:
        """Return the completion; what a server refuses to everybody is asked for once.

        Raises:
            TransientError: after a failure that may pass.
            BackendError: after one that may not.
        """
        if request.special and self._refused is not None:
            raise self._refusal(self._refused)
        try:
            return await self._endpoints(
                lambda place: self._sent(place, request),
                lambda place: place.media.has(request.forms),
            )
        except TransientError:
            raise
        except BackendError as error:
            said = error.what.removeprefix(f"{error.backend}: ")
            if request.special and self._server.refusal and self._server.refusal in said:
                self._refused = said
                raise self._refusal(said) from None
            if fix := self._server.fix(said):
                raise BackendError(error.backend, said, fix) from None
            raise

    async def close(self) -> None:
        """Close the connections to every server."""
        for place in self._places:
            await place.client.close()

    async def _sent(self, place: _Place, request: Request) -> Completion:
        while True:
            async with place.media.lent(request.forms) as loan:
                if not await self._takes_names(place, request, loan.known):
                    loan.known = frozenset()
                try:
                    return await place.client(await request.made(loan.known))
                except TransientError:
                    raise
                except BackendError as error:
                    # Forgotten, or refused for what a name has to do with; unless it says more.
                    if not loan.known or self._server.fix(error.what):
                        raise
                    loan.refused = True

    async def _takes_names(self, place: _Place, request: Request, known: frozenset[str]) -> bool:
        """Whether the server takes the names of these media instead of their data.

        Tried once for each kind, with a name that no server can know: only one that refuses it as
        forgotten can be trusted to answer about the medium, and not about nothing.
        """
        for form in {request.forms[name] for name in known}:
            if form not in place.media.takes:
                parts = [named_part(form, uuid.uuid4().hex), {"type": "text", "text": "?"}]
                body = {
                    "model": self._model,
                    "messages": [{"role": "user", "content": parts}],
                    self._server.limit: 1,
                }
                try:
                    await place.client(encoded(body))
                except TransientError:
                    return False  # tried again with the next request
                except BackendError as error:
                    place.media.takes[form] = self._is_forgotten(error)
                else:
                    place.media.takes[form] = False
        return all(place.media.takes[request.forms[name]] for name in known)

    def _is_forgotten(self, error: BackendError) -> bool:
        words = self._server.forgotten
        return words is not None and re.search(words, error.what, re.IGNORECASE) is not None

    def _refusal(self, said: str) -> BackendError:
        most = self._server.sequence_frames
        options = f"soundtrack=interleaved, video=file, min_pixels, max_pixels, max_frames > {most}"
        return BackendError(
            self._name,
            f"the server refuses what these options need ({options}): {said}",
            f"Start the server with --{self._server.refusal}, or set soundtrack=after and leave "
            "the others out.",
        )
