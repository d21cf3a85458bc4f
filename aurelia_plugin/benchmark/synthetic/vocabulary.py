"""The closed sets of values that answers are matched against, with the wordings accepted.

An attribute maps each of its values to phrases; a phrase is compared after
`aurelia_plugin.benchmark.scoring.grammar.text.normalise`, word by word.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aurelia_plugin.benchmark.synthetic.atlas import ATLAS, ATTRIBUTES

__all__ = [
    "COLOURS",
    "INSTRUMENTS",
    "MOTIONS",
    "NUMBERS",
    "ORDERS",
    "PITCHES",
    "PLACES",
    "PRESENCE",
    "SHAPES",
    "VOCABULARY",
]

NUMBERS = ("zero", "one", "two", "three", "four", "five")
PRESENCE = ("yes", "no")
PLACES = ("left", "middle", "right")
COLOURS = ("red", "green", "blue", "yellow", "white")
SHAPES = ("circle", "square", "triangle", "star", "cross")
INSTRUMENTS = ("flute", "organ", "guitar", "drum", "bell")
MOTIONS = ("bouncing", "sliding", "spinning", "flashing", "still")
PITCHES = ("rising", "falling", "level")
ORDERS = ("sound first", "picture first", "together")

_PICTURE = ("picture", "movement", "motion", "flash", "light", "shape", "video", "image")
_SOUND = ("sound", "audio", "music", "note", "notes", "melody", "tone", "beep", *INSTRUMENTS)
_VERBS = ("", "starts", "start", "comes", "begins", "is", "happens", "plays")


def _leads(subjects: tuple[str, ...]) -> tuple[str, ...]:
    phrases = []
    for subject in subjects:
        for verb in _VERBS:
            start = f"{subject} {verb}".strip()
            phrases += [f"{start} first", f"{start} before", f"{start} earlier"]
        phrases += [f"{subject} then", f"{subject} and then"]
    return tuple(phrases)


def _with_plural(values: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {value: (value, f"{value}s") for value in values}


def _themselves(values: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {value: (value,) for value in values}


_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "number": {**_themselves(NUMBERS), "zero": ("zero", "none")},
    "presence": {"yes": ("yes", "yeah", "yep"), "no": ("no", "nope")},
    "place": {**_themselves(PLACES), "middle": ("middle", "center", "centre")},
    "colour": _themselves(COLOURS),
    "shape": {
        **_with_plural(SHAPES),
        "circle": ("circle", "circles", "disc", "disk"),
        "square": ("square", "squares", "box"),
        "cross": ("cross", "crosses", "plus", "plus sign"),
    },
    "sound": {
        **_with_plural(INSTRUMENTS),
        "drum": ("drum", "drums", "drumming", "drumbeat"),
        "bell": ("bell", "bells", "chime", "chimes"),
    },
    "motion": {
        "bouncing": ("bouncing", "bounces", "bounce", "bounced", "hopping", "hops"),
        "sliding": ("sliding", "slides", "slide", "side to side", "sideways", "back and forth"),
        "spinning": ("spinning", "spins", "spin", "rotating", "rotates", "turning"),
        "flashing": ("flashing", "flashes", "flash", "blinking", "blinks"),
        "still": (
            "motionless",
            "stationary",
            "does not move",
            "not moving",
            "is still",
            "stays still",
            "keeps still",
            "holds still",
            "stands still",
            "remains still",
            "completely still",
            "still",
        ),
    },
    "pitch": {
        "rising": ("rising", "rises", "rise", "ascending", "going up", "goes up", "upward"),
        "falling": ("falling", "falls", "fall", "descending", "going down", "goes down"),
        "level": ("level", "steady", "constant", "same pitch", "same note", "unchanging"),
    },
    "order": {
        "sound first": _leads(_SOUND),
        "picture first": _leads(_PICTURE),
        "together": ("together", "at same time", "at same moment", "simultaneously", "at once"),
    },
    "region": _themselves(tuple(region.name for region in ATLAS)),
    **{
        attribute: _themselves(tuple(sorted({getattr(region, attribute) for region in ATLAS})))
        for attribute in ATTRIBUTES
    },
}

VOCABULARY: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {attribute: MappingProxyType(words) for attribute, words in _WORDS.items()}
)
"""Attribute -> value -> accepted phrases."""
