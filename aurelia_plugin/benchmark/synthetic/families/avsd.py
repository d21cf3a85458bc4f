"""AVSD: a short dialogue about the clip and a last question, answered in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from aurelia_plugin.benchmark.synthetic.families.draw import (
    Draft,
    Family,
    Turn,
    article,
    figure,
    nuisance,
    one_of,
    repeated,
    several_of,
    turn_of,
)
from aurelia_plugin.benchmark.synthetic.scene import Figure, Motion, Note, Scene, Sound
from aurelia_plugin.benchmark.synthetic.vocabulary import (
    COLOURS,
    INSTRUMENTS,
    MOTIONS,
    ORDERS,
    PITCHES,
    SHAPES,
)

__all__ = ["FAMILIES", "MOTION_PHRASES", "gliding", "moving", "starts"]

MOTION_PHRASES = {
    "bouncing": "bouncing",
    "sliding": "sliding from side to side",
    "spinning": "spinning",
    "flashing": "flashing",
    "still": "completely still",
}

_SMALL_TALK = (
    ("Is anybody in the video?", "No, it is a simple drawing."),
    ("Does the background change?", "No, it stays the same."),
    ("How many shapes are there?", "Just one."),
    ("Does anyone speak?", "No, nobody speaks."),
    ("Is it filmed indoors?", "It is a drawing, so neither indoors nor outdoors."),
    ("Is there any text in the picture?", "No, there is none."),
)


def moving(
    rng: np.random.Generator, motion: str, shape: str, colour: str, begins: float = 0.0
) -> Figure:
    """Draw one large figure with the motion from `begins` (seconds) on."""
    period = {"sliding": 2.0, "flashing": 0.8, "bouncing": 0.8}.get(motion, 1.0)
    return figure(
        rng,
        shape=shape,
        colour=colour,
        y=0.68 if motion == "bouncing" else 0.5,
        radius=0.2,
        motion=cast(Motion, motion),
        begins=begins,
        period=period * float(rng.uniform(0.85, 1.15)),
    )


def gliding(rng: np.random.Generator, timbre: str, pitch: str) -> Sound:
    """Return eight notes whose pitch rises, falls or stays level."""
    step = {"rising": 2.0, "falling": -2.0, "level": 0.0}[pitch]
    start = float(rng.integers(57, 63)) + (14.0 if pitch == "falling" else 0.0)
    begins = float(rng.uniform(0.1, 0.4))
    notes = tuple(Note(begins + 0.43 * k, 0.4, start + step * k) for k in range(8))
    return Sound(timbre, notes)


def starts(rng: np.random.Generator, order: str) -> tuple[float, float]:
    """Return when the sound and when the movement starts, in seconds."""
    early, late = float(rng.uniform(0.3, 0.8)), float(rng.uniform(1.8, 2.4))
    return {
        "sound first": (early, late),
        "picture first": (late, early),
        "together": (late, late),
    }[order]


def _dialogue(rng: np.random.Generator, question: str) -> str:
    turns = several_of(rng, _SMALL_TALK, 2 + int(rng.integers(2)))
    history = "\n".join(f"Q: {asked}\nA: {told}" for asked, told in turns)
    return f"Dialogue so far:\n{history}\nLast question: {question}"


def _draft(
    rng: np.random.Generator,
    scene: Scene,
    question: str,
    facts: dict[str, str],
    sentences: Sequence[str],
    steps: tuple[tuple[str, str], ...],
) -> Draft:
    return Draft(
        scene=nuisance(rng, scene),
        question=_dialogue(rng, question),
        answer=one_of(rng, sentences),
        category="Dynamic scene",
        steps=tuple(step for step, _ in steps),
        answers=tuple(reply for _, reply in steps),
        references=tuple(sentences),
        facts=facts,
    )


def colour_and_sound(rng: np.random.Generator, turn: Turn) -> Draft:
    """Which colour the shape has and which instrument plays."""
    colour, sound = (
        turn_of(COLOURS, turn.number),
        turn_of(INSTRUMENTS, turn.number + turn.number // 5),
    )
    shape, motion = one_of(rng, SHAPES), one_of(rng, MOTIONS)
    scene = Scene((moving(rng, motion, shape, colour),), (repeated(rng, sound),))
    sentences = (
        f"The {shape} is {colour} and {article(sound)} plays.",
        f"It is a {colour} {shape}, and you can hear {article(sound)}.",
        f"The shape is {colour}; the instrument is {article(sound)}.",
        f"{article(sound).capitalize()} is playing while the {colour} {shape} is shown.",
        f"You see {colour} and hear {article(sound)}.",
        f"Its colour is {colour} and the sound comes from {article(sound)}.",
    )
    return _draft(
        rng,
        scene,
        f"What colour is the shape, and which instrument plays ({', '.join(INSTRUMENTS)})?",
        {"colour": colour, "sound": sound},
        sentences,
        (
            ("What colour is the shape?", colour),
            ("Which instrument is heard?", sound),
        ),
    )


def motion_and_sound(rng: np.random.Generator, turn: Turn) -> Draft:
    """What the shape does and which instrument plays."""
    motion, sound = (
        turn_of(MOTIONS, turn.number),
        turn_of(INSTRUMENTS, turn.number + turn.number // 5),
    )
    shape, colour = one_of(rng, SHAPES), one_of(rng, COLOURS)
    scene = Scene((moving(rng, motion, shape, colour),), (repeated(rng, sound),))
    doing = MOTION_PHRASES[motion]
    sentences = (
        f"The {shape} is {doing} and {article(sound)} plays.",
        f"It is {doing} while {article(sound)} is heard.",
        f"{article(sound).capitalize()} plays and the shape is {doing}.",
        f"You hear {article(sound)}; the {shape} is {doing}.",
        f"The shape is {doing} to the sound of {article(sound)}.",
        f"There is {article(sound)} playing and the {colour} {shape} is {doing}.",
    )
    question = (
        f"What is the shape doing ({', '.join(MOTIONS)}), and which instrument plays "
        f"({', '.join(INSTRUMENTS)})?"
    )
    steps = (
        ("How does the shape move?", doing),
        ("Which instrument is heard?", sound),
    )
    return _draft(rng, scene, question, {"motion": motion, "sound": sound}, sentences, steps)


def pitch_and_motion(rng: np.random.Generator, turn: Turn) -> Draft:
    """Where the melody goes and what the shape does."""
    pitch, motion = turn_of(PITCHES, turn.number), turn_of(MOTIONS, turn.number + turn.number // 15)
    shape, colour = one_of(rng, SHAPES), one_of(rng, COLOURS)
    timbre = one_of(rng, [name for name in INSTRUMENTS if name != "drum"])
    scene = Scene((moving(rng, motion, shape, colour),), (gliding(rng, timbre, pitch),))
    doing = MOTION_PHRASES[motion]
    sentences = (
        f"The melody is {pitch} and the {shape} is {doing}.",
        f"The tune is {pitch} while the shape is {doing}.",
        f"The shape is {doing} and the pitch is {pitch}.",
        f"You hear a {pitch} melody and see that the {shape} is {doing}.",
        f"The {colour} {shape} is {doing}; the notes are {pitch}.",
        f"While the shape is {doing}, the melody is {pitch}.",
    )
    question = (
        f"Is the melody rising, falling or level, and what is the shape doing "
        f"({', '.join(MOTIONS)})?"
    )
    steps = (
        ("Compare the pitch of the last notes with that of the first notes.", pitch),
        ("How does the shape move?", doing),
    )
    return _draft(rng, scene, question, {"pitch": pitch, "motion": motion}, sentences, steps)


def order_and_colour(rng: np.random.Generator, turn: Turn) -> Draft:
    """Whether sound or movement starts first, and the colour of what moves."""
    order, colour = turn_of(ORDERS, turn.number), turn_of(COLOURS, turn.number + turn.number // 15)
    shape, motion = one_of(rng, SHAPES), one_of(rng, MOTIONS[:4])
    sound_at, motion_at = starts(rng, order)
    timbre = one_of(rng, INSTRUMENTS)
    scene = Scene(
        (moving(rng, motion, shape, colour, motion_at),), (repeated(rng, timbre, sound_at),)
    )
    said = {
        "sound first": "the sound starts first",
        "picture first": "the movement starts first",
        "together": "sound and movement start together",
    }[order]
    sentences = (
        f"The {shape} is {colour} and {said}.",
        f"It is {colour}, and {said}.",
        f"{said.capitalize()}; the shape is {colour}.",
        f"A {colour} {shape} is shown and {said}.",
        f"{said.capitalize()}, and what moves is {colour}.",
        f"The colour is {colour} and {said}.",
    )
    question = (
        "Which starts first, the sound or the movement of the shape (say 'sound first', "
        "'movement first' or 'together'), and what colour is the shape?"
    )
    steps = (
        ("When does the sound start?", f"after about {sound_at:.1f} seconds"),
        ("When does the shape start to move or flash?", f"after about {motion_at:.1f} seconds"),
        ("What colour is the shape?", colour),
    )
    return _draft(rng, scene, question, {"order": order, "colour": colour}, sentences, steps)


FAMILIES: dict[str, Family] = {
    "colour_and_sound": colour_and_sound,
    "motion_and_sound": motion_and_sound,
    "pitch_and_motion": pitch_and_motion,
    "order_and_colour": order_and_colour,
}
