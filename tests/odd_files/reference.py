"""The clip of which the odd files are made: what is right is known sample by sample."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLOURS", "RATE", "SECONDS", "Picture", "ffmpeg", "make_reference", "melody", "still"]

Picture = NDArray[np.uint8]

SECONDS: Final = 4.0
RATE: Final = 48_000
SIZE: Final = (320, 240)

# Top left, top right, bottom left, bottom right: no turn or mirror leaves them as they are.
COLOURS: Final = {"R": (220, 30, 30), "G": (30, 200, 30), "B": (40, 40, 220), "W": (235, 235, 235)}


def melody(seconds: float = SECONDS, rate: int = RATE, first: float = 300.0) -> NDArray[np.float32]:
    """Return a chirp with bursts: every stretch of it is unlike the others."""
    moments = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (first * moments + 90.0 * moments**2)
    loudness = 0.25 + 0.2 * np.sin(2 * np.pi * 1.7 * moments) * np.sin(2 * np.pi * 0.31 * moments)
    return (loudness * np.sin(phase)).astype(np.float32)


def still(size: tuple[int, int] = SIZE) -> Picture:
    """Return the four colours."""
    width, height = size
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    for index, colour in enumerate(COLOURS.values()):
        rows = slice(None, height // 2) if index < 2 else slice(height // 2, None)
        columns = slice(None, width // 2) if index % 2 == 0 else slice(width // 2, None)
        picture[rows, columns] = colour
    return picture


def ffmpeg(*arguments: str | Path, folder: Path) -> None:
    """Run ffmpeg in a folder.

    Raises:
        RuntimeError: it failed.
    """
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])


def make_reference(folder: Path) -> None:
    """Write `sound.wav`, `stereo.wav`, `surround.wav`, `still.png` and `clip.mkv` (lossless)."""
    from PIL import Image

    sound = melody()
    _write_wav(folder / "sound.wav", sound[None])
    _write_wav(folder / "stereo.wav", np.stack([sound, 0.5 * sound]))
    _write_wav(folder / "opposite.wav", np.stack([sound, -sound]))
    zeros = np.zeros_like(sound)
    _write_wav(folder / "centre.wav", np.stack([zeros, zeros, sound, zeros, zeros, zeros]))
    Image.fromarray(still()).save(folder / "still.png")
    ffmpeg(
        *("-loop", "1", "-framerate", "25", "-i", "still.png", "-i", "sound.wav"),
        *("-vf", "drawbox=x=150:y=10:w='4+t*4':h=8:color=black:t=fill"),
        *("-t", f"{SECONDS}", "-c:v", "ffv1", "-pix_fmt", "yuv444p", "-c:a", "pcm_s16le"),
        "clip.mkv",
        folder=folder,
    )


def _write_wav(path: Path, channels: NDArray[np.float32]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(channels.T * 32767).astype("<i2").tobytes())
