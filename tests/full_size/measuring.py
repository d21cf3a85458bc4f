"""What a made clip shows and sounds, read from its media, and which option that makes true."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.medium import Media
from aurelia_plugin.media.video import uniform_frames
from full_size.numbered import number_of_picture, numbers_of_sound

__all__ = ["Span", "spans_of", "true_option"]

_PARTS = 4
_RATE = 16_000
_CLIP_ASPECT = 16 / 9


class Span(NamedTuple):
    """A stretch of time in which the same is seen and heard.

    Attributes:
        seen: numbers of the clips that are seen, from left to right.
        heard: of those that are heard.
    """

    seen: tuple[int, ...]
    heard: frozenset[int]


def spans_of(path: Path) -> tuple[Span, ...]:
    """Return what is seen and heard in a clip, in the order of time.

    Picture and sound are read in four equal parts.

    Raises:
        ValueError: there is no sound, or in some part no known picture or tone.
    """
    media = Media("video", path)
    frames = uniform_frames(media, _PARTS).pixels
    sound = waveform(media, _RATE)
    if sound is None:
        raise ValueError(f"{path.name} has no sound")
    if len(frames) != _PARTS:
        raise ValueError(f"{path.name} has {len(frames)} frames to look at, not {_PARTS}")
    stretches = np.array_split(sound.samples, _PARTS)
    parts = [
        Span(_seen(frame), numbers_of_sound(stretch, _RATE))
        for frame, stretch in zip(frames, stretches, strict=True)
    ]
    return tuple(span for span, _ in groupby(parts))


def _seen(pixels: NDArray[np.uint8]) -> tuple[int, ...]:
    whole = number_of_picture(pixels)
    if whole is not None:
        return (whole,)
    half = pixels.shape[1] // 2
    high = round(half / _CLIP_ASPECT)
    top = (pixels.shape[0] - high) // 2
    shown = pixels[top : top + high]
    left, right = number_of_picture(shown[:, :half]), number_of_picture(shown[:, half:])
    if left is None or right is None:
        raise ValueError("neither one clip nor two clips side by side are seen")
    return (left, right)


def true_option(item: Item, spans: tuple[Span, ...], labels: Mapping[int, str]) -> str | None:
    """Return the one option that what was measured bears out, or None if there is no such one.

    Args:
        item: with options as `data build compositional` words them; its gold answer is not read.
        spans: as measured.
        labels: number of a clip -> what it shows and sounds.
    """
    seen = [[labels[number] for number in span.seen] for span in spans]
    heard = [{labels[number] for number in span.heard} for span in spans]
    judge = {"order": _order, "swap": _swap, "binding": _binding}[item.question_type or ""]
    true = [option for option in item.options or () if judge(option, seen, heard)]
    return true[0] if len(true) == 1 else None


def _order(option: str, seen: list[list[str]], heard: list[set[str]]) -> bool:
    if any(set(one) != other for one, other in zip(seen, heard, strict=True)):
        return False  # what is seen is not what is heard
    if len(seen) == 1 and len(set(seen[0])) == 2:
        return option == f"{' and '.join(seen[0])}, both at the same time"
    if any(len(one) != 1 for one in seen):
        return False
    things = [thing for (thing,) in seen]
    if len(set(things)) == 1:
        # A label may have an "or" of its own.
        named = option.removeprefix("only one of them (").removesuffix("), never the other")
        first, last = f"{things[0]} or ", f" or {things[0]}"
        return named != option and (named.startswith(first) or named.endswith(last))
    return option == " followed by ".join(things)


def _swap(option: str, seen: list[list[str]], heard: list[set[str]]) -> bool:
    if [len(one) for one in (*seen, *heard)] != [1, 1]:
        return False
    (picture,), (sound,) = seen[0], heard[0]
    return option == f"seen: {picture}; heard: {sound}"


def _binding(option: str, seen: list[list[str]], heard: list[set[str]]) -> bool:
    if [len(one) for one in (*seen, *heard)] != [2, 1]:
        return False
    (sound,) = heard[0]
    places = [
        place for place, thing in zip(("left", "right"), seen[0], strict=True) if thing == sound
    ]
    return len(places) == 1 and option == f"{sound}, on the {places[0]}"
