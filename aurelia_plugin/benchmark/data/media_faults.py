"""What can be wrong with a media file of a benchmark: missing, undecodable, silent, too short."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.containers.kinds import media_kind
from aurelia_plugin.media.medium import Media
from aurelia_plugin.media.video import probe, uniform_frames

__all__ = ["SHORTEST", "sound_fault", "video_fault"]

SHORTEST: Final = 0.5
"""Seconds below which a clip shows and says nothing."""

# One step of 16-bit sound is 3e-5; dither and coding noise of a digital silence stay below this.
_SILENCE: Final = 2e-4


def video_fault(path: Path, heard: bool) -> str | None:
    """Return what is wrong with a video, or None.

    Args:
        heard: whether its own soundtrack is the sound of the item.
    """
    if not path.is_file():
        return "is missing"
    try:
        kind = media_kind(path)
        if kind != "video":
            return f"is no video but {kind}"
        media = Media("video", path)
        info = probe(media)
        # Three frames, so that a file that breaks off in the middle is noticed.
        uniform_frames(media, 3, longest_side=64)
        if info.seconds < SHORTEST:
            return f"is too short: {info.seconds:.2f} s"
        if not heard:
            return None
        return _silent(media) if info.has_sound else "has no soundtrack"
    except MediaError as error:
        return f"cannot be decoded: {error.cause}"


def sound_fault(path: Path) -> str | None:
    """Return what is wrong with a sound file, or None; the soundtrack of a video will do."""
    if not path.is_file():
        return "is missing"
    try:
        kind = media_kind(path)
        if kind == "image":
            return "is no sound but image"
        return _silent(Media(kind, path))
    except MediaError as error:
        return f"cannot be decoded: {error.cause}"


def _silent(media: Media) -> str | None:
    sound = waveform(media)
    if sound is None:
        return "has no sound"
    if sound.seconds < SHORTEST:
        return f"is too short: {sound.seconds:.2f} s of sound"
    return "is silent" if float(np.abs(sound.samples).max()) < _SILENCE else None
