"""What OpenAI-compatible servers take, as data: they agree on a path and little else."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record
from aurelia_plugin.model_wrappers.capabilities import Capabilities

__all__ = ["Server", "server", "servers"]


class Server(Record):
    """One kind of server.

    Attributes:
        base_url: where it is unless the option says otherwise.
        key: the environment variable with its key; None if it takes none.
        limit: the name of the field that bounds the reply.
        video: `file` for videos as `video_url`, `frames` for frames as `image_url`.
        sound: the content type of sounds; None if it takes none.
        interleaved_body: fields of a request whose soundtracks go in with their frames; empty where
            that cannot be asked for.
        frames_body: the path of the field that says how many frames it takes from a video.
        pixels_body: the path of the field with `min_pixels` and `max_pixels` of a video's frames.
        refusal: the flag, without its dashes, without which it refuses these fields with HTTP 400.
        schema_form: `json_schema` if it enforces a schema through `response_format`.
        top_k: whether it takes this field, which OpenAI lacks.
        largest_mb: size of a video file beyond which it is encoded anew, smaller.
    """

    base_url: str
    key: str | None = None
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    video: Literal["file", "frames"] = "frames"
    sound: Literal["input_audio", "audio_url"] | None
    interleaved_body: dict[str, Any] = Field(default_factory=dict)
    frames_body: tuple[str, ...] = ()
    pixels_body: tuple[str, ...] = ()
    refusal: str | None = None
    schema_form: Literal["json_schema"] | None = None
    top_k: bool = False
    largest_mb: float = 50.0

    @property
    def takes(self) -> Capabilities:
        """What it takes unless the options say otherwise."""
        return Capabilities(
            video="images" if self.video == "frames" else self.video,
            soundtrack="none" if self.sound is None else "after",
            sounds=0 if self.sound is None else None,
            largest_bytes=round(self.largest_mb * 1e6),
        )


@functools.cache
def servers() -> dict[str, Server]:
    """Return all kinds by name."""
    text = Path(__file__).with_name("servers.yaml").read_text(encoding="utf-8")
    return {name: Server.model_validate(row) for name, row in yaml.safe_load(text).items()}


def server(name: str) -> Server:
    """Return one kind.

    Raises:
        ConfigError: if there is none of this name.
    """
    if name not in servers():
        raise ConfigError(
            f"There is no kind of server {name!r}.", f"Use one of: {', '.join(sorted(servers()))}."
        )
    return servers()[name]
