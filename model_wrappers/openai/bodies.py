"""The bodies of chat completion requests."""

from __future__ import annotations

from collections.abc import Mapping

from aurelia_plugin.calling.backend import Prompt, Text
from aurelia_plugin.model_wrappers.delivery.encoding import Blob, Delivery
from aurelia_plugin.model_wrappers.openai.options import OpenAIOptions
from aurelia_plugin.model_wrappers.openai.sending import named_part
from aurelia_plugin.model_wrappers.openai.servers import Server

__all__ = ["Bodies"]


class Bodies:
    """Makes the bodies of one backend's requests.

    Args:
        sound: the content type of sounds, or `none`.
    """

    def __init__(self, model: str, options: OpenAIOptions, server: Server, sound: str) -> None:
        self._model = model
        self.options = options
        self._server = server
        self._sound = sound

    def __call__(
        self,
        prompt: Prompt,
        delivery: Delivery,
        fields: Mapping[str, object],
        names: Mapping[Blob, str],
        known: frozenset[str],
    ) -> dict[str, object]:
        """Return the request's body; media whose names are `known` are named only."""
        body: dict[str, object] = {
            "model": self._model,
            "messages": [
                {
                    "role": turn.role,
                    "content": [self._part(part, names, known) for part in turn.parts],
                }
                for turn in delivery.turns
            ],
            **self._decoding(prompt),
        }
        if self.schema(prompt) is not None:
            form = {"name": "reply", "schema": self.schema(prompt), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        asked = prompt.generation
        if self._server.top_k and asked.temperature > 0 and asked.top_k is not None:
            body["top_k"] = asked.top_k
        return {**self._server.body, **body, **fields}

    def schema(self, prompt: Prompt) -> Mapping[str, object] | None:
        """Return the schema that is sent with a prompt, if one is."""
        sent = self.options.json_schema
        takes = self._server.schema_form is not None if sent is None else sent
        return dict(prompt.schema) if prompt.schema is not None and takes else None

    def _decoding(self, prompt: Prompt) -> dict[str, object]:
        asked, options = prompt.generation, self.options
        limit = min(asked.max_new_tokens, options.max_new_tokens or asked.max_new_tokens)
        fields: dict[str, object] = {self._server.limit: limit + options.room_for_thinking}
        if options.fixed_temperature:
            return fields
        # Greedy has to be asked for: the servers' own default is 1.
        fields["temperature"] = asked.temperature
        if asked.temperature > 0:
            fields["seed"] = asked.seed
            if asked.top_p is not None:
                fields["top_p"] = asked.top_p
        return fields

    def _part(
        self, part: Text | Blob, names: Mapping[Blob, str], known: frozenset[str]
    ) -> dict[str, object]:
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        form, name = self.form(part), names.get(part)
        if name is not None and name in known:
            return named_part(form, name)
        content = {"url": part.data_url()} if form != "input_audio" else _wav(part)
        return {"type": form, form: content, **({} if name is None else {"uuid": name})}

    def form(self, blob: Blob) -> str:
        """Return the type of a medium's part."""
        if blob.kind == "audio":
            return "audio_url" if self._sound == "audio_url" else "input_audio"
        return f"{blob.kind}_url"


def _wav(sound: Blob) -> dict[str, str]:
    return {"data": sound.base64(), "format": "wav"}
