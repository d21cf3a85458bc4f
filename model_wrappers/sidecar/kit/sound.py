"""Sound files, read before upstream code sees them: unreadable sound is an error, never silence."""

from __future__ import annotations

import array
import os
import sys
import wave
from typing import Any

from aurelia_plugin.model_wrappers.sidecar.kit.forms import MediaError

__all__ = ["RATE", "cropped", "read_samples", "read_waveform"]

RATE = 16_000
"""Samples a second of every sound that a worker is given."""


def read_samples(path: str) -> array.array[int]:
    """Return the 16-bit samples of a sound.

    Raises:
        MediaError: if the file cannot be read, is empty or is no mono 16-bit WAV at 16 kHz.
    """
    try:
        with wave.open(path, "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            content = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise MediaError(path, f"cannot be read as sound: {error}") from error
    if form != (1, 2, RATE):
        raise MediaError(path, f"is {form}, not one channel of 2 bytes at {RATE} Hz")
    samples = array.array("h", content)
    if not samples:
        raise MediaError(path, "holds no sound")
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def read_waveform(path: str) -> Any:
    """Return a sound as a NumPy array: float32 [samples] in -1..1 at `RATE` Hz.

    Raises:
        MediaError: see `read_samples`.
    """
    import numpy as np

    return np.array(read_samples(path), dtype=np.float32) / 32768.0


def cropped(path: str, seconds: float, folder: str) -> str:
    """Return a sound file of the first `seconds`: the file itself if it is no longer.

    Args:
        path: the sound.
        seconds: how much of it.
        folder: where a shorter one is written; the same name is used again and again.

    Raises:
        MediaError: see `read_samples`.
    """
    samples = read_samples(path)
    if len(samples) <= seconds * RATE:
        return path
    if sys.byteorder == "big":
        samples.byteswap()
    shorter = os.path.join(folder, "cropped.wav")
    with wave.open(shorter, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples[: int(seconds * RATE)].tobytes())
    return shorter
