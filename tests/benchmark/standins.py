"""Clips and annotation rows that stand in for those of public data sets, in their layout and names.

Every clip has its own colour and its own pure tone, so that it is known again in a made clip: by
the colour of a picture's part, and by the strongest frequency of a stretch of sound.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.medium import Media
from aurelia_plugin.media.video import probe, uniform_frames

__all__ = ["Clip", "Seen", "labels_csv", "make_clips", "measured", "music_rows"]

_RATE = 16_000


class Clip(NamedTuple):
    """What a clip shows and sounds: RGB levels and Hz; `hertz` 0 is silence."""

    colour: tuple[int, int, int]
    hertz: int


def make_clips(
    folder: Path, clips: Mapping[str, Clip], seconds: float = 5.0, size: str = "96x54"
) -> None:
    """Write a clip of H.264 and AAC for each name, with ffmpeg."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, clip in clips.items():
        colour = "0x" + "".join(f"{level:02x}" for level in clip.colour)
        picture = f"color=c={colour}:s={size}:r=10:d={seconds}"
        sound = f"sine=frequency={max(clip.hertz, 1)}:duration={seconds}:sample_rate={_RATE}"
        sound += "" if clip.hertz else ",volume=0"
        subprocess.run(
            [
                *("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture),
                *("-f", "lavfi", "-i", sound, "-c:v", "libx264", "-preset", "ultrafast"),
                *("-threads", "1", "-c:a", "aac", "-shortest", f"file:{folder / name}"),
            ],
            check=True,
        )


def music_rows(
    instruments: Mapping[str, str], template: str = "What kind of musical instrument is it?"
) -> str:
    """Return an annotation file in MUSIC-AVQA's schema: one row for each clip."""
    rows = [
        {
            "video_id": video,
            "question_id": number,
            "type": json.dumps(["Visual", "Location"]),
            "question_content": template,
            "templ_values": "[]",
            "question_deleted": 0,
            "anser": instrument,
        }
        for number, (video, instrument) in enumerate(instruments.items())
    ]
    return json.dumps(rows)


class Seen(NamedTuple):
    """What is measured in a clip.

    Attributes:
        thirds: for each third of the time, the names of the clips that are seen on the left and
            on the right.
        heard: for each third of the time, the names of the clips whose tones are heard.
    """

    thirds: tuple[tuple[str, str], ...]
    heard: tuple[frozenset[str], ...]


def measured(path: Path, known: Mapping[str, Clip]) -> Seen:
    """Measure which known clips are seen and heard where in the first and the last third."""
    media = Media("video", path)
    assert probe(media).has_sound
    frames = uniform_frames(media, 9).pixels
    sound = waveform(media, _RATE)
    assert sound is not None
    places = []
    heard = []
    for part in (0, 2):
        pixels = frames[3 * part + 1 if len(frames) >= 9 else (0 if part == 0 else -1)]
        half = pixels.shape[1] // 2
        places.append((_whose(pixels[:, :half], known), _whose(pixels[:, half:], known)))
        third = len(sound.samples) // 3
        heard.append(_tones(sound.samples[part * third : (part + 1) * third], known))
    return Seen(tuple(places), tuple(heard))


def _whose(pixels: NDArray[np.uint8], known: Mapping[str, Clip]) -> str:
    """Return the clip whose colour the middle of a picture has."""
    high, wide = pixels.shape[:2]
    middle = pixels[high // 2 - 5 : high // 2 + 5, wide // 2 - 5 : wide // 2 + 5]
    colour = middle.reshape(-1, 3).astype(float).mean(axis=0)
    return min(known, key=lambda name: float(np.abs(colour - known[name].colour).sum()))


def _tones(samples: NDArray[np.float32], known: Mapping[str, Clip]) -> frozenset[str]:
    """Return the clips whose frequency stands out of a stretch of sound."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hertz = np.fft.rfftfreq(len(samples), 1 / _RATE)

    def strength(clip: Clip) -> float:
        return float(spectrum[np.abs(hertz - clip.hertz) < 10].max())

    loudest = max(map(strength, known.values()))
    return frozenset(name for name, clip in known.items() if strength(clip) > 0.2 * loudest)


def labels_csv(rows: Sequence[tuple[str, str]]) -> str:
    """Return a file of labels."""
    return "file,label\n" + "".join(f"{file},{label}\n" for file, label in rows)
