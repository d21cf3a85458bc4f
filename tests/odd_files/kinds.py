"""What is expected of an odd file, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .reference import SECONDS

__all__ = ["Expected", "OddFile"]


class Expected(NamedTuple):
    """What is right for a file.

    Attributes:
        kind: what the file is; None where it has to be refused.
        seconds: length of its picture, or of its sound where there is none.
        corners: the colours of the corners as displayed (top left, top right, bottom left, bottom
            right); empty where there is no picture to look at.
        sound: whether the melody has to be found; None where there must be no sound.
        begins: where the melody begins, in seconds.
        kept: spans of the melody (seconds) that are in the file, where not all of it is.
        refusal: words of the refusal.
    """

    kind: str | None = "video"
    seconds: float | None = SECONDS
    corners: str = "RGBW"
    sound: bool = True
    begins: float = 0.0
    kept: tuple[tuple[float, float], ...] = ((0.0, SECONDS),)
    refusal: str = ""


class OddFile(NamedTuple):
    """One odd file: its name, its kind in words, its maker (into the folder) and what is right.

    `coarse` sound (telephone codecs) and `grey` pictures are compared less strictly.
    """

    name: str
    group: str
    make: Callable[[Path, str], None]
    expected: Expected
    coarse: bool = False
    grey: bool = False
    by_ffmpeg: bool = True
