"""Decoder objects of torchcodec, as `datasets` from version 4 on hands them out, by duck typing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from loguru import logger

from aurelia_plugin.media.arrays import frames_from, waveform_from
from aurelia_plugin.media.medium import Frames, Media

__all__ = ["from_audio_decoder", "from_video_decoder", "hf_encoded"]


# A decoder without a file behind it has to be read into memory: no more frames than this.
_MOST_FRAMES = 256


def hf_encoded(decoder: object) -> dict[str, Any] | None:
    """Return the bytes or local path that a decoder was made from, or None.

    `datasets` keeps them in the attribute `_hf_encoded`; the path may be remote or only a name.
    """
    encoded = getattr(decoder, "_hf_encoded", None)
    if not isinstance(encoded, dict):
        return None
    if encoded.get("bytes") is not None:
        return encoded
    path = encoded.get("path")
    return encoded if path and "://" not in str(path) and Path(path).is_file() else None


def from_audio_decoder(decoder: Any) -> Media:
    """Return all samples of an AudioDecoder.

    Raises:
        MediaError: there are none.
    """
    samples = decoder.get_all_samples()
    return Media("audio", data=waveform_from(samples.data, samples.sample_rate))


def from_video_decoder(decoder: Any) -> Media:
    """Return at most 256 evenly spaced frames of a VideoDecoder; it does not give its sound.

    Raises:
        MediaError: there are none.
    """
    logger.warning("a VideoDecoder without a file behind it gives no sound: give the path instead")
    count = int(decoder.metadata.num_frames)
    if count > _MOST_FRAMES:
        indices = np.linspace(0, count - 1, _MOST_FRAMES).round().astype(int).tolist()
        batch = decoder.get_frames_at(indices)
    else:
        batch = decoder.get_frames_in_range(0, count)
    times = np.asarray(batch.pts_seconds, dtype=np.float64)
    return Media("video", data=Frames(frames_from(batch.data).pixels, times - times[:1]))
