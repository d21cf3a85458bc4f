"""Gemini through Google's own client: videos whole, with their sound.

Source of limits and behaviour: https://ai.google.dev/gemini-api/docs (video: one frame a second and
its soundtrack; files are kept for 48 hours; a request holds at most 20 MB).
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aurelia_plugin.calling.backend import Prompt, Reply, Service, Text, Usage, cut_at
from aurelia_plugin.errors import BackendError, ConfigError, TransientError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.delivery.encoding import Blob, Delivery, deliver
from aurelia_plugin.model_wrappers.gemini.caches import GeminiCaches
from aurelia_plugin.model_wrappers.gemini.client import GeminiClient, library
from aurelia_plugin.model_wrappers.gemini.options import GeminiOptions
from aurelia_plugin.model_wrappers.gemini.prefixes import clip_key, split
from aurelia_plugin.model_wrappers.gemini.uploads import GeminiFiles
from aurelia_plugin.model_wrappers.services import Watch, key_from

if TYPE_CHECKING:
    from google.genai.types import GenerateContentConfig, GenerateContentResponse, Part

__all__ = ["OPTIONS", "GeminiBackend", "GeminiOptions", "open_backend"]

_KEYS = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
_ROLES = {"user": "user", "assistant": "model"}
_FINISHED = ("STOP", "MAX_TOKENS")
_BROKEN_OFF = (
    "FINISH_REASON_UNSPECIFIED",
    "OTHER",
    "MALFORMED_RESPONSE",
    "MALFORMED_FUNCTION_CALL",
)
"""Ends that the service gives no reason for, and that another attempt may not have."""


OPTIONS = GeminiOptions


class GeminiBackend:
    """One Gemini model.

    Args:
        model: the service's id, for example `gemini-3.8-flash`.

    Raises:
        ConfigError: if the client library or the key is missing.
    """

    def __init__(self, model: str, options: GeminiOptions | None = None) -> None:
        self._model = model.removeprefix("models/")
        self._name = f"gemini:{self._model}"
        self.options = options or GeminiOptions()
        if self.options.base_url and urlsplit(self.options.base_url).username:
            raise ConfigError(f"{self._name}: base_url holds a user name.", "Leave it out.")
        self.takes = self._takes()
        library()
        key = key_from(_KEYS, self._name)
        self._watch = Watch(self._name, self._model)
        self._client = GeminiClient(
            self._name, key, self.options.base_url, self.options.timeout, self.concurrency
        )
        account = digest_of([key, self.options.base_url])
        self._files = GeminiFiles(self._name, account, self._client, self.options.upload_timeout)
        self._caches = GeminiCaches(self._name, self._model, self._client, self.options.cache_after)

    @functools.cached_property
    def identity(self) -> str:
        """The model and the options that change replies."""
        return f"{self._name}#{digest_of(self.options.that_change_replies())[:12]}"

    @property
    def concurrency(self) -> int:
        """As the option says."""
        return self.options.concurrency

    @property
    def service(self) -> Service:
        """The model at Google, or at the proxy; a call may have to upload a video first, and may
        tell the service to keep it, which reads it once more."""
        options = self.options
        place = f"gemini {options.base_url or ''} {self._model}"
        seconds = options.timeout + options.upload_timeout
        return Service(
            place, self._model, seconds, options.room_for_thinking, requests=self._requests
        )

    def _requests(self, prompt: Prompt) -> int:
        return 2 if self._caches.pays(clip_key(prompt)) else 1

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt.

        Raises:
            MediaError: if a medium cannot be decoded.
            TransientError: after a failure that may pass.
            BackendError: if the service refuses, blocks, or answers without text.
        """
        send = await self.prepare(prompt)
        return await send()

    async def prepare(self, prompt: Prompt) -> Callable[[], Awaitable[Reply]]:
        """Return what sends the prompt, its media decoded off the event loop.

        Raises:
            MediaError: if a medium cannot be decoded.
        """
        delivery = await asyncio.to_thread(deliver, prompt, self.takes)
        key = clip_key(prompt)

        async def send() -> Reply:
            response, ordered = await self._asked(prompt, delivery, key)
            reply = self._reply(response, prompt, delivery)
            self._caches.took(key, reply.usage)
            return reply.model_copy(update={"usage": reply.usage + ordered})

        return send

    async def _asked(
        self, prompt: Prompt, delivery: Delivery, key: str
    ) -> tuple[GenerateContentResponse, Usage]:
        """Return the service's response, and what keeping the clip there cost besides."""
        contents, system = await self._contents(delivery)
        prefix, rest = split(contents, system, key)
        kept, ordered = await self._caches.get(prefix)
        if kept is not None:
            try:
                return await self._generated(rest, self._config(prompt, "", kept.name)), ordered
            except TransientError:
                raise
            except BackendError as error:
                # It ended before its time, or was deleted: HTTP 403 or 404 with these words.
                if "cachedcontent" not in error.what.lower().replace(" ", ""):
                    raise
                self._caches.forget(key)
        return await self._generated(contents, self._config(prompt, system)), ordered

    async def _generated(
        self, contents: list[Part], config: GenerateContentConfig
    ) -> GenerateContentResponse:
        return await self._client(
            lambda client: client.models.generate_content(
                model=self._model, contents=contents, config=config
            )
        )

    async def close(self) -> None:
        """Delete what the service keeps and release the client."""
        if self._client.opened:
            await self._caches.delete_all()
            await self._files.delete_all()
            self._client.close()

    def _takes(self) -> Capabilities:
        """Return what the service takes, as the options have it.

        Raises:
            ConfigError: if soundtracks are to be interleaved with frames that are sent apart.
        """
        options = self.options
        whole = options.video == "file"
        if options.soundtrack == "interleaved" and not whole:
            raise ConfigError(
                f"{self._name}: soundtrack=interleaved needs video=file.",
                "Leave one of them out.",
            )
        return Capabilities(
            video="file" if whole else "images",
            soundtrack=options.soundtrack or ("interleaved" if whole else "after"),
            hears_files=True,
            max_frames=None if whole else options.max_frames,
            fps=1.0 if whole else None,
            longest_side=options.longest_side,
            min_pixels=options.min_pixels,
            max_pixels=options.max_pixels,
        )

    async def _contents(self, delivery: Delivery) -> tuple[list[Part], str]:
        """Return the conversation in the service's types, and the system instruction."""
        types = library().types
        uploaded = self._too_large(delivery.blobs)
        contents, system = [], []
        for turn in delivery.turns:
            if turn.role == "system":
                system += [part.text for part in turn.parts if isinstance(part, Text)]
                continue
            parts = []
            for part in turn.parts:
                if isinstance(part, Text):
                    parts.append(types.Part.from_text(text=part.text))
                elif part.digest in uploaded:
                    uri = await self._files.uri(part)
                    parts.append(types.Part.from_uri(file_uri=uri, mime_type=part.mime))
                else:
                    data = part.read()
                    parts.append(types.Part.from_bytes(data=data, mime_type=part.mime))
            contents.append(types.Content(role=_ROLES[turn.role], parts=parts))
        return contents, "\n\n".join(system)

    def _too_large(self, blobs: list[Blob]) -> set[str]:
        """Return the digests of the largest media, without which the rest fits in a request."""
        total = sum(blob.size for blob in blobs)
        uploaded = set()
        for blob in sorted(blobs, key=lambda blob: blob.size, reverse=True):
            if total <= self.options.inline_mb * 1e6:
                break
            total -= blob.size
            uploaded.add(blob.digest)
        return uploaded

    def _config(
        self, prompt: Prompt, system: str, cache: str | None = None
    ) -> GenerateContentConfig:
        asked, options = prompt.generation, self.options
        limit = min(asked.max_new_tokens, options.max_new_tokens or asked.max_new_tokens)
        settings: dict[str, object] = {"max_output_tokens": limit + options.room_for_thinking}
        if system:
            settings["system_instruction"] = system
        if cache is not None:
            settings["cached_content"] = cache
        if asked.temperature > 0:  # newer models deprecate these fields; 0 is not worth an error
            settings |= {"temperature": asked.temperature, "seed": asked.seed}
            settings |= {"top_p": asked.top_p} if asked.top_p is not None else {}
            settings |= {"top_k": asked.top_k} if asked.top_k is not None else {}
        if prompt.schema is not None:
            settings["response_mime_type"] = "application/json"
            settings["response_json_schema"] = dict(prompt.schema)
        if options.media_resolution is not None:
            settings["media_resolution"] = f"MEDIA_RESOLUTION_{options.media_resolution.upper()}"
        return library().types.GenerateContentConfig(**settings)

    def _reply(
        self, response: GenerateContentResponse, prompt: Prompt, delivery: Delivery
    ) -> Reply:
        text = cut_at(self._text(response), prompt.generation.until).strip()
        self._watch.read(text, prompt.schema)
        counts = response.usage_metadata
        spent = (getattr(counts, "candidates_token_count", None) or 0) + (
            getattr(counts, "thoughts_token_count", None) or 0
        )
        read = getattr(counts, "prompt_token_count", None) or 0
        cached = getattr(counts, "cached_content_token_count", None) or 0
        return Reply(
            text=text,
            usage=Usage(input_tokens=read, output_tokens=spent, cached_tokens=min(read, cached)),
            evidence=delivery.evidence,
            model=self._watch.served(response.model_version or ""),
        )

    def _text(self, response: GenerateContentResponse) -> str:
        """Return the reply's text without thoughts.

        Raises:
            BackendError: if the prompt or the reply was blocked, or there is no text.
        """
        if not response.candidates:
            reason = getattr(getattr(response.prompt_feedback, "block_reason", None), "name", None)
            said = f"the prompt was blocked: {reason}" if reason else "the reply has no candidate"
            raise self._refused(said)
        candidate = response.candidates[0]
        finish = getattr(candidate.finish_reason, "name", None) or "STOP"
        if finish in _BROKEN_OFF:
            raise TransientError(
                self._name,
                f"the service broke the reply off: {finish}",
                "Run again later: finished calls are kept.",
                charged=True,
            )
        if finish not in _FINISHED:
            raise self._refused(f"the reply was blocked or broke off: {finish}")
        parts = (candidate.content.parts if candidate.content else None) or []
        text = "".join(part.text for part in parts if part.text and not part.thought)
        if not text.strip():
            raise BackendError(
                self._name,
                f"the reply has no text (finish reason {finish})",
                "If the limit was reached, raise `room_for_thinking`.",
                charged=True,
            )
        if finish == "MAX_TOKENS":
            self._watch.cut()
        return text

    def _refused(self, what: str) -> BackendError:
        return BackendError(
            self._name, what, "The service does not answer this sample; leave it out or mark it."
        )


def open_backend(model: str, options: GeminiOptions) -> GeminiBackend:
    """Return the backend of `gemini:MODEL`."""
    return GeminiBackend(model, options)
