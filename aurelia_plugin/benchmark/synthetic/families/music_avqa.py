"""Music-AVQA: which of the instruments in the picture sound, where, and how many.

Shapes stand for instruments by the legend in the question. Nothing in the picture moves with the
sound, so what sounds can only be heard, and where it is can only be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aurelia_plugin.benchmark.data.items import Medium
from aurelia_plugin.benchmark.synthetic.families.band import band, places, row
from aurelia_plugin.benchmark.synthetic.families.draw import (
    BOTH,
    INSTRUMENT_OF,
    LEGEND,
    Draft,
    Family,
    Turn,
    figure,
    nuisance,
    one_of,
    several_of,
    turn_of,
)
from aurelia_plugin.benchmark.synthetic.scene import Scene
from aurelia_plugin.benchmark.synthetic.vocabulary import INSTRUMENTS, NUMBERS, PLACES, PRESENCE

__all__ = ["FAMILIES"]


def _draft(
    rng: np.random.Generator,
    scene: Scene,
    question: str,
    fact: tuple[str, str],
    steps: tuple[tuple[str, str], ...],
    needs: tuple[Medium, ...] = BOTH,
) -> Draft:
    attribute, answer = fact
    return Draft(
        scene=nuisance(rng, scene),
        question=f"{LEGEND} {question}",
        answer=answer,
        category="Musical performances",
        steps=tuple(step for step, _ in steps),
        answers=tuple(reply for _, reply in steps),
        needs=needs,
        facts={attribute: answer},
    )


def _listed(instruments: Sequence[str]) -> str:
    return ", ".join(instruments) or "none"


def _seen_step(instruments: Sequence[str]) -> tuple[str, str]:
    return ("Which instruments are in the picture, from left to right?", _listed(instruments))


def _heard_step(instruments: Sequence[str]) -> tuple[str, str]:
    return ("Which instruments can be heard?", _listed(sorted(instruments)))


def count_sounding(rng: np.random.Generator, turn: Turn) -> Draft:
    """How many of the instruments in the picture sound: zero to three."""
    answer = turn_of(NUMBERS[:4], turn.number)
    sounding = NUMBERS.index(answer)
    names = several_of(rng, INSTRUMENTS, 5)
    seen = names[: max(sounding, int(rng.integers(2, 4)))]
    # Sources out of view make the number of sounds heard differ from the answer.
    unseen = names[3 : 3 + int(rng.integers(1 if sounding == 0 else 0, 3))]
    heard = several_of(rng, seen, sounding) + unseen[: max(1, 3 - sounding)]
    scene = Scene(row(rng, seen), band(rng, several_of(rng, heard, len(heard))))
    question = "How many of the instruments in the picture are sounding?"
    last = ("Which instruments are both seen and heard?", _listed([n for n in seen if n in heard]))
    return _draft(
        rng, scene, question, ("number", answer), (_seen_step(seen), _heard_step(heard), last)
    )


def left_sounding(rng: np.random.Generator, turn: Turn) -> Draft:
    """Whether the instrument at a named place sounds."""
    answer = turn_of(PRESENCE, turn.number)
    seen = several_of(rng, INSTRUMENTS, 2 + int(rng.integers(2)))
    place = one_of(rng, places(len(seen)))
    asked = seen[places(len(seen)).index(place)]
    rest = [name for name in INSTRUMENTS if name != asked]
    heard = several_of(rng, rest, 1)
    if answer == "yes":
        heard = several_of(rng, [asked, *heard[: int(rng.integers(2))]], 2)
    scene = Scene(row(rng, seen), band(rng, heard))
    where = "in the middle" if place == "middle" else f"on the {place}"
    return _draft(
        rng,
        scene,
        f"Is the instrument {where} sounding?",
        ("presence", answer),
        ((f"Which instrument is {where}?", asked), _heard_step(heard)),
    )


def unseen_source(rng: np.random.Generator, turn: Turn) -> Draft:
    """Whether something is heard that is not in the picture."""
    answer = turn_of(PRESENCE, turn.number)
    names = several_of(rng, INSTRUMENTS, 5)
    seen = names[:3]
    heard = several_of(rng, seen, 2 if answer == "no" else 1)
    if answer == "yes":
        heard.append(names[3])
    scene = Scene(row(rng, seen), band(rng, several_of(rng, heard, 2)))
    return _draft(
        rng,
        scene,
        "Is an instrument heard that is not in the picture?",
        ("presence", answer),
        (
            _heard_step(heard),
            _seen_step(seen),
            (
                "Which heard instruments are missing from the picture?",
                _listed([name for name in heard if name not in seen]),
            ),
        ),
    )


def unseen_name(rng: np.random.Generator, turn: Turn) -> Draft:
    """Which of two heard instruments is not in the picture."""
    answer = turn_of(INSTRUMENTS, turn.number)
    others = several_of(rng, [name for name in INSTRUMENTS if name != answer], 3)
    seen = several_of(rng, others[:2], 2)
    heard = several_of(rng, [answer, seen[0]], 2)
    scene = Scene(row(rng, seen), band(rng, heard))
    return _draft(
        rng,
        scene,
        "Two instruments are heard and only one of them is in the picture. Which instrument is "
        "heard but not seen?",
        ("sound", answer),
        (_heard_step(heard), _seen_step(seen)),
    )


def where_sounding(rng: np.random.Generator, turn: Turn) -> Draft:
    """Where the only sounding instrument is."""
    answer = turn_of(PLACES, turn.number)
    seen = several_of(rng, INSTRUMENTS, 3)
    heard = [seen[PLACES.index(answer)]]
    scene = Scene(row(rng, seen), band(rng, heard))
    return _draft(
        rng,
        scene,
        "Where is the sounding instrument: left, middle or right?",
        ("place", answer),
        (_heard_step(heard), _seen_step(seen)),
    )


def louder(rng: np.random.Generator, turn: Turn) -> Draft:
    """Whether the left or the right instrument is louder."""
    answer = turn_of(("left", "right"), turn.number)
    seen = several_of(rng, INSTRUMENTS, 2)
    loud = seen[0] if answer == "left" else seen[1]
    # A factor of five is 14 dB: more than the timbres differ in perceived loudness.
    sounds = tuple(
        replace(sound, gain=0.2 if sound.timbre == loud else 0.04)
        for sound in band(rng, several_of(rng, seen, 2))
    )
    return _draft(
        rng,
        Scene(row(rng, seen), sounds),
        "Which instrument is louder, the one on the left or the one on the right?",
        ("place", answer),
        (("Which of the heard instruments is louder?", loud), _seen_step(seen)),
    )


def first_to_sound(rng: np.random.Generator, turn: Turn) -> Draft:
    """Where the instrument is that starts first; the others join later, one by one."""
    answer = turn_of(PLACES, turn.number)
    seen = several_of(rng, INSTRUMENTS, 3)
    first = seen[PLACES.index(answer)]
    order = [first, *several_of(rng, [name for name in seen if name != first], 2)]
    scene = Scene(row(rng, seen), band(rng, order, [0.15, 1.3, 2.0]))
    return _draft(
        rng,
        scene,
        "The instruments join in one after the other. Where is the one that sounds first: left, "
        "middle or right?",
        ("place", answer),
        (("Which instrument is heard first?", first), _seen_step(seen)),
    )


def count_heard(rng: np.random.Generator, turn: Turn) -> Draft:
    """How many different instruments are heard, seen or not: one to three (sound alone)."""
    answer = turn_of(NUMBERS[1:4], turn.number)
    heard = several_of(rng, INSTRUMENTS, NUMBERS.index(answer))
    seen = several_of(rng, INSTRUMENTS, 2 + int(rng.integers(2)))
    return _draft(
        rng,
        Scene(row(rng, seen), band(rng, heard)),
        "How many different instruments are heard, whether seen or not?",
        ("number", answer),
        (_heard_step(heard),),
        ("sound",),
    )


def count_seen(rng: np.random.Generator, turn: Turn) -> Draft:
    """How many instruments are in the picture, sounding or not: one to five (picture alone)."""
    answer = turn_of(NUMBERS[1:6], turn.number)
    count = NUMBERS.index(answer)
    columns = several_of(rng, np.linspace(0.13, 0.87, 5).tolist(), count)
    shapes = tuple(
        figure(rng, x=x, y=0.3 + 0.4 * float(rng.random()), radius=0.09) for x in sorted(columns)
    )
    seen = [INSTRUMENT_OF[shape.shape] for shape in shapes]
    heard = several_of(rng, INSTRUMENTS, 1 + int(rng.integers(3)))
    return _draft(
        rng,
        Scene(shapes, band(rng, heard)),
        "How many instruments are in the picture, whether they sound or not?",
        ("number", answer),
        (_seen_step(seen),),
        ("picture",),
    )


FAMILIES: dict[str, Family] = {
    "count_sounding": count_sounding,
    "place_sounding": left_sounding,
    "where_sounding": where_sounding,
    "unseen_source": unseen_source,
    "louder": louder,
    "unseen_name": unseen_name,
    "first_to_sound": first_to_sound,
    "count_heard": count_heard,
    "count_seen": count_seen,
}
