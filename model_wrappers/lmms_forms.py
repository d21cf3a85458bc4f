"""How prompts are handed to the models that lmms-eval brings, as data and as payloads."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from aurelia_plugin.backend import Evidence, Prompt, Text
from aurelia_plugin.media.audio import wav_file, waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.video import probe
from aurelia_plugin.model_wrappers.media_files import image_file, video_path

__all__ = ["FORMS", "Form", "Payload", "form_of", "forms", "pack"]

FORMS = Path(__file__).with_name("lmms_forms.yaml")
_RATE = 16_000


class Form(BaseModel):
    """What one wrapper takes, and what it is known to lose."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    simple: bool = False
    """Whether its simple class is used (one text, a list of media) instead of the chat class."""
    pictures: bool = True
    """Whether it sees anything."""
    soundtrack: Literal["separate", "in_video", "none"] = "separate"
    """How a video's soundtrack reaches it: as a sound of its own, from the video file, or not."""
    sounds: int | None = Field(None, ge=0)
    """Sounds besides videos at most; None without a limit."""
    media: int | None = Field(None, ge=1)
    """Media of any kind at most; None without a limit."""
    why: str = "the wrapper takes no more"
    """Why the rest is not handed over."""


@functools.cache
def forms() -> dict[str, Form]:
    """Return the forms by model id."""
    rows = yaml.safe_load(FORMS.read_text(encoding="utf-8"))["forms"]
    return {name: Form.model_validate(facts) for name, facts in rows.items()}


def form_of(model: str) -> Form:
    """Return a model's form; the defaults if it is not known."""
    return forms().get(model, Form())


@dataclass
class Payload:
    """One prompt in the form that a wrapper takes.

    Attributes:
        messages: for chat classes: role and typed blocks whose media are paths.
        visuals: for simple classes: paths of videos, arrays of sound, images, in order.
        text: for simple classes: the whole conversation's text.
        evidence: what was handed over, and what the wrapper would lose and was left out.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    visuals: list[Any] = field(default_factory=list)
    text: str = ""
    evidence: Evidence = field(default_factory=Evidence)


def pack(prompt: Prompt, form: Form) -> Payload:
    """Write a prompt's media to files where needed and put it into a wrapper's form.

    `evidence.frames` counts the frames of the files handed over; the wrapper samples them.

    Raises:
        MediaError: if a medium cannot be read.
    """
    packing = _Packing(form)
    payload = Payload()
    for message in prompt.messages:
        blocks: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, Text):
                blocks.append({"type": "text", "text": part.text})
            else:
                blocks += packing.blocks(part)
        payload.messages.append({"role": message.role, "content": blocks})
    payload.visuals = packing.visuals
    payload.text = _text(payload.messages)
    payload.evidence = packing.evidence()
    return payload


def _text(messages: Sequence[dict[str, Any]]) -> str:
    turns = (
        "\n".join(block["text"] for block in message["content"] if block["type"] == "text")
        for message in messages
    )
    return "\n\n".join(turn for turn in turns if turn)


class _Packing:
    def __init__(self, form: Form) -> None:
        self._form = form
        self.visuals: list[Any] = []
        self._dropped: list[str] = []
        self._frames = self._images = self._clips = self._separate = 0
        self._seconds = 0.0

    def evidence(self) -> Evidence:
        return Evidence(
            frames=self._frames,
            images=self._images,
            clips=self._clips,
            sound_seconds=round(self._seconds, 6),
            dropped=tuple(self._dropped),
        )

    def blocks(self, medium: Media) -> list[dict[str, Any]]:
        if medium.kind == "audio":
            return self._sound(medium, "sound")
        if medium.kind == "image":
            return self._image(medium)
        seen = self._video(medium)
        if self._form.soundtrack == "separate":
            return seen + self._sound(medium, "soundtrack")
        self._count_track(medium, delivered=bool(seen) and self._form.soundtrack == "in_video")
        return seen

    def _video(self, medium: Media) -> list[dict[str, Any]]:
        if not self._takes_picture("video"):
            return []
        path = str(video_path(medium, with_sound=self._form.soundtrack == "in_video"))
        info = probe(medium)
        self._frames += max(1, round(info.seconds * info.frame_rate))
        self.visuals.append(path)
        return [{"type": "video", "url": path}]

    def _image(self, medium: Media) -> list[dict[str, Any]]:
        from PIL import Image

        if not self._takes_picture("image"):
            return []
        self._images += 1
        self.visuals.append(Image.fromarray(picture(medium)))
        return [{"type": "image", "url": str(image_file(medium))}]

    def _takes_picture(self, what: str) -> bool:
        if not self._form.pictures:
            self._dropped.append(f"{what}: the model takes no pictures")
            return False
        return self._has_room(what)

    def _has_room(self, what: str) -> bool:
        room = self._form.media is None or len(self.visuals) < self._form.media
        if not room:
            self._dropped.append(f"{what}: {self._form.why}")
        return room

    def _sound(self, medium: Media, what: str) -> list[dict[str, Any]]:
        path = wav_file(medium, _RATE)
        if path is None:
            return []
        if self._form.sounds is not None and self._separate >= self._form.sounds:
            self._dropped.append(f"{what}: {self._form.why}")
            return []
        if not self._has_room(what):
            return []
        sound = waveform(medium, _RATE)
        assert sound is not None  # there is a file of it
        self._separate += 1
        self._count(sound.seconds)
        self.visuals.append({"array": sound.samples, "sampling_rate": sound.rate})
        return [{"type": "audio", "url": str(path)}]

    def _count_track(self, medium: Media, *, delivered: bool) -> None:
        sound = waveform(medium, _RATE)
        if sound is None:
            return
        if delivered:
            self._count(sound.seconds)
        else:
            self._dropped.append(f"soundtrack: {self._form.why}")

    def _count(self, seconds: float) -> None:
        self._clips += 1
        self._seconds += seconds
