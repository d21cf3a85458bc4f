"""What exists in a synthetic clip: figures that are seen, sounds that are heard, one timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from aurelia_plugin.benchmark.synthetic.atlas import FLAGS, MELODIES
from aurelia_plugin.benchmark.synthetic.vocabulary import COLOURS, INSTRUMENTS, SHAPES

__all__ = [
    "DURATION",
    "FPS",
    "HELD_OUT",
    "SAMPLE_RATE",
    "SIZE",
    "TEMPI",
    "Combination",
    "Figure",
    "Flag",
    "Motion",
    "Note",
    "Scene",
    "Sound",
    "held_out",
]

DURATION = 4.0
"""Seconds."""
FPS = 8
SIZE = 112
"""Height and width in pixels."""
SAMPLE_RATE = 16_000
"""Samples per second, mono."""

TEMPI = {"very slow": 40, "slow": 66, "fast": 108, "very fast": 168}
"""Beats per minute. The fastest leaves almost three pictures to a beat at 8 pictures a second."""

Motion = Literal["still", "bouncing", "sliding", "spinning", "flashing"]


@dataclass(frozen=True)
class Figure:
    """A coloured shape.

    Positions and sizes are fractions of the frame's side, `y` downwards; `radius` reaches from
    the centre to the outermost point. `begins` is when the motion begins and `period` its repeat
    time, both in seconds. A bouncing figure lands, and a flashing one lights up, at
    `begins + k * period`; outside its `flashes` (moments in seconds) a figure that has some is dim.
    `shown` is the span in seconds during which the figure is there at all.
    """

    shape: str
    colour: str
    x: float
    y: float
    radius: float
    motion: Motion = "still"
    begins: float = 0.0
    period: float = 1.0
    flashes: tuple[float, ...] = ()
    shown: tuple[float, float] = (0.0, DURATION)


@dataclass(frozen=True)
class Flag:
    """A flag of three stripes: from left to right if `upright`, else from top to bottom."""

    stripes: tuple[str, str, str]
    upright: bool


class Note(NamedTuple):
    """One note: onset and duration in seconds, pitch as a MIDI number (69 is 440 Hz)."""

    onset: float
    duration: float
    pitch: float


@dataclass(frozen=True)
class Sound:
    """One source of sound. `gain` is the RMS level of a full note; `tempo` a key of `TEMPI`."""

    timbre: str
    notes: tuple[Note, ...]
    gain: float = 0.15
    tempo: str | None = None
    melody: str | None = None


@dataclass(frozen=True)
class Scene:
    """One clip. `background` is a grey level 0..255; the noises are standard deviations."""

    figures: tuple[Figure, ...] = ()
    sounds: tuple[Sound, ...] = ()
    flag: Flag | None = None
    background: int = 40
    picture_noise: float = 3.0
    sound_noise: float = 0.002
    noise_seed: int = 0
    duration: float = DURATION

    @property
    def combinations(self) -> frozenset[Combination]:
        """The pairs of attributes in this scene, of the kinds that `HELD_OUT` knows."""
        pairs = {Combination("colour+shape", f.colour, f.shape) for f in self.figures}
        for sound in self.sounds:
            if sound.tempo is not None:
                pairs.add(Combination("timbre+tempo", sound.timbre, sound.tempo))
            if sound.melody is not None and self.flag is not None:
                stripes = "-".join(self.flag.stripes)
                pairs.add(Combination("flag+melody", stripes, sound.melody))
        return frozenset(pairs)


class Combination(NamedTuple):
    """A pair of attribute values; `kind` names the two attributes."""

    kind: str
    first: str
    second: str


def _every_fifth(
    kind: str, firsts: tuple[str, ...], seconds: tuple[str, ...]
) -> frozenset[Combination]:
    # A diagonal of the table: every single value still occurs in the combinations that remain.
    return frozenset(
        Combination(kind, first, second)
        for row, first in enumerate(firsts)
        for column, second in enumerate(seconds)
        if (row + 2 * column) % 5 == 0
    )


HELD_OUT: frozenset[Combination] = (
    _every_fifth("colour+shape", COLOURS, SHAPES)
    | _every_fifth("timbre+tempo", INSTRUMENTS, tuple(TEMPI))
    | _every_fifth("flag+melody", tuple("-".join(flag) for flag in FLAGS), tuple(MELODIES))
)
"""One fifth of the pairs. A model trained on such clips must not have seen them; the benchmark
uses all pairs."""


def held_out(scene: Scene) -> bool:
    """Tell whether the scene holds a pair of `HELD_OUT`; a training script must exclude these."""
    return not HELD_OUT.isdisjoint(scene.combinations)
