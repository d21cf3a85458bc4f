"""Compositional: how seen and heard events fit together in time. Multiple choice."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from aurelia_plugin.benchmark.synthetic.families.draw import (
    PLACE_X,
    Choices,
    Draft,
    Family,
    Turn,
    figure,
    nuisance,
    one_of,
    place_gold,
    several_of,
    tune,
    turn_of,
)
from aurelia_plugin.benchmark.synthetic.scene import DURATION, Note, Scene, Sound
from aurelia_plugin.benchmark.synthetic.vocabulary import COLOURS, INSTRUMENTS, PLACES, SHAPES

__all__ = ["FAMILIES"]


def _draft(
    rng: np.random.Generator,
    scene: Scene,
    question: str,
    choices: Choices,
    steps: tuple[tuple[str, str], ...],
) -> Draft:
    return Draft(
        scene=nuisance(rng, scene),
        question=question,
        answer=choices.letter,
        category="Compositional",
        steps=tuple(step for step, _ in steps),
        answers=tuple(reply for _, reply in steps),
        options=choices.options,
    )


def _hit(rng: np.random.Generator, timbre: str, onset: float) -> Sound:
    return Sound(timbre, (Note(onset, 0.45, float(rng.integers(57, 73))),), gain=0.2)


def order_of_two(rng: np.random.Generator, turn: Turn) -> Draft:
    """A flash, then a sound; the other way round; or both at the same moment."""
    early, late = float(rng.uniform(0.5, 1.2)), float(rng.uniform(2.2, 3.2))
    same = float(rng.uniform(0.5, 3.2))
    meanings = {
        "The flash comes first, then the sound.": (early, late),
        "The sound comes first, then the flash.": (late, early),
        "The flash and the sound come at the same moment.": (same, same),
    }
    gold = turn_of(tuple(meanings), turn.number)
    flash_at, sound_at = meanings[gold]
    shape = figure(rng, radius=0.22)
    scene = Scene(
        (replace(shape, flashes=(flash_at,)),), (_hit(rng, one_of(rng, INSTRUMENTS), sound_at),)
    )
    choices = place_gold(rng, gold, [text for text in meanings if text != gold], turn)
    steps = (
        ("When does the shape light up?", f"after about {flash_at:.1f} seconds"),
        ("When is the sound heard?", f"after about {sound_at:.1f} seconds"),
        ("Compare the two moments.", gold),
    )
    return _draft(rng, scene, "What is the sequence of events in the video?", choices, steps)


def flash_with_sound(rng: np.random.Generator, turn: Turn) -> Draft:
    """Three shapes light up one after the other; a sound goes with one of them."""
    colours, shapes = several_of(rng, COLOURS, 3), several_of(rng, SHAPES, 3)
    moments = [0.4 + 1.15 * slot + float(rng.uniform(0.0, 0.25)) for slot in range(3)]
    order = several_of(rng, range(3), 3)
    figures = tuple(
        replace(
            figure(rng, shape=shape, colour=colour, x=PLACE_X[place], radius=0.14),
            flashes=(moments[slot],),
        )
        for shape, colour, place, slot in zip(shapes, colours, PLACES, order, strict=True)
    )
    slot = turn.number % 3
    chosen = order.index(slot)
    timbre = one_of(rng, INSTRUMENTS)
    names = [f"The {c} {s}" for c, s in zip(colours, shapes, strict=True)]
    others = [name for name in names if name != names[chosen]]
    scene = Scene(figures, (_hit(rng, timbre, moments[slot]),))
    steps = (
        ("When is the sound heard?", f"after about {moments[slot]:.1f} seconds"),
        ("Which shape lights up at that moment?", names[chosen]),
    )
    question = "Three shapes light up in turn. Which one lights up exactly when the sound is heard?"
    return _draft(rng, scene, question, place_gold(rng, names[chosen], others, turn), steps)


def sound_with_shape(rng: np.random.Generator, turn: Turn) -> Draft:
    """Two stitched halves, each with its own shape and its own instrument."""
    cut = float(rng.uniform(1.75, 2.25))
    colours, shapes = several_of(rng, COLOURS, 2), several_of(rng, SHAPES, 2)
    gold = turn_of(INSTRUMENTS, turn.number)
    other, third, fourth = several_of(rng, [n for n in INSTRUMENTS if n != gold], 3)
    half = int(rng.integers(2))
    figures = (
        replace(figure(rng, shape=shapes[0], colour=colours[0], radius=0.24), shown=(0.0, cut)),
        replace(
            figure(rng, shape=shapes[1], colour=colours[1], radius=0.24), shown=(cut, DURATION)
        ),
    )
    timbres = (gold, other) if half == 0 else (other, gold)
    sounds = tuple(
        Sound(timbre, tune(rng, [start + 0.1 + 0.4 * k for k in range(4)], 0.36))
        for timbre, start in zip(timbres, (0.0, cut), strict=True)
    )
    name = f"{colours[half]} {shapes[half]}"
    steps = (
        (
            f"Is the {name} shown in the first or in the second half?",
            ("the first", "the second")[half],
        ),
        ("Which instrument plays in that half?", gold),
    )
    return _draft(
        rng,
        Scene(figures, sounds),
        f"Which instrument is heard while the {name} is on screen?",
        place_gold(
            rng, gold.capitalize(), [text.capitalize() for text in (other, third, fourth)], turn
        ),
        steps,
    )


class _Sequence(NamedTuple):
    flash_slot: int
    swapped: bool


def sequence_of_three(rng: np.random.Generator, turn: Turn) -> Draft:
    """One flash among two different instruments: where it falls, and which one plays first."""
    first, second = several_of(rng, INSTRUMENTS, 2)
    slots = sorted(several_of(rng, range(3), 2))
    variants = [_Sequence(slot, swapped) for slot in slots for swapped in (False, True)]

    def told(variant: _Sequence) -> str:
        events = [second, first] if variant.swapped else [first, second]
        events.insert(variant.flash_slot, "flash")
        return ", then ".join(events).capitalize()

    gold = turn_of(variants, turn.number)
    events = told(gold).lower().split(", then ")
    moments = {event: 0.4 + 1.15 * k + float(rng.uniform(0, 0.2)) for k, event in enumerate(events)}
    scene = Scene(
        (replace(figure(rng, radius=0.22), flashes=(moments["flash"],)),),
        tuple(_hit(rng, timbre, moments[timbre]) for timbre in sorted((first, second))),
    )
    others = [told(variant) for variant in variants if variant != gold]
    steps = (
        (
            "Which instrument is heard first, and which second?",
            ", ".join(event for event in events if event != "flash"),
        ),
        (
            "Is the flash before, between or after the two?",
            ("before", "between", "after")[gold.flash_slot],
        ),
    )
    return _draft(
        rng,
        scene,
        "In which order do the flash and the two instruments come?",
        place_gold(rng, told(gold), others, turn),
        steps,
    )


FAMILIES: dict[str, Family] = {
    "order_of_two": order_of_two,
    "flash_with_sound": flash_with_sound,
    "sound_with_shape": sound_with_shape,
    "sequence_of_three": sequence_of_three,
}
