"""Services and servers that speak OpenAI's chat completions: OpenAI, vLLM, SGLang, Reka, others.

What each kind takes stands in `servers.yaml`. A video goes in as its file, as one sequence of
frames or as pictures, its soundtrack (WAV) after it unless the options say otherwise.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from aurelia_plugin.calling.backend import Prompt, Reply, Service, cut_at
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.media.audio import has_sound
from aurelia_plugin.media.clip import Clip
from aurelia_plugin.media.video import probe
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.delivery.encoding import Blob, Delivery, deliver
from aurelia_plugin.model_wrappers.openai.bodies import Bodies
from aurelia_plugin.model_wrappers.openai.client import OpenAIClient
from aurelia_plugin.model_wrappers.openai.options import OpenAIOptions
from aurelia_plugin.model_wrappers.openai.references import content_id
from aurelia_plugin.model_wrappers.openai.replies import Completion
from aurelia_plugin.model_wrappers.openai.sending import Request, Sender
from aurelia_plugin.model_wrappers.openai.servers import VIDEO_INPUTS, server
from aurelia_plugin.model_wrappers.openai.videos import video_fields
from aurelia_plugin.model_wrappers.services import Watch, key_from
from aurelia_plugin.model_wrappers.transformers.families import family_named

__all__ = ["OPTIONS", "OpenAIBackend", "OpenAIOptions", "open_backend"]

OPTIONS = OpenAIOptions


class OpenAIBackend:
    """One model behind one server.

    Raises:
        ConfigError: if the client library or a key that the service needs is missing, or there is
            no such kind of server.
    """

    def __init__(self, model: str, options: OpenAIOptions | None = None) -> None:
        self.options = options or OpenAIOptions()
        self._server = server(self.options.server).for_model(model)
        self._model = model
        self._urls = _addresses(self.options.base_url or self._server.base_url)
        self._name = f"{self.options.server}:{model}"
        for url in self._urls:
            _check_address(url, self._name)
        self._key = self._find_key()
        self.move_to(self._urls)
        self._sound = self.options.sound or self._server.sound or "none"
        self._bodies = Bodies(model, self.options, self._server, self._sound)
        self.takes = self._takes()
        self._watch = Watch(self._name, model)

    def move_to(self, urls: Sequence[str]) -> None:
        """Ask the servers at these addresses from now on, of which nothing is known yet."""
        self.addresses = tuple(urls)
        self._sender = Sender(
            self._name,
            self._model,
            self._server,
            lambda url: OpenAIClient(self._name, self._key, url, self.options.timeout),
            urls,
        )

    @functools.cached_property
    def identity(self) -> str:
        """The server's kind, the model, and what changes replies: options and forms."""
        parts = self.options.that_change_replies()
        if self._server.requests > 1:
            settled = self.takes.model_dump(include={"video", "soundtrack"})
            form = {"requests": self._server.requests, "sound": self._sound, **settled}
            parts = {**parts, "form": form}
        return f"{self._name}#{digest_of(parts)[:12]}"

    @property
    def concurrency(self) -> int:
        """As the option says, for each address."""
        return self.options.concurrency * len(self._urls)

    @property
    def service(self) -> Service:
        """The model at its addresses."""
        place = f"{self.options.server} {' '.join(self._urls)} {self._model}"
        return Service(place, self._model, self.options.timeout, self.options.room_for_thinking)

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt.

        Raises:
            MediaError: if a medium cannot be decoded.
            TransientError: after a failure that may pass.
            BackendError: if the server refuses, blocks, or answers without text.
        """
        send = await self.prepare(prompt)
        return await send()

    async def prepare(self, prompt: Prompt) -> Callable[[], Awaitable[Reply]]:
        """Return what sends the prompt; media are encoded off the event loop.

        Raises:
            MediaError: if a medium cannot be decoded.
        """
        if prompt.clip.media:
            delivery, request = await asyncio.to_thread(self._request, prompt)
        else:  # sooner built than handed to a thread, and a slot that is free is not given away
            delivery, request = self._request(prompt)

        async def send() -> Reply:
            return self._reply(await self._sender(request), prompt, delivery)

        return send

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()

    def delivery(self, prompt: Prompt) -> Delivery:
        """Return the prompt's media in the form that the server takes.

        The server interleaves soundtracks for all videos of a request or for none, at one rate of
        frames, and only where there is no other sound: else they go after the frames, and the
        evidence says so. So does that of a video with fewer frames than a step has.
        """
        takes = self.takes
        if takes.soundtrack == "interleaved" and not _can_be_interleaved(prompt.clip, takes):
            video = VIDEO_INPUTS[self.options.video or self._server.video]
            takes = takes.model_copy(update={"soundtrack": "after", "video": video})
        return deliver(prompt, takes)

    def _takes(self) -> Capabilities:
        """Return what the server takes, as the options have it.

        Raises:
            ConfigError: if the server cannot do what they ask for.
        """
        options, own = self.options, self._server.takes
        hears = self._sound != "none"
        soundtrack = options.soundtrack
        if soundtrack is None:
            soundtrack = family_named(self._model).soundtrack
            if soundtrack == "interleaved" and not self._interleaves():
                soundtrack = "after"
        elif soundtrack == "interleaved" and not self._interleaves():
            raise ConfigError(
                f"{self._name}: soundtrack=interleaved cannot be asked of server={options.server}"
                f"{' with video=' + options.video if options.video else ''}.",
                "Use soundtrack=after or before; server=vllm with video=file interleaves.",
            )
        soundtrack = soundtrack if hears else "none"
        form = options.video or ("file" if soundtrack == "interleaved" else self._server.video)
        changes = {
            "video": VIDEO_INPUTS[form],
            "images": form != "none",
            "soundtrack": soundtrack,
            "sounds": None if hears else 0,
            "max_frames": options.max_frames,
            "frame_step": self._server.step_frames if soundtrack == "interleaved" else 1,
            "longest_side": options.longest_side,
            "min_pixels": options.min_pixels,
            "max_pixels": options.max_pixels,
        }
        return own.model_copy(update=changes)

    def _interleaves(self) -> bool:
        return bool(self._server.interleaved_body) and self.options.video in (None, "file")

    def _request(self, prompt: Prompt) -> tuple[Delivery, Request]:
        delivery = self.delivery(prompt)
        interleaved = "interleaved" in delivery.evidence.soundtrack
        fields = self._video_fields(delivery, interleaved=interleaved)
        names = self._names(delivery, fields, interleaved=interleaved)

        def body(known: frozenset[str]) -> Mapping[str, object]:
            return self._bodies(prompt, delivery, fields, names, known)

        # The server takes an interleaved soundtrack out of the video's data.
        forms = {
            name: self._bodies.form(blob)
            for blob, name in names.items()
            if self._server.forgotten and not (interleaved and blob.kind == "video")
        }
        request = Request(forms, bool(self._special & fields.keys()), body)
        request.make(self._sender.known(list(forms)))
        return delivery, request

    @functools.cached_property
    def _special(self) -> frozenset[str]:
        """Fields that a server may refuse to everybody."""
        server = self._server
        paths = (server.processor_body, server.frames_body)
        return frozenset([*server.interleaved_body, *(path[0] for path in paths if path)])

    def _video_fields(self, delivery: Delivery, *, interleaved: bool) -> dict[str, object]:
        videos = [blob for blob in delivery.blobs if blob.kind == "video"]
        return video_fields(videos, self.options, self._server, interleaved=interleaved)

    def _names(
        self, delivery: Delivery, fields: Mapping[str, object], *, interleaved: bool
    ) -> dict[Blob, str]:
        """Return the names that media are sent with."""
        blobs = delivery.blobs
        if not self._server.forgotten:
            blobs = [blob for blob in blobs if interleaved and blob.kind == "video"]
        return {blob: content_id(blob, fields) for blob in blobs}

    def _find_key(self) -> str:
        """A server of the user's own may do without a key; a service's own address may not."""
        name = self.options.key_env or self._server.key
        if name is None:
            return ""
        own = self._server.base_url
        needed = own in self._urls and own.startswith("https")
        return key_from([name], self._name, needed=needed or self.options.key_env is not None)

    def _reply(self, completion: Completion, prompt: Prompt, delivery: Delivery) -> Reply:
        text = cut_at(completion.text, prompt.generation.until).strip()
        self._watch.read(text, self._bodies.schema(prompt))
        if completion.cut:
            self._watch.cut()
        return Reply(
            text=text,
            usage=completion.usage,
            evidence=delivery.evidence,
            model=self._watch.served(completion.model),
        )


def _can_be_interleaved(clip: Clip, takes: Capabilities) -> bool:
    """Whether each sound is the soundtrack of a video, and all videos last as long as one."""
    if clip.audios or not all(has_sound(video) for video in clip.videos):
        return False
    found = [probe(video) for video in clip.videos]
    frames = [round(one.seconds * one.frame_rate) for one in found]
    if min([*frames, takes.max_frames or takes.frame_step]) < takes.frame_step:
        return False
    seconds = [one.seconds for one in found]
    return max(seconds, default=0.0) <= 1.01 * min(seconds, default=0.0)


def _check_address(url: str, name: str) -> None:
    """Raise a `ConfigError` if a server cannot be asked there."""
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        fix = "Write it as http://HOST:PORT/v1."
        raise ConfigError(f"{name}: base_url is no address: {error}.", fix) from None
    if parts.username or parts.query:
        raise ConfigError(
            f"{name}: base_url holds a user name or a query.",
            "Leave it out; keys come from the environment.",
        )
    if parts.scheme not in ("http", "https") or not known:
        raise ConfigError(
            f"{name}: base_url={url} does not begin with http://HOST or https://HOST.",
            "Write it as http://HOST:PORT/v1.",
        )


def _addresses(text: str) -> tuple[str, ...]:
    """Return the addresses of a list such as `http://a/v1|http://b/v1`, each once."""
    return tuple(dict.fromkeys(url.strip().rstrip("/") for url in text.split("|") if url.strip()))


def open_backend(model: str, options: OpenAIOptions) -> OpenAIBackend:
    """Return the backend of `openai:MODEL`."""
    return OpenAIBackend(model, options)
