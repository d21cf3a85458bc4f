"""Sounds that are the soundtracks of their videos.

The official pipeline keeps the soundtrack of each clip as a file of its own. A model that is given
the video with its sound and that file hears everything twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.medium import Media

__all__ = ["WithoutSoundtracks", "is_soundtrack", "without_soundtracks"]

_RATE: Final = 16_000
_STEP: Final = _RATE // 20
_ALIKE: Final = 0.9


class WithoutSoundtracks(NamedTuple):
    """Items after the soundtracks were left out, and how many were."""

    items: list[Item]
    left_out: int


def without_soundtracks(items: Iterable[Item], folder: Path) -> WithoutSoundtracks:
    """Return the items without separate sounds that only repeat the soundtrack of the video."""
    kept = []
    left_out = 0
    for item in items:
        video, audio = item.video, item.audio
        if (
            video is not None
            and audio is not None
            and is_soundtrack(folder / video, folder / audio)
        ):
            item = item.model_copy(update={"audio": None})
            left_out += 1
        kept.append(item)
    return WithoutSoundtracks(kept, left_out)


def is_soundtrack(video: Path, sound: Path) -> bool:
    """Return whether the sound is that of the video, judged by loudness over time.

    Both must last equally long (to a tenth) and their levels, twenty a second, must go together
    (correlation of 0.9 or more, within 0.1 s): encoders shift sound by some milliseconds. Files
    that cannot be read are not alike; `aurelia data check` reports them.
    """
    try:
        levels = [_levels(Media.file("video", video)), _levels(Media.file("audio", sound))]
    except MediaError:
        return False
    first, second = sorted(levels, key=len)
    if len(first) < 4 or len(first) < 0.9 * len(second):
        return False
    return any(
        _together(first[max(0, -lag) :], second[max(0, lag) :]) >= _ALIKE for lag in range(-2, 3)
    )


def _levels(media: Media) -> NDArray[np.float64]:
    sound = waveform(media, _RATE)
    if sound is None:
        return np.zeros(0)
    whole = sound.samples[: len(sound.samples) // _STEP * _STEP].astype(np.float64)
    levels: NDArray[np.float64] = np.sqrt(np.square(whole.reshape(-1, _STEP)).mean(axis=1))
    return levels


def _together(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    length = min(len(first), len(second))
    one, two = first[:length], second[:length]
    if min(one.std(), two.std()) < 1e-4:
        return 0.0  # a steady sound has no changes to tell it by
    return float(np.corrcoef(one, two)[0, 1])
