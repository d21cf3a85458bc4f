"""A prompt's media as what goes over a network: JPEG pictures, WAV sounds, video files."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from aurelia_plugin.calling.backend import Evidence, Message, Prompt, Sampling, Text
from aurelia_plugin.media.audio import wav_bytes
from aurelia_plugin.media.clip import Media, Waveform
from aurelia_plugin.media.memory import MediaMemory
from aurelia_plugin.media.rendering import video_file
from aurelia_plugin.model_wrappers.delivery.arrays import Intake, Prepared, prepare

__all__ = ["Blob", "Delivery", "Form", "deliver", "forget_encoded", "has_room"]

SOUND_RATE = 16_000
_JPEG_QUALITY = 90


class Form(NamedTuple):
    """In which form a service gets media.

    Attributes:
        video: `file` sends videos whole, unless the prompt says which frames; `frames` as images;
            `none` sends no pictures at all.
        sound: whether it takes sounds of their own.
        soundtrack: whether it hears the sound of a video that is sent whole.
        frames: how many frames of a video it gets unless the prompt says so.
        longest_side: pixels to which pictures are reduced.
        largest: bytes beyond which a video file is encoded anew, smaller.
        rate: frames a second that the service itself takes from a video that is sent whole; None
            if it takes `frames` of them.
    """

    video: Literal["file", "frames", "none"]
    sound: bool
    soundtrack: bool
    frames: int
    longest_side: int | None
    largest: int | None = None
    rate: float | None = None


class Blob(NamedTuple):
    """One medium, encoded.

    Attributes:
        kind: what it is.
        mime: its media type.
        content: bytes, or the file that holds them.
        digest: names the content, for services that keep what they were sent.
        heard: whether it is a video with a soundtrack.
    """

    kind: Literal["image", "audio", "video"]
    mime: str
    content: bytes | Path
    digest: str
    heard: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def read(self) -> bytes:
        """Return the bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def base64(self) -> str:
        """Return the bytes in Base64."""
        return base64.b64encode(self.read()).decode("ascii")

    def data_url(self) -> str:
        """Return the content as a data URL."""
        return f"data:{self.mime};base64,{self.base64()}"


class Turn(NamedTuple):
    """One message, its parts in order."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Text | Blob, ...]


@dataclass
class Delivery:
    """A prompt ready to be sent, and what is in it."""

    turns: list[Turn] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def blobs(self) -> list[Blob]:
        """All media, in order."""
        return [part for turn in self.turns for part in turn.parts if isinstance(part, Blob)]


def deliver(prompt: Prompt, form: Form) -> Delivery:
    """Encode a prompt's media in order.

    A video that is not sent whole becomes its frames followed by its soundtrack.

    Raises:
        MediaError: if a medium cannot be decoded.
    """
    done = Delivery()
    for message in prompt.messages:
        parts: list[Text | Blob] = []
        for part in message.parts:
            if isinstance(part, Text):
                parts.append(part)
                continue
            blobs, evidence = _medium(part, prompt.sampling, form)
            parts += blobs
            done.evidence = _sum(done.evidence, evidence)
        done.turns.append(Turn(message.role, tuple(parts)))
    return done


def forget_encoded() -> None:
    """Drop everything that is kept, for measurements that have to encode."""
    _sent.forget()


def has_room() -> bool:
    """Whether what is encoded for the questions under way leaves memory for more of them."""
    return _sent.has_room


class _Sent(NamedTuple):
    blobs: list[Blob]
    evidence: Evidence


def _sent_size(sent: _Sent) -> int:
    # Files are read when they are sent, and stay where they are.
    return sum(len(blob.content) for blob in sent.blobs if isinstance(blob.content, bytes))


_sent: MediaMemory[_Sent] = MediaMemory(_sent_size)


def _medium(medium: Media, sampling: Sampling | None, form: Form) -> _Sent:
    """Encode once what several roles and iterations ask about.

    The digest notices a file that has changed; the path takes part because a file that is
    sent as it is will be read from there.
    """
    asked = None if sampling is None else (sampling.kind, sampling.frames)
    what = (medium.path, asked, form)
    return _sent.get(medium.digest, what, lambda: _encoded(medium, sampling, form))


def _encoded(medium: Media, sampling: Sampling | None, form: Form) -> _Sent:
    if medium.kind == "video" and form.video == "file" and sampling is None:
        return _whole(medium, form)
    intake = Intake(
        video=False,
        images=form.video != "none",
        sound_rate=SOUND_RATE if form.sound else None,
        sound_seconds=None,
        frames=form.frames,
        longest_side=form.longest_side,
    )
    prepared = prepare(Prompt((Message("user", (medium,)),), sampling=sampling), intake)
    return _Sent(list(_blobs(prepared, medium.digest)), prepared.evidence)


def _blobs(prepared: Prepared, digest: str) -> Iterator[Blob]:
    for index, image in enumerate(prepared.images):
        shape = "x".join(map(str, image.shape[:2]))
        yield Blob("image", "image/jpeg", _jpeg(image), f"{digest}:image {index} {shape}")
    for sound in prepared.sounds:
        wav = wav_bytes(Waveform(sound, SOUND_RATE))
        yield Blob("audio", "audio/wav", wav, f"{digest}:sound")


def _jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _whole(medium: Media, form: Form) -> _Sent:
    file = video_file(medium, longest_side=form.longest_side, largest=form.largest)
    heard = file.sound_seconds is not None
    dropped: tuple[str, ...] = ()
    if heard and not form.soundtrack:
        dropped = ("soundtrack: sent inside the video, which the service is not known to hear",)
    delivered = heard and form.soundtrack
    taken = form.frames if form.rate is None else math.ceil(file.seconds * form.rate)
    evidence = Evidence(
        frames=min(file.frames, taken),
        sound_seconds=round(file.sound_seconds or 0.0, 6) if delivered else 0.0,
        clips=int(delivered),
        dropped=dropped,
    )
    return _Sent(
        [Blob("video", file.mime, file.content, f"{medium.digest}:video", heard)], evidence
    )


def _sum(one: Evidence, other: Evidence) -> Evidence:
    return Evidence(
        frames=one.frames + other.frames,
        images=one.images + other.images,
        sound_seconds=round(one.sound_seconds + other.sound_seconds, 6),
        clips=one.clips + other.clips,
        dropped=one.dropped + other.dropped,
    )
