"""How prompts are handed to the models that lmms-eval brings, as data and as payloads."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from PIL import Image
from pydantic import Field

from aurelia_plugin.calling.backend import Evidence, Prompt, Text
from aurelia_plugin.files.records import Record
from aurelia_plugin.media.audio import has_sound, wav_file, waveform
from aurelia_plugin.media.clip import Media, Waveform
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.video import probe, uniform_frames
from aurelia_plugin.model_wrappers.capabilities import Capabilities, Soundtrack
from aurelia_plugin.model_wrappers.delivery.files import image_file, video_path

__all__ = ["FORMS", "Payload", "WrapperForm", "form_of", "forms", "pack"]

FORMS = Path(__file__).with_name("forms.yaml")
_RATE = 16_000
_BLACK = 336
"""Pixels of a side of the picture that stands in where a wrapper takes no prompt without one."""
_MOST_FRAMES = 256
"""Frames of a video that is written anew to give it a silent soundtrack."""


class WrapperForm(Record):
    """What one wrapper takes, and what it is known to lose."""

    simple: bool = False
    """Whether its simple class is used (one text, a list of media) instead of the chat class."""
    pictures: bool = True
    """Whether it sees anything."""
    soundtrack: Literal["separate", "in_video", "none"] = "separate"
    """How a video's soundtrack reaches it: as a sound of its own, from the video file, or not."""
    sounds: int | None = Field(None, ge=0)
    """Sounds at most, soundtracks that go in from the video not counted; None without a limit."""
    media: int | None = Field(None, ge=1)
    """Media of any kind at most; None without a limit."""
    of_a_kind: int | None = Field(None, ge=1)
    """Videos, images and sounds (soundtracks counted) at most, each; None without a limit."""
    why: str = "the wrapper takes no more"
    """Why the rest is not handed over."""
    sound_files: bool = False
    """Whether a simple class takes sounds as files and drops arrays."""
    suffixes: tuple[str, ...] = ()
    """Endings of the video files that it takes; others are written as MP4. Empty: any."""
    silent_track: bool = False
    """Whether a video without a soundtrack is given a silent one, without which it fails."""
    stand_in: Literal["picture", "sound"] | None = None
    """What a prompt without media gets, without which it fails: a black picture, or silence."""
    alone: bool = False
    """Whether every call holds one request, because one request changes the next."""
    modules: tuple[str, ...] = ()
    """Modules without which it goes on and loses a medium."""
    model_args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of its constructor without which it loses a medium."""

    @property
    def takes(self) -> Capabilities:
        """What it takes of a clip."""
        tracks: dict[str, Soundtrack] = {"separate": "after", "in_video": "interleaved"}
        return Capabilities(
            video="file" if self.pictures else "none",
            images=self.pictures,
            soundtrack=tracks.get(self.soundtrack, "none"),
            sounds=self.sounds,
        )


@functools.cache
def forms() -> dict[str, WrapperForm]:
    """Return the forms by model id."""
    rows = yaml.safe_load(FORMS.read_text(encoding="utf-8"))["forms"]
    return {name: WrapperForm.model_validate(facts) for name, facts in rows.items()}


def form_of(model: str) -> WrapperForm:
    """Return a model's form; the defaults if it is not known."""
    return forms().get(model, WrapperForm())


@dataclass
class Payload:
    """One prompt in the form that a wrapper takes.

    Attributes:
        messages: for chat classes: role and typed blocks whose media are paths.
        visuals: for simple classes: paths of videos, arrays or paths of sound, images, in order.
        text: for simple classes: the whole conversation's text.
        evidence: what was handed over, and what the wrapper would lose and was left out.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    visuals: list[Any] = field(default_factory=list)
    text: str = ""
    evidence: Evidence = field(default_factory=Evidence)


def pack(prompt: Prompt, form: WrapperForm) -> Payload:
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
    if form.stand_in and not packing.visuals:
        packing.visuals.append(_stand_in(form.stand_in))
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


def _stand_in(kind: Literal["picture", "sound"]) -> Any:
    """Return a medium with nothing in it, for a simple class that fails without; no evidence."""
    if kind == "picture":
        return Image.new("RGB", (_BLACK, _BLACK))
    return {"array": np.zeros(_RATE, np.float32), "sampling_rate": _RATE}


class _Packing:
    def __init__(self, form: WrapperForm) -> None:
        self._form = form
        self.visuals: list[object] = []
        self._dropped: list[str] = []
        self._kinds: Counter[str] = Counter()
        self._tracks: dict[str, None] = {}
        self._frames = self._images = self._clips = self._separate = 0
        self._seconds = 0.0

    def evidence(self) -> Evidence:
        return Evidence(
            frames=self._frames,
            images=self._images,
            clips=self._clips,
            soundtrack=tuple(self._tracks),
            sound_seconds=round(self._seconds, 6),
            dropped=tuple(self._dropped),
        )

    def blocks(self, medium: Media) -> list[dict[str, Any]]:
        if medium.kind == "audio":
            return self._sound(medium, "sound")
        if medium.kind == "image":
            return self._image(medium)
        seen = self._video(medium)
        if self._form.takes.soundtrack == "after":
            return seen + self._sound(medium, "soundtrack")
        self._count_track(medium, delivered=bool(seen) and self._form.soundtrack == "in_video")
        return seen

    def _video(self, medium: Media) -> list[dict[str, Any]]:
        if not self._takes_picture("video"):
            return []
        path = str(self._video_file(medium))
        info = probe(medium)
        self._frames += max(1, round(info.seconds * info.frame_rate))
        self.visuals.append(path)
        return [{"type": "video", "url": path}]

    def _video_file(self, medium: Media) -> Path:
        in_video = self._form.soundtrack == "in_video"
        if self._form.silent_track and not has_sound(medium):
            pictures = uniform_frames(medium, _MOST_FRAMES)
            silence = np.zeros(max(1, round(probe(medium).seconds * _RATE)), np.float32)
            track = Media("audio", data=Waveform(silence, _RATE))
            medium = Media("video", data=pictures, sound=track)
        return video_path(medium, with_sound=in_video, suffixes=self._form.suffixes)

    def _image(self, medium: Media) -> list[dict[str, Any]]:
        if not self._takes_picture("image"):
            return []
        self._images += 1
        self.visuals.append(Image.fromarray(picture(medium)))
        return [{"type": "image", "url": str(image_file(medium))}]

    def _takes_picture(self, what: str) -> bool:
        if not self._form.takes.sees:
            self._dropped.append(f"{what}: the model takes no pictures")
            return False
        return self._has_room(what, what)

    def _has_room(self, kind: str, what: str) -> bool:
        """Whether one more medium of this kind is taken; what is not is declared."""
        media, of_a_kind = self._form.media, self._form.of_a_kind
        room = (media is None or len(self.visuals) < media) and (
            of_a_kind is None or self._kinds[kind] < of_a_kind
        )
        if room:
            self._kinds[kind] += 1
        else:
            self._dropped.append(f"{what}: {self._form.why}")
        return room

    def _sound(self, medium: Media, what: str) -> list[dict[str, Any]]:
        path = wav_file(medium, _RATE)
        if path is None:
            return []
        if self._form.sounds is not None and self._separate >= self._form.sounds:
            self._dropped.append(f"{what}: {self._form.why}")
            return []
        if not self._has_room("sound", what):
            return []
        sound = waveform(medium, _RATE)
        assert sound is not None  # there is a file of it
        self._separate += 1
        self._count(sound.seconds)
        if what == "soundtrack":
            self._tracks.setdefault("after")
        array = {"array": sound.samples, "sampling_rate": sound.rate}
        self.visuals.append(str(path) if self._form.sound_files else array)
        return [{"type": "audio", "url": str(path)}]

    def _count_track(self, medium: Media, *, delivered: bool) -> None:
        sound = waveform(medium, _RATE)
        if sound is None:
            return
        of_a_kind = self._form.of_a_kind
        if not delivered or (of_a_kind is not None and self._kinds["sound"] >= of_a_kind):
            self._dropped.append(f"soundtrack: {self._form.why}")
            return
        self._kinds["sound"] += 1
        self._count(sound.seconds)
        self._tracks.setdefault("interleaved")

    def _count(self, seconds: float) -> None:
        self._clips += 1
        self._seconds += seconds
