"""Made clips as arrays: excerpts of real clips, shown in turn or side by side, sound mixed.

Of every clip the loudest four seconds are taken, the same ones for picture and sound. All sounds
are brought to one level and begin and end softly, so neither loudness nor a click at the joint
says what was done. Pictures are fitted into a frame of 640 x 360 (half of it side by side).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aurelia_plugin.benchmark.sources.montage import Montage
from aurelia_plugin.benchmark.synthetic.scene import FPS, SAMPLE_RATE
from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.medium import Media
from aurelia_plugin.media.video import probe, uniform_frames

__all__ = ["EXCERPT_S", "HEIGHT", "SHORTEST_S", "WIDTH", "Rendered", "render"]

EXCERPT_S: Final = 4.0
"""Seconds that are taken of a clip, or as many as it has."""

SHORTEST_S: Final = 1.0
"""Of a clip that is shorter nothing can be made."""

WIDTH: Final = 640
HEIGHT: Final = 360

_LEVEL: Final = 0.08  # root mean square of every excerpt
_PEAK: Final = 0.95
_SILENT: Final = 1e-3  # root mean square below which nothing is heard
_FADE_S: Final = 0.02
_HOP_S: Final = 0.25
_FIX: Final = "Download the clip again, or leave it out: choose rows with --ids or --number."


class Rendered(NamedTuple):
    """A made clip.

    Attributes:
        frames: `[n, 360, 640, 3]`, `FPS` per second.
        samples: mono, `SAMPLE_RATE` Hz, -1..1.
    """

    frames: NDArray[np.uint8]
    samples: NDArray[np.float32]


class _Excerpt(NamedTuple):
    """The part of a clip that is taken.

    Attributes:
        path: of the clip.
        start: in seconds.
        samples: its sound, mono, `SAMPLE_RATE` Hz, as loud as in the clip.
        width, height: of the clip's picture.
    """

    path: Path
    start: float
    samples: NDArray[np.float32]
    width: int
    height: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def render(montage: Montage, files: Mapping[str, Path]) -> Rendered:
    """Return the clip of a montage.

    Args:
        montage: what is shown and heard.
        files: the montage's names -> the files themselves.

    Raises:
        MediaError: a file cannot be read, is too short, has no picture or no sound.
    """
    excerpts = {name: _excerpt(files[name]) for name in montage.files}
    seconds = min(excerpt.seconds for excerpt in excerpts.values())
    seconds = int(seconds * FPS) / FPS
    sounds = [_sound(excerpts[name], seconds) for name in montage.sounds]
    width = WIDTH // len(montage.pictures) if montage.side_by_side else WIDTH
    pictures = [_picture(excerpts[name], seconds, width) for name in montage.pictures]
    if montage.side_by_side:
        mixed = np.sum(sounds, axis=0, dtype=np.float32)
        return Rendered(np.concatenate(pictures, axis=2), _limited(mixed))
    return Rendered(np.concatenate(pictures), _limited(np.concatenate(sounds)))


def _excerpt(path: Path) -> _Excerpt:
    stamp = path.stat()
    return _loudest(path, stamp.st_size, stamp.st_mtime_ns)


@lru_cache(maxsize=512)  # a quarter of a megabyte each
def _loudest(path: Path, _size: int, _modified: int) -> _Excerpt:
    """Return the loudest seconds of a clip; size and time tell changed files apart."""
    media = Media("video", path)
    info = probe(media)
    sound = waveform(media, SAMPLE_RATE)
    if not info.has_picture or sound is None:
        raise MediaError(path, "has no picture or no sound", _FIX)
    samples = sound.samples[: int(info.seconds * SAMPLE_RATE)]
    if len(samples) < SHORTEST_S * SAMPLE_RATE:
        seconds = len(samples) / SAMPLE_RATE
        raise MediaError(path, f"lasts {seconds:.1f} s; {SHORTEST_S:.0f} s are needed", _FIX)
    length = min(round(EXCERPT_S * SAMPLE_RATE), len(samples))
    power = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    firsts = np.arange(0, len(samples) - length + 1, round(_HOP_S * SAMPLE_RATE))
    means = (power[firsts + length] - power[firsts]) / length
    best = int(np.argmax(means))
    if float(np.sqrt(means[best])) < _SILENT:
        raise MediaError(path, "is silent", _FIX)
    first = int(firsts[best])
    excerpt = samples[first : first + length].copy()
    return _Excerpt(path, first / SAMPLE_RATE, excerpt, info.width, info.height)


def _sound(excerpt: _Excerpt, seconds: float) -> NDArray[np.float32]:
    samples = excerpt.samples[: round(seconds * SAMPLE_RATE)]
    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    ramp = np.linspace(0.0, 1.0, round(_FADE_S * SAMPLE_RATE), dtype=np.float32)
    fade = np.ones(len(samples), np.float32)
    fade[: len(ramp)], fade[-len(ramp) :] = ramp, ramp[::-1]
    return np.asarray(samples * fade * (_LEVEL / max(level, _SILENT)), dtype=np.float32)


def _limited(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    peak = float(np.max(np.abs(samples)))
    return np.asarray(samples * min(1.0, _PEAK / peak), dtype=np.float32) if peak else samples


def _picture(excerpt: _Excerpt, seconds: float, width: int) -> NDArray[np.uint8]:
    """Return the frames of an excerpt, fitted into `width` x 360 with black around them."""
    media = Media("video", excerpt.path, start=excerpt.start, end=excerpt.start + seconds)
    scale = min(width / excerpt.width, HEIGHT / excerpt.height)
    wide, high = (max(1, round(side * scale)) for side in (excerpt.width, excerpt.height))
    count = round(seconds * FPS)
    shown = uniform_frames(media, count, longest_side=max(wide, high))
    fitted = np.stack([_resized(frame, wide, high) for frame in shown.pixels])
    centres = (np.arange(count) + 0.5) / FPS
    # A frame that is on display at several centres comes once.
    places = np.clip(np.searchsorted(shown.times, centres, side="right") - 1, 0, None)
    top, left = (HEIGHT - high) // 2, (width - wide) // 2
    canvas = np.zeros((count, HEIGHT, width, 3), np.uint8)
    canvas[:, top : top + high, left : left + wide] = fitted[places]
    return canvas


def _resized(frame: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return a frame of another size; decoding shrinks, but never enlarges."""
    if frame.shape[:2] == (height, width):
        return frame
    size = (width, height)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR), np.uint8)
