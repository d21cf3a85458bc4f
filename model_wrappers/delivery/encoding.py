"""A prompt's media as what goes over a network: JPEG pictures, WAV sounds, video files."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from aurelia_plugin.calling.backend import Evidence, Message, Prompt, Sampling, Text
from aurelia_plugin.media.audio import has_sound, wav_bytes
from aurelia_plugin.media.clip import Media, Waveform
from aurelia_plugin.media.memory import MediaMemory
from aurelia_plugin.media.rendering import video_file
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared, prepare

__all__ = [
    "SEQUENCE",
    "Blob",
    "Delivery",
    "deliver",
    "forget_encoded",
    "has_room",
]

SEQUENCE = "video/jpeg"
"""The media type of a video sent as its frames: JPEG pictures in Base64, separated by commas."""

SOUND_RATE = 16_000
_JPEG_QUALITY = 90


class Blob(NamedTuple):
    """One medium, encoded.

    Attributes:
        kind: what it is.
        mime: its media type.
        content: bytes, or the file that holds them.
        digest: names the content, for services that keep what they were sent.
        heard: whether it is a video with a soundtrack.
        frames: of a video, how many are shown to the model.
        rate: of a video, how many of these a second.
    """

    kind: Literal["image", "audio", "video"]
    mime: str
    content: bytes | Path
    digest: str
    heard: bool = False
    frames: int = 0
    rate: float = 1.0

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def read(self) -> bytes:
        """Return the bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def base64(self) -> str:
        """Return the bytes in Base64; those of a sequence of frames are that already."""
        if self.mime == SEQUENCE:
            return self.read().decode("ascii")
        return _base64(self.read()).decode("ascii")

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


def deliver(prompt: Prompt, takes: Capabilities) -> Delivery:
    """Encode a prompt's media in order.

    A video is sent as its file, as one video of its frames, or, always where the prompt says which
    frames to show, as pictures; its soundtrack is inside the file (`interleaved`) or a sound of
    its own after or before it.

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
            blobs, evidence = _medium(part, prompt.sampling_of(part), takes)
            parts += blobs
            done.evidence += evidence
        done.turns.append(Turn(message.role, tuple(parts)))
    seconds = round(done.evidence.sound_seconds, 6)
    done.evidence = done.evidence.model_copy(update={"sound_seconds": seconds})
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


_SPARED = 32 * 2**20
"""Bytes kept for later questions over clips that no question under way is about: data sets ask
several questions about a clip, not always one after the other."""

_sent: MediaMemory[_Sent] = MediaMemory(_sent_size, spare_bytes=_SPARED)


def _medium(medium: Media, sampling: Sampling | None, takes: Capabilities) -> _Sent:
    """Encode once what several roles and iterations ask about.

    The digest notices a file that has changed; the path takes part because a file that is
    sent as it is will be read from there.
    """
    asked = None if sampling is None else (sampling.kind, sampling.frames)
    what = (medium.path, asked, takes)
    return _sent.get(medium.digest, what, lambda: _encoded(medium, sampling, takes))


def _encoded(medium: Media, sampling: Sampling | None, takes: Capabilities) -> _Sent:
    if medium.kind == "video" and takes.video == "file" and sampling is None:
        return _whole(medium, takes)
    # Services have no form for pictures and sound that take turns: soundtracks go after frames.
    form = "after" if takes.soundtrack == "interleaved" else takes.soundtrack
    changes: dict[str, object] = {"soundtrack": form, "sound_rate": SOUND_RATE, "fps": None}
    if takes.video != "none" and (takes.video != "frames" or sampling is not None):
        changes["video"] = "images"
    apart = takes.model_copy(update=changes)
    prepared = prepare(Prompt((Message("user", (medium,)),), sampling=sampling), apart)
    blobs = list(_blobs(prepared, medium.digest, takes))
    if form == "before":
        blobs.sort(key=lambda blob: blob.kind != "audio")
    return _Sent(blobs, prepared.evidence)


def _blobs(prepared: Prepared, digest: str, takes: Capabilities) -> Iterator[Blob]:
    for pixels, rate in zip(prepared.videos, prepared.video_rates, strict=True):
        yield _sequence(pixels, rate, digest, takes)
    for index, pixels in enumerate(prepared.images):
        image = _within(pixels, takes)
        shape = "x".join(map(str, image.shape[:2]))
        yield Blob("image", "image/jpeg", _jpeg(image), f"{digest}:image {index} {shape}")
    for sound in prepared.sounds:
        wav = wav_bytes(Waveform(sound, SOUND_RATE))
        yield Blob("audio", "audio/wav", wav, f"{digest}:sound")


def _sequence(pixels: npt.NDArray[np.uint8], rate: float, digest: str, takes: Capabilities) -> Blob:
    """Return frames, uint8 [frames, height, width, 3], as one video."""
    pictures = [_within(frame, takes) for frame in pixels]
    content = b",".join(_base64(_jpeg(picture)) for picture in pictures)
    shape = "x".join(map(str, (len(pictures), *pictures[0].shape[:2])))
    name = f"{digest}:sequence {shape}"
    return Blob("video", SEQUENCE, content, name, frames=len(pictures), rate=rate)


def _within(pixels: npt.NDArray[np.uint8], takes: Capabilities) -> npt.NDArray[np.uint8]:
    """Return a picture resized to what is asked for at least and at most."""
    height, width = pixels.shape[:2]
    area = min(max(height * width, takes.min_pixels or 1), takes.max_pixels or height * width)
    area = max(area, takes.min_pixels or 1)
    if area == height * width:
        return pixels
    scale = math.sqrt(area / (height * width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def _base64(content: bytes) -> bytes:
    # Some 50 times as fast as the standard library's, which holds up every other thread meanwhile.
    import pybase64

    return pybase64.b64encode(content)


def _jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _whole(medium: Media, takes: Capabilities) -> _Sent:
    shown = replace(medium, silenced=True) if _is_to_be_muted(medium, takes) else medium
    file = video_file(
        shown,
        longest_side=takes.longest_side,
        largest=takes.largest_bytes,
        frames=takes.max_frames or 1,
    )
    heard = file.sound_seconds is not None
    limits = [file.frames, takes.max_frames]
    limits += [math.ceil(file.seconds * takes.fps)] if takes.fps is not None else []
    frames = min(limit for limit in limits if limit is not None)
    frames -= frames % takes.frame_step
    evidence = Evidence(frames=frames)
    name = f"{shown.digest}:video"
    rate = frames / max(file.seconds, 1e-3)
    blobs = [Blob("video", file.mime, file.content, name, heard, frames, rate)]
    if not heard:
        return _Sent(blobs, evidence)
    if takes.soundtrack == "interleaved":
        seconds = round(file.sound_seconds or 0.0, 6)
        inside = {"sound_seconds": seconds, "clips": 1, "soundtrack": ("interleaved",)}
        return _Sent(blobs, evidence.model_copy(update=inside))
    if takes.soundtrack == "none":
        why = "left out by soundtrack=none"
        if not takes.hears:
            why = "sent inside the video, which the service is not known to hear"
        dropped = {"dropped": (f"soundtrack: {why}",)}
        return _Sent(blobs, evidence.model_copy(update=dropped))
    apart = takes.model_copy(update={"video": "none", "sound_rate": SOUND_RATE})
    track = prepare(Prompt((Message("user", (medium,)),)), apart)
    sounds = list(_blobs(track, medium.digest, takes))
    heard_apart = track.evidence.model_copy(update={"frames": evidence.frames, "dropped": ()})
    return _Sent(sounds + blobs if takes.soundtrack == "before" else blobs + sounds, heard_apart)


def _is_to_be_muted(medium: Media, takes: Capabilities) -> bool:
    """Whether a service that hears what it is sent whole must not hear this."""
    return takes.hears_files and takes.soundtrack != "interleaved" and has_sound(medium)
