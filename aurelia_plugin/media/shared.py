"""Frames and sound as roles share them: decoded once a clip that is held, not once a call."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.medium import Frames, Media, Waveform
from aurelia_plugin.media.memory import MediaMemory
from aurelia_plugin.media.video import keyframes, uniform_frames

__all__ = ["forget_decoded", "shared_frames", "shared_waveform"]


def _frames_size(frames: Frames) -> int:
    return frames.pixels.nbytes + frames.times.nbytes


def _waveform_size(sound: Waveform | None) -> int:
    return 0 if sound is None else sound.samples.nbytes


_frames: MediaMemory[Frames] = MediaMemory(_frames_size)
_sounds: MediaMemory[Waveform | None] = MediaMemory(_waveform_size)


def shared_frames(
    media: Media,
    kind: Literal["uniform", "keyframes"],
    count: int,
    *,
    longest_side: int | None = None,
) -> Frames:
    """Return what `uniform_frames` or `keyframes` (at most `count` of them) gives, read-only.

    Raises:
        MediaError: as these do.
        ValueError: as these do.
    """

    def make() -> Frames:
        if kind == "keyframes":
            frames = keyframes(media, limit=count, longest_side=longest_side)
        else:
            frames = uniform_frames(media, count, longest_side=longest_side)
        return Frames(_read_only(frames.pixels), _read_only(frames.times))

    return _frames.get(media.digest, (kind, count, longest_side), make)


def shared_waveform(media: Media, rate: int = 16000) -> Waveform | None:
    """Return what `waveform` gives, read-only.

    Raises:
        MediaError: as `waveform` does.
        ValueError: as `waveform` does.
    """

    def make() -> Waveform | None:
        sound = waveform(media, rate)
        return None if sound is None else Waveform(_read_only(sound.samples), sound.rate)

    return _sounds.get(media.digest, rate, make)


def forget_decoded() -> None:
    """Drop everything that is kept, for measurements that have to decode."""
    _frames.forget()
    _sounds.forget()


NumberT = TypeVar("NumberT", np.uint8, np.float32, np.float64)


def _read_only(array: NDArray[NumberT]) -> NDArray[NumberT]:
    array.flags.writeable = False
    return array
