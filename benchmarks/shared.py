"""What the benchmark scripts share: clips, questions, the last line of output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["FilmedClip", "f1", "note", "report", "write_clip"]

Picture = NDArray[np.uint8]

_RATE = 16_000
_AAC_FRAME = 1024


def note(text: str) -> None:
    """Tell how far a script is, on standard error."""
    print(text, file=sys.stderr, flush=True)


def report(figures: dict[str, Any]) -> None:
    """Print the figures as one JSON object: the last line of a script's output."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps(rounded))


class FilmedClip(NamedTuple):
    """A clip made here, and the times in seconds at which a new scene begins."""

    path: Path
    cuts: tuple[float, ...]


def write_clip(
    path: Path,
    seconds: float,
    seed: int,
    *,
    size: tuple[int, int] = (1280, 720),
    rate: int = 30,
    scene: tuple[float, float] = (0.6, 2.5),
    pans: bool = True,
    hertz: float | None = None,
) -> FilmedClip:
    """Film scenes with moving things, grain and hard cuts between them: H.264, and AAC.

    Args:
        hertz: of a tone that goes with it; None leaves it without sound.
        scene: shortest and longest scene, in seconds.
        pans: whether the camera moves in some scenes. To the official algorithm a moving texture
            is one key frame after the other; for cuts that are known, the camera has to stand.
    """
    rng = np.random.default_rng(seed)
    frames = round(seconds * rate)
    cuts = []
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23"}
        track: Any = container.add_stream("aac", rate=_RATE, layout="mono") if hertz else None
        done = 0
        while done < frames:
            if done:
                cuts.append(done / rate)
            length = min(frames - done, round(rng.uniform(*scene) * rate))
            for picture in _scene(rng, size, length, pans):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
            done += length
        container.mux(stream.encode(None))
        if hertz:
            _add_tone(container, track, seconds, hertz)
    return FilmedClip(path, tuple(cuts))


def _add_tone(container: Any, track: Any, seconds: float, hertz: float) -> None:
    moments = np.arange(round(seconds * _RATE)) / _RATE
    wave = (0.3 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)
    for start in range(0, len(wave), _AAC_FRAME):
        samples = np.ascontiguousarray(wave[None, start : start + _AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = _RATE, start
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def _scene(
    rng: np.random.Generator, size: tuple[int, int], length: int, pans: bool
) -> Iterator[Picture]:
    """Yield the frames of one scene: a textured ground that pans, a disc that moves, grain."""
    width, height = size
    ground = _ground(rng, width + 64, height)
    pan = rng.choice([0.0, 0.0, 0.3, 1.0]) if pans else 0.0
    grain = float(rng.choice([0.0, 1.5, 3.0]))
    colour = rng.integers(0, 256, 3)
    x, y = rng.uniform(0.2, 0.8, 2) * (width, height)
    dx, dy = rng.uniform(-6, 6, 2)
    radius = height // 8
    down, across = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = down**2 + across**2 <= radius**2
    for index in range(length):
        left = int(pan * index) % 64
        picture = ground[:, left : left + width].copy()
        top = int(np.clip(y + dy * index, radius, height - radius - 1)) - radius
        start = int(np.clip(x + dx * index, radius, width - radius - 1)) - radius
        picture[top : top + 2 * radius + 1, start : start + 2 * radius + 1][disc] = colour
        if grain:
            noise = rng.normal(0.0, grain, (height, width, 1)).astype(np.float32)
            picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
        yield picture


def _ground(rng: np.random.Generator, width: int, height: int) -> Picture:
    """Return patches of colour under a fine texture, as walls, grass and crowds have it."""
    cell, detail = int(rng.choice([48, 96, 160])), int(rng.choice([3, 5]))
    patches = _cells(rng, width, height, cell, 3)
    texture = _cells(rng, width, height, detail, 1)
    return np.clip(0.6 * patches + 0.5 * texture, 0, 255).astype(np.uint8)


def _cells(
    rng: np.random.Generator, width: int, height: int, cell: int, channels: int
) -> NDArray[np.float32]:
    """Return squares of random values in 0..255."""
    values = rng.integers(0, 256, (height // cell + 1, width // cell + 1, channels))
    return values.repeat(cell, 0).repeat(cell, 1)[:height, :width].astype(np.float32)


def f1(found: Sequence[float], true: Sequence[float], tolerance: float = 1e-3) -> float:
    """Return the F1 of found against true times; 1 if there are none of either."""
    left = list(true)
    hits = 0
    for time in found:
        match = next((other for other in left if abs(other - time) <= tolerance), None)
        if match is not None:
            left.remove(match)
            hits += 1
    total = len(found) + len(true)
    return 2 * hits / total if total else 1.0
