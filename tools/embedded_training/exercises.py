"""Exercises in reading: texts in which much can be looked up, and nothing can be known.

Looking something up in the text in front of it is what a small model learns late, if a few words of
long questions are all that asks for it. Here nearly every word of a reply does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, product
from types import MappingProxyType
from typing import Final

import numpy as np

from aurelia_plugin.benchmark.synthetic.atlas import ATTRIBUTES, FLAGS, MELODIES
from aurelia_plugin.benchmark.synthetic.families.band import places
from aurelia_plugin.benchmark.synthetic.families.draw import one_of, several_of
from aurelia_plugin.benchmark.synthetic.vocabulary import (
    COLOURS,
    INSTRUMENTS,
    NUMBERS,
    PLACES,
    SHAPES,
)
from embedded_training.architecture import VALUE_TOKENS
from embedded_training.exchange import Exchange
from embedded_training.text_only import NAMES, VALUES, atlas_lines

__all__ = ["EXERCISES"]

_WORDS: Final = tuple(
    dict.fromkeys(
        (*COLOURS, *SHAPES, *INSTRUMENTS, *PLACES, *MELODIES, *NAMES, *chain(*VALUES.values()))
    )
)


def _asked(prompt: str, pairs: Sequence[tuple[str, str]]) -> list[Exchange]:
    """Return an exchange for each pair of a beginning and what follows from the prompt."""
    return [
        Exchange("exercise", prompt, given + reply, False, sees_clip=False, given=given)
        for given, reply in pairs
    ]


def copying(rng: np.random.Generator, values: Sequence[str]) -> list[Exchange]:
    """Say a list again, three times: what looking up begins with."""
    words = " ".join(one_of(rng, values) for _ in range(int(rng.integers(6, 16))))
    return _asked(words, [("", " ".join([words] * 3))])


def pairing(rng: np.random.Generator, values: Sequence[str]) -> list[Exchange]:
    """Say what a word stands beside, in a list of pairs; more or less lies between the two."""
    words = several_of(rng, values, 2 * int(rng.integers(6, 17)))
    pairs = list(zip(words[::2], words[1::2], strict=True))
    between = one_of(rng, ("", f"{one_of(rng, ATTRIBUTES)} ", "northern neighbour ", "flag "))
    lines = [f"- {first}: {between}{second}" for first, second in pairs]
    both = [(f"{first} -> ", second) for first, second in pairs]
    both += [(f"{second} -> ", first) for first, second in pairs]
    return _asked("\n".join(lines), both)


def lookup(rng: np.random.Generator) -> list[Exchange]:
    """Find the region with a flag, or a melody, or both, then look up what its line tells."""
    fields = one_of(rng, (("flag",), ("anthem",), ("flag", "anthem"), ("flag", "anthem")))
    keys: dict[str, Sequence[str]] = {
        "flag": several_of(rng, [", ".join(flag) for flag in FLAGS], int(rng.integers(2, 5))),
        "anthem": several_of(rng, tuple(MELODIES), int(rng.integers(2, 5))),
    }
    kinds = list(product(*([(field, key) for key in keys[field]] for field in fields)))
    kinds = several_of(rng, kinds, min(len(kinds), 8))
    names = several_of(rng, NAMES, len(kinds))
    attribute = one_of(rng, [name for name in ATTRIBUTES if len(VALUES[name]) >= len(kinds)])
    facts = several_of(rng, VALUES[attribute], len(kinds))
    north = several_of(rng, names, len(names)) if rng.random() < 0.5 else None
    lines, pairs = [], []
    for place, kind in enumerate(kinds):
        told = [*kind, (attribute, facts[place])]
        told += [("northern neighbour", north[place])] if north else []
        parts = "; ".join(f"{field} {value}" for field, value in told)
        lines.append(f"- {names[place]}: {parts}")
        given = "".join(f"{_STEPS[field]} -> {value}\n" for field, value in kind)
        which = f"Which region of the atlas has this {' and this '.join(fields)}? -> "
        pairs.append((given + which, names[place]))
        said = f"{which}{names[place]}\n"
        pairs.append(
            (f"{said}Look up the {attribute} of that region in the atlas. -> ", facts[place])
        )
        if north:
            pairs.append((f"{said}Which region is its northern neighbour? -> ", north[place]))
    return _asked("\n".join(lines), pairs)


def joint_lookup(rng: np.random.Generator) -> list[Exchange]:
    """Say at once what the line with a flag and a melody tells, and whose line it is."""
    attribute = one_of(rng, ATTRIBUTES)
    flags, melodies = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    lines = atlas_lines(rng, flags, melodies, attribute, north=False)
    pairs = []
    for line in lines:
        name, flag, melody, fact = _LINE.fullmatch(line).groups()  # type: ignore[union-attr]
        said = f"stripes: {flag}; melody: {melody}."
        pairs.append((f"{said} {attribute} -> ", fact))
        pairs.append((f"{said} region -> ", name))
    return _asked("\n".join(lines), pairs)


_LINE: Final = re.compile(r"- (\w+): flag ([^;]+); anthem (\w+); \w+ (\w+)")
_STEPS: Final = {
    "flag": "Which stripe colours does the flag have, in order?",
    "anthem": "How does the melody of the anthem move?",
}


def nearest_number(rng: np.random.Generator) -> list[Exchange]:
    """Say which of four numbers is the closest to one that is named, close by or further up."""
    tempi = several_of(rng, (0.75, 1.15, 1.85, 2.85), 4)
    pairs = []
    for _ in range(4):
        numbers = [tempo * float(rng.uniform(0.93, 1.07)) for tempo in tempi]
        listed = ", ".join(f"Audio {k}: {x:.1f}" for k, x in enumerate(numbers, start=1))
        for place, number in enumerate(numbers):
            near = f"{number + one_of(rng, (-0.1, 0.0, 0.0, 0.1)):.1f}"
            given = (
                f"How often does the shape bounce in one second? -> about {near} times\n"
                f"How many beats per second does each of the four sounds have? -> {listed}\n"
                "Which of the four counts is the closest to that of the shape? -> "
            )
            pairs.append((given, f"Audio {place + 1}"))
            pairs.append((f"{listed}\n{near} -> ", f"Audio {place + 1}"))
    return _asked("Audio 1, Audio 2, Audio 3 and Audio 4", pairs)


_SEEN: Final = "Which instruments are in the picture, from left to right? -> "
_HEARD: Final = "Which instruments can be heard? -> "


def list_position(rng: np.random.Generator) -> list[Exchange]:
    """Say where in a list a word stands, and which words of a list stand in another one too."""
    pairs = []
    for _ in range(6):
        seen = several_of(rng, INSTRUMENTS, int(rng.integers(2, 4)))
        listed = f"{_SEEN}{', '.join(seen)}"
        for place, name in zip(places(len(seen)), seen, strict=True):
            first = one_of(rng, (_HEARD, _FIRST, _LOUDER))
            pairs.append((f"{first}{name}\n{listed}\nAnswer: ", place))
        heard = sorted(several_of(rng, INSTRUMENTS, int(rng.integers(1, 4))))
        both = [name for name in seen if name in heard]
        given = f"{listed}\n{_HEARD}{', '.join(heard)}\n"
        given += "Which instruments are both seen and heard? -> "
        number = NUMBERS[len(both)]
        pairs.append((given, f"{', '.join(both) or 'none'}\nAnswer: {number}"))
    return _asked(", ".join(PLACES), pairs)


_FIRST: Final = "Which instrument is heard first? -> "
_LOUDER: Final = "Which of the heard instruments is louder? -> "


EXERCISES: Final[Mapping[str, Callable[[np.random.Generator], list[Exchange]]]] = MappingProxyType(
    {
        "copying": partial(copying, values=_WORDS),
        "pairing": partial(pairing, values=_WORDS),
        "lookup": lookup,
        "copying_all": partial(copying, values=VALUE_TOKENS),
        "pairing_all": partial(pairing, values=VALUE_TOKENS),
        "nearest_number": nearest_number,
        "joint_lookup": joint_lookup,
        "list_position": list_position,
    }
)
"""Name -> what draws one exercise: questions about one text.

Fewer words are learnt much sooner, and then the others within a few hundred steps more.
"""
