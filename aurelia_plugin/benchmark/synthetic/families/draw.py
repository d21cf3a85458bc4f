"""Random choices that every family of questions shares, and the draft that a family returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import numpy as np

from aurelia_plugin.benchmark.data.items import Medium
from aurelia_plugin.benchmark.synthetic.scene import (
    DURATION,
    TEMPI,
    Figure,
    Motion,
    Note,
    Scene,
    Sound,
)
from aurelia_plugin.benchmark.synthetic.vocabulary import COLOURS, INSTRUMENTS, SHAPES

__all__ = [
    "BOTH",
    "PLACE_X",
    "Choices",
    "Draft",
    "Family",
    "Turn",
    "article",
    "beats",
    "figure",
    "nuisance",
    "one_of",
    "place_gold",
    "repeated",
    "several_of",
    "tune",
    "turn_of",
]

T = TypeVar("T")

BOTH: tuple[Medium, ...] = ("sound", "picture")

PLACE_X = {"left": 0.2, "middle": 0.5, "right": 0.8}

_SCALE = (0, 2, 4, 7, 9)


@dataclass(frozen=True)
class Draft:
    """One question before it gets an id and media paths.

    `answer` is the letter of the right option, or the answer's text. `candidates` are clips of
    which only the sound counts. `answers` are the answers to `steps`.
    """

    scene: Scene
    question: str
    answer: str
    category: str
    steps: tuple[str, ...]
    answers: tuple[str, ...]
    needs: tuple[Medium, ...] = BOTH
    options: tuple[str, ...] | None = None
    references: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    candidates: tuple[Scene, ...] = ()


class Turn(NamedTuple):
    """Which gold answer, and which letter, a question of a family has.

    Attributes:
        number: of the turn; what the right answer says cycles with it, so that it balances.
        draw: how many questions of the family were drawn before; letters balance over them.
        seed: of the letters; None draws each by itself.
    """

    number: int
    draw: int = 0
    seed: tuple[int, ...] | None = None

    def letter(self, rng: np.random.Generator, count: int) -> int:
        """Return the place of the right option among `count`.

        Of each `count` questions in a row every letter is right once, in an order drawn from the
        seed: no letter follows from the one before it, nor from what the right answer says.
        """
        if self.seed is None:
            return int(rng.integers(count))
        block, place = divmod(self.draw, count)
        return int(np.random.default_rng([*self.seed, count, block]).permutation(count)[place])


Family = Callable[[np.random.Generator, Turn], Draft]
"""A kind of question."""


class Choices(NamedTuple):
    """Options in their final order, and the letter of the right one."""

    options: tuple[str, ...]
    letter: str


def one_of(rng: np.random.Generator, values: Sequence[T]) -> T:
    """Return one of the values, all equally likely."""
    return values[int(rng.integers(len(values)))]


def several_of(rng: np.random.Generator, values: Sequence[T], count: int) -> list[T]:
    """Return `count` different values in random order."""
    return [values[int(index)] for index in rng.permutation(len(values))[:count]]


def turn_of(values: Sequence[T], turn: int, stride: int = 1) -> T:
    """Return the value whose turn it is, the next one after every `stride` turns.

    With the product of the earlier lists' lengths as stride, several lists cycle through all
    their combinations.
    """
    return values[(turn // stride) % len(values)]


def place_gold(rng: np.random.Generator, gold: str, others: Sequence[str], turn: Turn) -> Choices:
    """Put the right option where the turn's letter is drawn, among the others in random order."""
    position = turn.letter(rng, len(others) + 1)
    options = several_of(rng, others, len(others))
    options.insert(position, gold)
    return Choices(tuple(options), chr(ord("A") + position))


def article(word: str) -> str:
    """Return the word with its indefinite article."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def figure(
    rng: np.random.Generator,
    *,
    shape: str | None = None,
    colour: str | None = None,
    x: float = 0.5,
    y: float = 0.5,
    radius: float = 0.2,
    motion: Motion = "still",
    begins: float = 0.0,
    period: float = 1.0,
) -> Figure:
    """Draw a figure near the given place and size; shape and colour are drawn if not given."""
    return Figure(
        shape=shape or one_of(rng, SHAPES),
        colour=colour or one_of(rng, COLOURS),
        x=x + float(rng.uniform(-0.03, 0.03)),
        y=y + float(rng.uniform(-0.06, 0.06)),
        radius=radius * float(rng.uniform(0.88, 1.12)),
        motion=motion,
        begins=begins,
        period=period,
    )


def nuisance(rng: np.random.Generator, scene: Scene) -> Scene:
    """Return the scene with its own background shade, noise and loudness."""
    loudness = float(rng.uniform(0.6, 1.3))
    return replace(
        scene,
        background=int(rng.integers(15, 70)),
        picture_noise=float(rng.uniform(0.5, 3.0)),
        sound_noise=float(rng.uniform(0.0005, 0.003)),
        noise_seed=int(rng.integers(2**31)),
        sounds=tuple(replace(sound, gain=sound.gain * loudness) for sound in scene.sounds),
    )


def tune(
    rng: np.random.Generator, onsets: Sequence[float], length: float, low: int = 55, high: int = 72
) -> tuple[Note, ...]:
    """Return notes of a random pentatonic tune at the onsets, within the MIDI range."""
    base = int(rng.integers(low, max(high - 9, low + 1)))
    return tuple(Note(onset, length, base + one_of(rng, _SCALE)) for onset in onsets)


def repeated(
    rng: np.random.Generator, timbre: str, begins: float = 0.2, step: float = 0.45
) -> Sound:
    """Return a source that plays a tune from `begins` to the end of the clip."""
    onsets = np.arange(begins, DURATION - 0.3, step)
    return Sound(timbre, tune(rng, [float(onset) for onset in onsets], 0.9 * step))


def beats(
    rng: np.random.Generator, timbre: str, tempo: str, begins: float, factor: float = 1.0
) -> Sound:
    """Return a source that repeats one note at the tempo (times `factor`) from `begins` on."""
    period = 60.0 / (TEMPI[tempo] * factor)
    onsets = np.arange(begins, DURATION - 0.05, period)
    pitch = float(rng.integers(55, 73))
    length = min(0.3, 0.8 * period)
    return Sound(timbre, tuple(Note(float(onset), length, pitch) for onset in onsets), tempo=tempo)


INSTRUMENT_OF = dict(zip(SHAPES, INSTRUMENTS, strict=True))
"""Which instrument a shape stands for, in questions that say so in their legend."""
SHAPE_OF = {instrument: shape for shape, instrument in INSTRUMENT_OF.items()}
LEGEND = (
    "Each shape is an instrument: "
    + ", ".join(f"{shape} = {instrument}" for shape, instrument in INSTRUMENT_OF.items())
    + "."
)
__all__ += ["INSTRUMENT_OF", "LEGEND", "SHAPE_OF"]
