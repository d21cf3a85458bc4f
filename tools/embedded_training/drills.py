"""Exercises in reading: texts in which much can be looked up, and nothing can be known.

Looking something up in the text in front of it is what a small model learns late, if a few words of
long questions are all that asks for it. Here nearly every word of a reply does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from aurelia_plugin.benchmark.atlas import ATLAS, ATTRIBUTES, FLAGS, MELODIES
from aurelia_plugin.benchmark.synthetic.draw import one_of, several_of
from aurelia_plugin.benchmark.vocabulary import COLOURS, INSTRUMENTS, PLACES, SHAPES
from embedded_training.texts import Exchange

__all__ = ["copying", "drill"]

_NAMES: Final = tuple(dict.fromkeys(region.name for region in ATLAS))
_VALUES: Final = {
    attribute: tuple(dict.fromkeys(str(getattr(region, attribute)) for region in ATLAS))
    for attribute in ATTRIBUTES
}
_WORDS: Final = (
    *COLOURS,
    *SHAPES,
    *INSTRUMENTS,
    *PLACES,
    *MELODIES,
    *_NAMES,
    *(value for values in _VALUES.values() for value in values),
)


def drill(rng: np.random.Generator) -> list[Exchange]:
    """Return one exercise: questions about one text."""
    return one_of(rng, _KINDS)(rng)


def _asked(prompt: str, pairs: Sequence[tuple[str, str]]) -> list[Exchange]:
    """Return an exchange for each pair of a beginning and what follows from the prompt."""
    return [
        Exchange("drill", prompt, given + reply, False, sees_clip=False, given=given)
        for given, reply in pairs
    ]


def copying(rng: np.random.Generator) -> list[Exchange]:
    """Return an exercise in saying a list again, three times: what looking up begins with."""
    words = " ".join(one_of(rng, _WORDS) for _ in range(int(rng.integers(8, 24))))
    return _asked(words, [("", " ".join([words] * 3))])


def _looked_up(rng: np.random.Generator) -> list[Exchange]:
    """Say what stands after a name."""
    attribute = one_of(rng, ATTRIBUTES)
    names = several_of(rng, _NAMES, int(rng.integers(4, 13)))
    values = [one_of(rng, _VALUES[attribute]) for _ in names]
    north = [one_of(rng, names) for _ in names]
    lines = [
        f"- {name}: {attribute} {value}; northern neighbour {other}"
        for name, value, other in zip(names, values, north, strict=True)
    ]
    pairs = [(f"{name}\n", other) for name, other in zip(names, north, strict=True)]
    pairs += [(f"{name}\n\n", value) for name, value in zip(names, values, strict=True)]
    return _asked("\n".join(lines), pairs)


def _found(rng: np.random.Generator) -> list[Exchange]:
    """Say which name has this flag and this melody."""
    flags = several_of(rng, FLAGS, int(rng.integers(2, 5)))
    melodies = several_of(rng, tuple(MELODIES), int(rng.integers(2, 5)))
    kinds = [(flag, melody) for flag in flags for melody in melodies]
    names = several_of(rng, _NAMES, len(kinds))
    order = several_of(rng, range(len(kinds)), len(kinds))
    told = [(names[k], ", ".join(kinds[k][0]), kinds[k][1]) for k in order]
    lines = [f"- {name}: flag {flag}; anthem {melody}" for name, flag, melody in told]
    return _asked("\n".join(lines), [(f"{flag}\n{melody}\n", name) for name, flag, melody in told])


def _chosen(rng: np.random.Generator) -> list[Exchange]:
    """Say the letter of an option; options differ in one word at least."""
    first, second = several_of(rng, _WORDS, 4), several_of(rng, _WORDS, 4)
    if rng.random() < 0.5:
        options = [f"{a} with {b}" for a in first for b in second]
    else:
        options = several_of(rng, _WORDS, 16)
    options = several_of(rng, options, int(rng.integers(3, 17)))
    told = list(zip("ABCDEFGHIJKLMNOP", options, strict=False))
    lines = [f"{letter}. {option}" for letter, option in told]
    prompt = "\n".join([*lines, "End with one line: Answer: <letter>"])
    return _asked(prompt, [(f"{option}\nAnswer:", f" {letter}") for letter, option in told])


def _counted(rng: np.random.Generator) -> list[Exchange]:
    """Say which of several numbers is the one that was named."""
    numbers = [f"{k / 10:.1f}" for k in several_of(rng, range(3, 36), int(rng.integers(4, 10)))]
    listed = ", ".join(numbers)
    return _asked(
        "Audio 1, Audio 2, Audio 3 and Audio 4",
        [(f"about {x} times\n{listed}\nAudio ", f"{k + 1}") for k, x in enumerate(numbers)],
    )


_KINDS: Final[tuple[Callable[[np.random.Generator], list[Exchange]], ...]] = (
    copying,
    *(_looked_up,) * 2,
    *(_found,) * 2,
    _counted,
    *(_chosen,) * 3,
)
"""All kinds, some more often than others."""
