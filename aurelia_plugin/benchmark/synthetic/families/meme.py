"""Meme: what is odd, or not, about how picture and sound go together. Four options.

The options always cross two readings of the picture with two readings of the sound, so either
medium alone leaves two of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from aurelia_plugin.benchmark.synthetic.families.draw import (
    INSTRUMENT_OF,
    LEGEND,
    Draft,
    Family,
    Turn,
    article,
    beats,
    figure,
    nuisance,
    one_of,
    place_gold,
    several_of,
    turn_of,
)
from aurelia_plugin.benchmark.synthetic.scene import TEMPI, Figure, Note, Scene, Sound
from aurelia_plugin.benchmark.synthetic.vocabulary import INSTRUMENTS, SHAPES

__all__ = ["FAMILIES"]


class _Cell(NamedTuple):
    """One of the four pairings: the reading of the picture, of the sound, and the option."""

    picture: int
    sound: int


_CELLS = (_Cell(0, 1), _Cell(0, 0), _Cell(1, 0), _Cell(1, 1))

_QUESTION = "What is the joke in this clip, or is there none? Watch and listen."


def _draft(
    rng: np.random.Generator,
    turn: Turn,
    scene: Scene,
    texts: dict[_Cell, str],
    steps: tuple[tuple[str, str], ...],
    question: str = _QUESTION,
) -> Draft:
    gold = turn_of(_CELLS, turn.number)
    others = [texts[cell] for cell in _CELLS if cell != gold]
    choices = place_gold(rng, texts[gold], others, turn)
    fits = gold.picture == gold.sound
    verdict = "They fit." if fits else "They do not fit."
    return Draft(
        scene=nuisance(rng, scene),
        question=question,
        answer=choices.letter,
        category="Commonsense reasoning" if fits else "Meme and humor",
        steps=(*(step for step, _ in steps), "Do picture and sound fit together?"),
        answers=(*(reply for _, reply in steps), verdict),
        options=choices.options,
    )


def size_and_pitch(rng: np.random.Generator, turn: Turn) -> Draft:
    """A huge or tiny thing with a deep or squeaky voice."""
    gold = turn_of(_CELLS, turn.number)
    sizes, voices = ("huge", "tiny"), ("deep", "squeaky")
    texts = {
        cell: f"Something {sizes[cell.picture]} with a {voices[cell.sound]} voice"
        + (": that fits." if cell.picture == cell.sound else ": that is odd.")
        for cell in _CELLS
    }
    radius = (0.42, 0.11)[gold.picture]
    low = (38, 84)[gold.sound]
    timbre = one_of(rng, ("flute", "organ", "guitar"))
    notes = tuple(Note(0.3 + 0.6 * k, 0.45, float(low + rng.integers(-2, 3))) for k in range(6))
    scene = Scene((figure(rng, radius=radius),), (Sound(timbre, notes),))
    steps = (
        ("How large is the shape?", sizes[gold.picture]),
        ("How high or low is the sound?", voices[gold.sound]),
    )
    return _draft(rng, turn, scene, texts, steps)


def landing_and_sound(rng: np.random.Generator, turn: Turn) -> Draft:
    """Something that lands again and again, or keeps still, with or without thuds."""
    gold = turn_of(_CELLS, turn.number)
    texts = {
        _Cell(0, 0): "It bounces and thuds are heard: that fits.",
        _Cell(0, 1): "It bounces without any sound: that is odd.",
        _Cell(1, 0): "Thuds are heard while it keeps still: that is odd.",
        _Cell(1, 1): "It keeps still in silence: that fits.",
    }
    tempo = one_of(rng, ("slow", "fast"))
    begins = float(rng.uniform(0.2, 0.5))
    shape = figure(
        rng, y=0.68, radius=0.2, motion="bouncing", begins=begins, period=60.0 / TEMPI[tempo]
    )
    if gold.picture == 1:
        shape = replace(shape, motion="still")
    thuds = (beats(rng, "drum", tempo, begins),) if gold.sound == 0 else ()
    steps = (
        ("Does the shape bounce or keep still?", ("it bounces", "it keeps still")[gold.picture]),
        ("Are thuds heard?", ("yes", "no")[gold.sound]),
    )
    return _draft(rng, turn, Scene((shape,), thuds), texts, steps)


def wrong_instrument(rng: np.random.Generator, turn: Turn) -> Draft:
    """A shape that stands for one instrument and sounds like it, or like another one."""
    gold = turn_of(_CELLS, turn.number)
    shapes = several_of(rng, SHAPES, 2)
    sounds = [INSTRUMENT_OF[shape] for shape in shapes]
    texts = {
        cell: f"A {shapes[cell.picture]} that sounds like {article(sounds[cell.sound])}"
        + (": that fits." if cell.picture == cell.sound else ": that is odd.")
        for cell in _CELLS
    }
    notes = tuple(Note(0.2 + 0.5 * k, 0.45, float(rng.integers(57, 70))) for k in range(7))
    scene = Scene(
        (figure(rng, shape=shapes[gold.picture], radius=0.22),),
        (Sound(sounds[gold.sound], notes),),
    )
    steps = (
        ("Which shape is in the picture?", shapes[gold.picture]),
        ("Which instrument is heard?", sounds[gold.sound]),
    )
    return _draft(rng, turn, scene, texts, steps, f"{LEGEND} {_QUESTION}")


def haste(rng: np.random.Generator, turn: Turn) -> Draft:
    """Something that hurries or dawdles to fast or slow music."""
    gold = turn_of(_CELLS, turn.number)
    tempi, speeds = ("fast", "slow"), ("It hurries", "It dawdles")
    texts = {
        cell: f"{speeds[cell.picture]} while the music is {tempi[cell.sound]}"
        + (": that fits." if cell.picture == cell.sound else ": that is odd.")
        for cell in _CELLS
    }
    spacing = {"fast": 60.0 / TEMPI["very fast"], "slow": 60.0 / TEMPI["very slow"]}
    seen_tempo, heard_tempo = tempi[gold.picture], tempi[gold.sound]
    shape: Figure = figure(
        rng,
        radius=0.16,
        motion="sliding",
        begins=0.0,
        period=(0.9 if seen_tempo == "fast" else 4.5) * float(rng.uniform(0.9, 1.1)),
    )
    timbre = one_of(rng, INSTRUMENTS)
    onsets = np.arange(0.2, 3.8, spacing[heard_tempo])
    notes = tuple(Note(float(onset), 0.3, float(rng.integers(57, 70))) for onset in onsets)
    steps = (
        ("How quickly does the shape move?", seen_tempo),
        ("How quickly does the music go?", heard_tempo),
    )
    tempo = {"fast": "very fast", "slow": "very slow"}[heard_tempo]
    return _draft(rng, turn, Scene((shape,), (Sound(timbre, notes, tempo=tempo),)), texts, steps)


FAMILIES: dict[str, Family] = {
    "size_and_pitch": size_and_pitch,
    "landing_and_sound": landing_and_sound,
    "wrong_instrument": wrong_instrument,
    "haste": haste,
}
