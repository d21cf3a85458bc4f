"""What this package and ffmpeg make of a file, against what is right."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.errors import AureliaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.content import coerce
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.video import probe, uniform_frames

from .kinds import Expected, OddFile
from .reference import COLOURS, melody

__all__ = ["Finding", "compared"]

_RATE = 16_000
_LEAST_CORRELATION = 0.99
_LEAST_COARSE = 0.85
_LONGEST_OFF_S = 0.05
_SHORTEST_SOUND_S = 0.2

Sound = NDArray[np.float32]


class Finding(NamedTuple):
    """One file's row: `outcome` is right, refused (as it should be), wrong, or unmade."""

    name: str
    group: str
    outcome: str
    correlation: float | None = None
    by_ffmpeg: float | None = None
    said: str = ""


def compared(odd: OddFile, folder: Path) -> Finding:
    """Make a file, decode it, and say whether the outcome is right."""
    try:
        odd.make(folder, odd.name)
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        return Finding(odd.name, odd.group, "unmade", said=str(error).split("\n")[-1][:120])
    path = folder / odd.name
    try:
        found = _checked(odd, path)
    except AureliaError as error:
        said = str(error.what).removeprefix(f"{path}: ")
        outcome = "refused" if odd.expected.kind is None else "wrong"
        return Finding(odd.name, odd.group, outcome, said=said[:120])
    if odd.expected.kind is None:
        return Finding(odd.name, odd.group, "wrong", said="was to be refused")
    return found


def _checked(odd: OddFile, path: Path) -> Finding:
    media = coerce(str(path))
    wanted = odd.expected
    faults = []
    if media.kind != wanted.kind:
        faults.append(f"taken for {media.kind}")
    if wanted.corners:
        faults += _corner_faults(_shown(path, media.kind), wanted.corners, odd.grey)
    sound = None if media.kind == "image" else waveform(media, _RATE)
    correlation = ours = None
    if wanted.kind != "image":
        faults += _length_faults(wanted, probe(media).seconds, sound is not None)
    if not wanted.sound and sound is not None:
        faults.append("has sound")
    if wanted.sound and sound is None:
        faults.append("has no sound")
    if wanted.sound and sound is not None:
        ours = sound.samples
        correlation = _correlation(ours, wanted)
        least = _LEAST_COARSE if odd.coarse else _LEAST_CORRELATION
        if correlation < least:
            faults.append(f"sound correlates by {correlation:.3f}")
    theirs = _by_ffmpeg(path) if odd.by_ffmpeg and ours is not None else None
    by_ffmpeg = None if theirs is None or ours is None else _alike(ours, theirs)
    outcome = "wrong" if faults else "right"
    return Finding(odd.name, odd.group, outcome, correlation, by_ffmpeg, "; ".join(faults))


def _length_faults(wanted: Expected, seconds: float, has_sound: bool) -> list[str]:
    if wanted.seconds is None:
        return []
    # A codec's last block is full, and a joined or thinned file ends with what is left of it.
    allowed = _LONGEST_OFF_S if wanted.kind == "video" or not has_sound else 0.15
    off = seconds - wanted.seconds
    return [] if abs(off) <= allowed else [f"lasts {seconds:.2f} s instead of {wanted.seconds} s"]


def _shown(path: Path, kind: str) -> NDArray[np.uint8]:
    media = coerce(str(path))
    return picture(media) if kind == "image" else uniform_frames(media, 1).pixels[0]


def _corner_faults(pixels: NDArray[np.uint8], wanted: str, grey: bool) -> list[str]:
    height, width, _ = pixels.shape
    places = [(height // 4, width // 4), (height // 4, 3 * width // 4)]
    places += [(3 * height // 4, width // 4), (3 * height // 4, 3 * width // 4)]
    patches = [pixels[y - 1 : y + 2, x - 1 : x + 2].mean(axis=(0, 1)) for y, x in places]
    if grey:
        shades = [float(patch.mean()) for patch in patches]
        order = "".join(str(int(step)) for step in np.argsort(np.argsort(shades)))
        if wanted == "0123":
            right = order == wanted and shades[0] < 30 and shades[3] > 220
        else:
            right = max(shades[:2]) < 10 and min(shades[2:]) > 245
        return [] if right else [f"greys {[round(shade) for shade in shades]}"]
    names = "".join(
        min(COLOURS, key=lambda name: float(np.abs(patch - COLOURS[name]).sum()))
        for patch in patches
    )
    off = max(
        float(np.abs(patch - COLOURS[name]).max())
        for patch, name in zip(patches, names, strict=True)
    )
    faults = [] if names == wanted else [f"corners {names} instead of {wanted}"]
    return faults if off < 60 else [*faults, f"colours off by {off:.0f}"]


def _correlation(sound: Sound, wanted: Expected) -> float:
    """Return the lowest correlation with the melody over the spans that are there."""
    right = melody(rate=_RATE)
    reach = round(_LONGEST_OFF_S * _RATE)
    found = 1.0
    for first, last in wanted.kept:
        begin = round(first * _RATE) + reach  # so that it may lie earlier, too
        piece = right[begin : round(last * _RATE)]
        found = min(found, _best(sound, piece, begin + round(wanted.begins * _RATE)))
    return found


def _best(sound: Sound, piece: Sound, begin: int) -> float:
    """Return the best correlation within 50 ms of where the piece belongs."""
    reach = round(_LONGEST_OFF_S * _RATE)
    low = max(0, begin - reach)
    piece = piece[: max(1, len(piece) - 2 * reach)]  # so that it may lie later, too
    window = sound[low : begin + len(piece) + reach]
    if len(window) < _SHORTEST_SOUND_S * _RATE:
        return 0.0
    piece = piece[: len(window)]
    size = 1 << (len(window) + len(piece)).bit_length()
    spectrum = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    products = np.fft.irfft(spectrum, size)[: max(1, len(window) - len(piece) + 1)]
    shift = int(np.argmax(np.abs(products)))
    part = window[shift : shift + len(piece)]
    norm = float(np.linalg.norm(part) * np.linalg.norm(piece[: len(part)]))
    return abs(float(np.dot(part, piece[: len(part)]))) / norm if norm else 0.0


def _alike(ours: Sound, theirs: Sound) -> float:
    length = min(len(ours), len(theirs))
    reach = round(_LONGEST_OFF_S * _RATE)
    return 0.0 if not length else _best(ours, theirs[reach : length - reach], reach)


def _by_ffmpeg(path: Path) -> Sound | None:
    """Return ffmpeg's decoding, its sound laid out by its time stamps; None if it has none."""
    command = ["ffmpeg", "-nostdin", "-v", "quiet", "-i", str(path), "-vn"]
    command += ["-af", f"aresample={_RATE}:async=1:first_pts=0", "-ac", "1", "-f", "f32le", "-"]
    done = subprocess.run(command, capture_output=True, timeout=120)
    return np.frombuffer(done.stdout, dtype=np.float32) if done.stdout else None
