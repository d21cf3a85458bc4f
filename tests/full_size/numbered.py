"""Clips that bear a number, in the picture and in the sound, which is read back from the media.

The picture is a grid of black and white cells: twelve of them are the number, twenty a digest of
it, so that what is no such picture is not taken for one. The sound is one tone; neighbouring
numbers are `_STEP` Hz apart.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "make_clip", "number_of_picture", "numbers_of_sound"]

_COLUMNS, _ROWS = 8, 4
_CELL = (16, 18)
_WIDTH, _HEIGHT = _COLUMNS * _CELL[0], _ROWS * _CELL[1]
_RATE = 16_000
_FPS = 10

_LOWEST, _STEP = 300.0, 8.0
MOST = int((_RATE / 2 - 500 - _LOWEST) / _STEP)
"""How many clips can be told apart."""

_DARK, _LIGHT = 80, 175  # levels between these are no cell's
_LOUD = 0.2  # of the strongest frequency


def make_clip(path: Path, number: int, seconds: float) -> None:
    """Write the clip of a number, 0 to `MOST` - 1: H.264 and AAC in MP4, with ffmpeg."""
    if not 0 <= number < MOST:
        raise ValueError(f"{number} has no clip")
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = np.kron(_cells(number), np.full(_CELL[::-1], 255, np.uint8)).astype(np.uint8)
    frames = cells.tobytes() * max(1, round(seconds * _FPS))
    tone = f"sine=frequency={_hertz(number)}:duration={seconds}:sample_rate={_RATE}"
    picture = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{_WIDTH}x{_HEIGHT}", "-r", str(_FPS)]
    command = ["ffmpeg", "-v", "error", "-y", "-threads", "1", *picture, "-i", "pipe:0"]
    command += ["-f", "lavfi", "-i", tone, "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-pix_fmt", "yuv420p", "-threads", "1", "-c:a", "aac", "-shortest", f"file:{path}"]
    subprocess.run(command, input=frames, check=True)


def number_of_picture(pixels: NDArray[np.uint8]) -> int | None:
    """Return the number that fills a picture from edge to edge, `[h, w, 3]`, if there is one."""
    high, wide = pixels.shape[:2]
    grey = pixels.astype(np.float32).mean(axis=2)
    levels = np.empty((_ROWS, _COLUMNS), np.float32)
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            # The middle half of a cell: its edges are blurred.
            top, left = (row + 0.25) * high / _ROWS, (column + 0.25) * wide / _COLUMNS
            below, right = (row + 0.75) * high / _ROWS, (column + 0.75) * wide / _COLUMNS
            part = grey[round(top) : round(below) + 1, round(left) : round(right) + 1]
            levels[row, column] = part.mean()
    if ((levels > _DARK) & (levels < _LIGHT)).any():
        return None
    cells = (levels >= _LIGHT).astype(np.uint8)
    number = int("".join(map(str, cells.reshape(-1)[:12])), 2)
    return number if np.array_equal(cells, _cells(number)) else None


def numbers_of_sound(samples: NDArray[np.float32], rate: int) -> frozenset[int]:
    """Return the numbers whose tones stand out of a stretch of sound.

    Raises:
        ValueError: a tone stands out that is no number's.
    """
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    # The highest point of each loud stretch, between two frequencies of the transform.
    loud = np.flatnonzero(spectrum > _LOUD * spectrum.max())
    stretches = np.split(loud, np.flatnonzero(np.diff(loud) > 2) + 1)
    numbers = set()
    for stretch in stretches:
        hertz = _centre(spectrum, stretch) * rate / len(samples)
        number = round((hertz - _LOWEST) / _STEP)
        if abs(_hertz(number) - hertz) > _STEP / 4:
            raise ValueError(f"a tone of {hertz:.1f} Hz is no clip's")
        numbers.add(number)
    return frozenset(numbers)


def _centre(spectrum: NDArray[np.float32], stretch: NDArray[np.intp]) -> float:
    weights = np.square(spectrum[stretch])
    return float((stretch * weights).sum() / weights.sum())


def _hertz(number: int) -> float:
    return _LOWEST + _STEP * number


def _cells(number: int) -> NDArray[np.uint8]:
    digest = int.from_bytes(hashlib.sha256(f"clip {number}".encode()).digest()[:4], "big")
    bits = f"{number:012b}{digest % 2**20:020b}"
    return np.array([int(bit) for bit in bits], np.uint8).reshape(_ROWS, _COLUMNS)
