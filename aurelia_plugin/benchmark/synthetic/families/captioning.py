"""Captioning: one sentence that states what is seen and what is heard."""

from __future__ import annotations

import numpy as np

from aurelia_plugin.benchmark.synthetic.families.avsd import MOTION_PHRASES, gliding, moving, starts
from aurelia_plugin.benchmark.synthetic.families.draw import (
    Draft,
    Family,
    Turn,
    article,
    nuisance,
    one_of,
    repeated,
    turn_of,
)
from aurelia_plugin.benchmark.synthetic.scene import Scene
from aurelia_plugin.benchmark.synthetic.vocabulary import (
    COLOURS,
    INSTRUMENTS,
    MOTIONS,
    ORDERS,
    PITCHES,
    SHAPES,
)

__all__ = ["FAMILIES"]

_ASK = (
    "Describe in one sentence what is seen and what is heard. Name the shape "
    f"({', '.join(SHAPES)}), its colour ({', '.join(COLOURS)}), what it is doing "
    f"({', '.join(MOTIONS)}) and the instrument ({', '.join(INSTRUMENTS)}), and say "
)


def caption_order(rng: np.random.Generator, turn: Turn) -> Draft:
    """Colour, shape, motion, instrument, and whether sound or movement starts first."""
    colour, shape = turn_of(COLOURS, turn.number), turn_of(SHAPES, turn.number + turn.number // 5)
    motion = turn_of(MOTIONS[:4], turn.number)
    sound, order = (
        turn_of(INSTRUMENTS, 2 * turn.number + turn.number // 5),
        turn_of(ORDERS, turn.number),
    )
    sound_at, motion_at = starts(rng, order)
    scene = Scene(
        (moving(rng, motion, shape, colour, motion_at),), (repeated(rng, sound, sound_at),)
    )
    doing = MOTION_PHRASES[motion]
    said = {
        "sound first": "the sound starts first",
        "picture first": "the movement starts first",
        "together": "sound and movement start together",
    }[order]
    sentences = (
        f"A {colour} {shape} is {doing} while {article(sound)} plays, and {said}.",
        f"There is a {colour} {shape} that is {doing}; {article(sound)} is heard and {said}.",
        f"{article(sound).capitalize()} plays, a {colour} {shape} is {doing}, and {said}.",
    )
    return Draft(
        scene=nuisance(rng, scene),
        question=_ASK + "whether the sound or the movement starts first ('sound first', "
        "'movement first' or 'together').",
        answer=one_of(rng, sentences),
        category="Indoor/kitchen scenarios",
        steps=(
            "Which shape is in the picture, and in which colour?",
            "What is the shape doing?",
            "Which instrument is heard?",
            "When does the sound start, and when does the movement?",
        ),
        answers=(
            f"{colour} {shape}",
            doing,
            sound,
            f"sound after {sound_at:.1f} seconds, movement after {motion_at:.1f} seconds",
        ),
        references=sentences,
        facts={"colour": colour, "shape": shape, "motion": motion, "sound": sound, "order": order},
    )


def caption_pitch(rng: np.random.Generator, turn: Turn) -> Draft:
    """Colour, shape, motion, instrument, and where the melody goes."""
    pitched = tuple(name for name in INSTRUMENTS if name != "drum")
    colour, shape = (
        turn_of(COLOURS, turn.number),
        turn_of(SHAPES, 2 * turn.number + turn.number // 5),
    )
    motion, sound = turn_of(MOTIONS, turn.number + turn.number // 5), turn_of(pitched, turn.number)
    pitch = turn_of(PITCHES, turn.number)
    scene = Scene((moving(rng, motion, shape, colour),), (gliding(rng, sound, pitch),))
    doing = MOTION_PHRASES[motion]
    sentences = (
        f"A {colour} {shape} is {doing} while {article(sound)} plays a {pitch} melody.",
        f"A {pitch} melody on {article(sound)} goes with a {colour} {shape} that is {doing}.",
        f"There is a {colour} {shape}, it is {doing}, and {article(sound)} melody is {pitch}.",
    )
    return Draft(
        scene=nuisance(rng, scene),
        question=_ASK + "whether the melody is rising, falling or level.",
        answer=one_of(rng, sentences),
        category="Indoor/kitchen scenarios",
        steps=(
            "Which shape is in the picture, and in which colour?",
            "What is the shape doing?",
            "Which instrument is heard?",
            "Compare the pitch of the last notes with that of the first notes.",
        ),
        answers=(f"{colour} {shape}", doing, sound, pitch),
        references=sentences,
        facts={"colour": colour, "shape": shape, "motion": motion, "sound": sound, "pitch": pitch},
    )


FAMILIES: dict[str, Family] = {"caption_order": caption_order, "caption_pitch": caption_pitch}
