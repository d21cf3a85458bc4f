"""A band of instruments: their shapes side by side, and their sounds taking turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aurelia_plugin.benchmark.synthetic.families.draw import (
    PLACE_X,
    SHAPE_OF,
    figure,
    several_of,
    tune,
)
from aurelia_plugin.benchmark.synthetic.scene import DURATION, Figure, Sound
from aurelia_plugin.benchmark.synthetic.vocabulary import PLACES

__all__ = ["band", "places", "row"]

_STEP = 0.4
_RANGES = ((48, 58), (60, 70), (72, 82))


def places(count: int) -> tuple[str, ...]:
    """Return the names of the places of two or three instruments, from left to right."""
    return ("left", "right") if count == 2 else PLACES


def row(rng: np.random.Generator, instruments: Sequence[str]) -> tuple[Figure, ...]:
    """Place the instruments' shapes from left to right; the first is the leftmost."""
    return tuple(
        figure(rng, shape=SHAPE_OF[instrument], x=PLACE_X[place], radius=0.14)
        for place, instrument in zip(places(len(instruments)), instruments, strict=True)
    )


def band(
    rng: np.random.Generator, instruments: Sequence[str], begins: Sequence[float] | None = None
) -> tuple[Sound, ...]:
    """Let the instruments take turns, note by note, so that each is heard alone too."""
    begins = begins or [0.15] * len(instruments)
    registers = several_of(rng, _RANGES, len(_RANGES))
    sounds = []
    for index, (instrument, begin) in enumerate(zip(instruments, begins, strict=True)):
        slots = np.arange(0.15 + _STEP * index, DURATION - 0.3, _STEP * len(instruments))
        onsets = [float(slot) for slot in slots if slot >= begin]
        low, high = registers[index % len(registers)]
        sounds.append(Sound(instrument, tune(rng, onsets, 0.36, low, high)))
    return tuple(sounds)
