"""Windows of a sound: which ones a system hears, and whether they all entered the prompt."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen
from aurelia_plugin.model_wrappers.sidecar.kit.forms import Used
from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_waveform

__all__ = ["Window", "account", "audible", "contiguous", "middles"]

_MARGIN = 0.1
_NEGLIGIBLE = 0.5  # seconds by which a soundtrack may outlast its picture


class Window(NamedTuple):
    """A stretch of a sound, in seconds."""

    begin: float
    end: float


def middles(seconds: float, count: int, longest: float) -> List[Window]:
    """Return the middles, at most `longest` seconds of each, of `count` equal parts."""
    part = seconds / count
    half = min(part, longest) / 2
    return [Window((n + 0.5) * part - half, (n + 0.5) * part + half) for n in range(count)]


def contiguous(count: int, length: float, kept: int) -> List[Window]:
    """Return the first `kept - 1` and the last of `count` windows that follow each other."""
    numbers = list(range(count)) if count <= kept else [*range(kept - 1), count - 1]
    return [Window(n * length, (n + 1) * length) for n in numbers]


def audible(path: str, windows: Sequence[Window]) -> int:
    """Return how many windows of a sound hold more than digital silence.

    The outermost tenth of a second of a window does not count: upstream may cut it a little
    differently.

    Raises:
        MediaError: if the sound cannot be read.
    """
    waveform = read_waveform(path)
    cuts = [(round((w.begin + _MARGIN) * RATE), round((w.end - _MARGIN) * RATE)) for w in windows]
    return sum(bool(waveform[begin:end].any()) for begin, end in cuts)


def account(used: Used, media: Chosen, windows: Sequence[Window], entered: int) -> None:
    """Fill in how much of a sound is in a prompt from which upstream masks out digital silence.

    Args:
        used: gets `clips`, `sound_seconds` and what was left out.
        media: the sound.
        windows: what should have entered the prompt.
        entered: how many windows did.

    Raises:
        RuntimeError: if windows that hold sound are missing.
    """
    expected = audible(media.sound, windows)
    if entered < expected:
        raise RuntimeError(f"{entered} windows of sound entered the prompt, and not {expected}")
    length = windows[0].end - windows[0].begin
    if not entered:
        used.drop(media.what, "digital silence, which the system masks out")
        return
    used.hear(round(min(entered * length, media.seconds), 3))
    if len(windows) * length < media.seconds - _NEGLIGIBLE:
        used.drop(f"{media.what} outside the windows", "not heard")
