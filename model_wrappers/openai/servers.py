"""What OpenAI-compatible servers take, as data: they agree on a path and little else."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record
from aurelia_plugin.model_wrappers.capabilities import Capabilities, VideoInput

__all__ = ["VIDEO_INPUTS", "Fix", "Server", "VideoForm", "server", "servers"]

VideoForm = Literal["sequence", "file", "frames", "none"]
"""How a video is sent: its frames as one `video_url`, the whole file as `video_url`, frames as
`image_url`, or not at all."""

VIDEO_INPUTS: dict[VideoForm, VideoInput] = {
    "sequence": "frames",
    "file": "file",
    "frames": "images",
    "none": "none",
}
"""The same in the words of `Capabilities`."""


class ModelForm(Record):
    """What some models of a kind of server take otherwise; what is not set holds for them, too.

    Attributes:
        named: a regular expression for the whole of their names; the first that fits counts.
        body: fields of each of their requests.
    """

    named: str
    video: VideoForm | None = None
    sound: Literal["input_audio", "audio_url"] | None = None
    schema_form: Literal["json_schema"] | None = None
    body: dict[str, object] = Field(default_factory=dict)


class Fix(Record):
    """What to do about a refusal.

    Attributes:
        said: a regular expression, in any case of letters, that the server's words hold.
        fix: what to do.
    """

    said: str
    fix: str


class Server(Record):
    """One kind of server.

    Attributes:
        base_url: where it is unless the option says otherwise.
        key: the environment variable with its key; None if it takes none.
        limit: the name of the field that bounds the reply.
        video: how a video is sent unless the options say otherwise.
        sequence_frames: frames of a sequence that it takes unless it is told another number.
        sound: the content type of sounds; None if it takes none.
        interleaved_body: fields of a request whose soundtracks go in with their frames; empty where
            that cannot be asked for.
        frames_body: the path of the field with `num_frames`, `max_frames` and `fps` by which it
            takes frames from a video.
        step_frames: frames that models which interleave join to one step of time.
        processor_body: the path of the field with `min_pixels`, `max_pixels` and `fps` of a video's
            frames.
        refusal: the flag, without its dashes, without which it refuses these fields with HTTP 400.
        forgotten: what its refusal of a medium that is named (`uuid`) and not sent says when it has
            not got it (a regular expression, in any case of letters); None for servers that have to
            be sent media with every request.
        fixes: what to do about its other refusals; the first that fits counts.
        requests: raised when what is sent changes although options do not. From 2 on it is part of
            a backend's identity, with all that was settled by default.
        schema_form: `json_schema` if it enforces a schema through `response_format`.
        top_k: whether it takes this field, which OpenAI lacks.
        largest_mb: size of a video file beyond which it is encoded anew, smaller.
        body: fields of each request.
        models: models that take something else.
    """

    base_url: str
    key: str | None = None
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    video: VideoForm = "frames"
    sequence_frames: int | None = None
    sound: Literal["input_audio", "audio_url"] | None
    interleaved_body: dict[str, object] = Field(default_factory=dict)
    frames_body: tuple[str, ...] = ()
    step_frames: int = 1
    processor_body: tuple[str, ...] = ()
    refusal: str | None = None
    forgotten: str | None = None
    fixes: tuple[Fix, ...] = ()
    requests: int = 1
    schema_form: Literal["json_schema"] | None = None
    top_k: bool = False
    largest_mb: float = 50.0
    body: dict[str, object] = Field(default_factory=dict)
    models: tuple[ModelForm, ...] = ()

    def for_model(self, name: str) -> Server:
        """Return what it takes for one of its models."""
        form = next((form for form in self.models if re.fullmatch(form.named, name)), None)
        if form is None:
            return self
        return self.model_copy(update=form.model_dump(exclude={"named"}, exclude_unset=True))

    def fix(self, said: str) -> str | None:
        """Return what to do about a refusal in these words, None where nothing is known."""
        found = (one.fix for one in self.fixes if re.search(one.said, said, re.IGNORECASE))
        return next(found, None)

    @property
    def takes(self) -> Capabilities:
        """What it takes unless the options say otherwise."""
        return Capabilities(
            video=VIDEO_INPUTS[self.video],
            images=self.video != "none",
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
