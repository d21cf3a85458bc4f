"""Services and servers that speak OpenAI's chat completions: OpenAI, vLLM, SGLang, Reka, others.

What each kind takes stands in `servers.yaml`. A video goes in as its file, as one sequence of
frames or as pictures, its soundtrack (WAV) after it unless the options say otherwise.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aurelia_plugin.calling.backend import Prompt, Reply, Service, Text, cut_at
from aurelia_plugin.errors import BackendError, ConfigError, TransientError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.media.audio import has_sound
from aurelia_plugin.media.clip import Clip
from aurelia_plugin.media.video import probe
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.delivery.encoding import Blob, Delivery, deliver
from aurelia_plugin.model_wrappers.openai.client import OpenAIClient
from aurelia_plugin.model_wrappers.openai.endpoints import Endpoints
from aurelia_plugin.model_wrappers.openai.options import OpenAIOptions
from aurelia_plugin.model_wrappers.openai.replies import Completion
from aurelia_plugin.model_wrappers.openai.servers import VIDEO_INPUTS, server
from aurelia_plugin.model_wrappers.openai.videos import video_fields, video_name
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
        if any(urlsplit(url).username or urlsplit(url).query for url in self._urls):
            raise ConfigError(
                f"{self._name}: base_url holds a user name or a query.",
                "Leave it out; keys come from the environment.",
            )
        key = self._find_key()
        self._endpoints = Endpoints(
            {url: OpenAIClient(self._name, key, url, self.options.timeout) for url in self._urls}
        )
        self._sound = self.options.sound or self._server.sound or "none"
        self.takes = self._takes()
        self._refused: str | None = None
        self._watch = Watch(self._name, model)

    @functools.cached_property
    def identity(self) -> str:
        """The server's kind, the model and the options that change replies."""
        return f"{self._name}#{digest_of(self.options.that_change_replies())[:12]}"

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
        """Return what sends the prompt, encoded off the event loop.

        Raises:
            MediaError: if a medium cannot be decoded.
        """
        delivery, content, special = await asyncio.to_thread(self._request, prompt)

        async def send() -> Reply:
            completion = await self._sent(content, special)
            return self._reply(completion, prompt, delivery)

        return send

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoints.close()

    def delivery(self, prompt: Prompt) -> Delivery:
        """Return the prompt's media in the form that the server takes.

        The server interleaves soundtracks for all videos of a request or for none, at one rate of
        frames, and only where there is no other sound: else they go after the frames, and the
        evidence says so.
        """
        takes = self.takes
        if takes.soundtrack == "interleaved" and not _can_be_interleaved(prompt.clip):
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
            "longest_side": options.longest_side,
            "min_pixels": options.min_pixels,
            "max_pixels": options.max_pixels,
        }
        return own.model_copy(update=changes)

    def _interleaves(self) -> bool:
        return bool(self._server.interleaved_body) and self.options.video in (None, "file")

    async def _sent(self, content: bytes, special: bool) -> Completion:
        """Return the completion; what a server refuses to everybody is asked for once.

        Args:
            content: the request.
            special: whether it has fields that a server may have to be started for.
        """
        if special and self._refused is not None:
            raise self._refusal(self._refused)
        try:
            return await self._endpoints(lambda client: client(content))
        except TransientError:
            raise
        except BackendError as error:
            if special and self._server.refusal and self._server.refusal in error.what:
                self._refused = error.what
                raise self._refusal(error.what) from None
            raise

    def _refusal(self, said: str) -> BackendError:
        most = self._server.sequence_frames
        options = f"soundtrack=interleaved, video=file, min_pixels, max_pixels, max_frames > {most}"
        return BackendError(
            self._name,
            f"the server refuses what these options need ({options}): {said}",
            f"Start the server with --{self._server.refusal}, or set soundtrack=after and leave "
            "the others out.",
        )

    def _request(self, prompt: Prompt) -> tuple[Delivery, bytes, bool]:
        delivery = self.delivery(prompt)
        body = self.body(prompt, delivery)
        # Half a character cannot be sent: it becomes a question mark.
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        special = any(name in body for name in self._special)
        return delivery, text.encode("utf-8", "replace"), special

    @functools.cached_property
    def _special(self) -> frozenset[str]:
        """Fields that a server may refuse to everybody."""
        server = self._server
        paths = (server.processor_body, server.frames_body)
        return frozenset([*server.interleaved_body, *(path[0] for path in paths if path)])

    def body(self, prompt: Prompt, delivery: Delivery) -> dict[str, Any]:
        """Return the request."""
        videos = [blob for blob in delivery.blobs if blob.kind == "video"]
        interleaved = "interleaved" in delivery.evidence.soundtrack
        fields = video_fields(videos, self.options, self._server, interleaved=interleaved)
        names = {blob: video_name(blob, fields) for blob in videos if interleaved}
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": turn.role, "content": [self._part(part, names) for part in turn.parts]}
                for turn in delivery.turns
            ],
            **self._decoding(prompt),
        }
        if self._schema(prompt) is not None:
            form = {"name": "reply", "schema": self._schema(prompt), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        asked = prompt.generation
        if self._server.top_k and asked.temperature > 0 and asked.top_k is not None:
            body["top_k"] = asked.top_k
        return {**self._server.body, **body, **fields}

    def _find_key(self) -> str:
        """A server of the user's own may do without a key; a service's own address may not."""
        name = self.options.key_env or self._server.key
        if name is None:
            return ""
        own = self._server.base_url
        needed = own in self._urls and own.startswith("https")
        return key_from([name], self._name, needed=needed or self.options.key_env is not None)

    def _schema(self, prompt: Prompt) -> Mapping[str, Any] | None:
        sent = self.options.json_schema
        takes = self._server.schema_form is not None if sent is None else sent
        return dict(prompt.schema) if prompt.schema is not None and takes else None

    def _decoding(self, prompt: Prompt) -> dict[str, Any]:
        asked, options = prompt.generation, self.options
        limit = min(asked.max_new_tokens, options.max_new_tokens or asked.max_new_tokens)
        fields: dict[str, Any] = {self._server.limit: limit + options.room_for_thinking}
        if options.fixed_temperature:
            return fields
        # Greedy has to be asked for: the servers' own default is 1.
        fields["temperature"] = asked.temperature
        if asked.temperature > 0:
            fields["seed"] = asked.seed
            if asked.top_p is not None:
                fields["top_p"] = asked.top_p
        return fields

    def _part(self, part: Text | Blob, names: Mapping[Blob, str]) -> dict[str, Any]:
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        if part.kind == "image":
            return {"type": "image_url", "image_url": {"url": part.data_url()}}
        if part.kind == "video":
            named = {"uuid": names[part]} if part in names else {}
            return {"type": "video_url", "video_url": {"url": part.data_url()}, **named}
        if self._sound == "audio_url":
            return {"type": "audio_url", "audio_url": {"url": part.data_url()}}
        return {"type": "input_audio", "input_audio": {"data": part.base64(), "format": "wav"}}

    def _reply(self, completion: Completion, prompt: Prompt, delivery: Delivery) -> Reply:
        text = cut_at(completion.text, prompt.generation.until).strip()
        self._watch.read(text, self._schema(prompt))
        if completion.cut:
            self._watch.cut()
        return Reply(
            text=text,
            usage=completion.usage,
            evidence=delivery.evidence,
            model=self._watch.served(completion.model),
        )


def _can_be_interleaved(clip: Clip) -> bool:
    """Whether each sound is the soundtrack of a video, and all videos last as long as one."""
    if clip.audios or not all(has_sound(video) for video in clip.videos):
        return False
    seconds = [probe(video).seconds for video in clip.videos]
    return max(seconds, default=0.0) <= 1.01 * min(seconds, default=0.0)


def _addresses(text: str) -> tuple[str, ...]:
    """Return the addresses of a list such as `http://a/v1|http://b/v1`, each once."""
    return tuple(dict.fromkeys(url.strip().rstrip("/") for url in text.split("|") if url.strip()))


def open_backend(model: str, options: OpenAIOptions) -> OpenAIBackend:
    """Return the backend of `openai:MODEL`."""
    return OpenAIBackend(model, options)
