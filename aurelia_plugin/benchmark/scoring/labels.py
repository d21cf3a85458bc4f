"""The closed set of MUSIC-AVQA's answers, and its nine question types.

The labels are those of the data set's test file (41 of its 42; the remaining one occurs in its
training file only). A reply is read against the labels of the gold answer's kind: "two violins"
answers "how many?" with two, and "violin" is no second answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.scoring.answers import normalise

__all__ = ["LABELS", "QUESTION_TYPES", "QuestionType", "kind_of", "question_type"]

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_INSTRUMENTS = (
    *("accordion", "acoustic_guitar", "bagpipe", "banjo", "bassoon", "cello", "clarinet"),
    *("congas", "drum", "electric_bass", "erhu", "flute", "guzheng", "piano", "pipa"),
    *("saxophone", "suona", "trumpet", "tuba", "ukulele", "violin", "xylophone"),
)
_WORDINGS: dict[str, tuple[str, ...]] = {
    "acoustic_guitar": ("acoustic guitar", "acoustic guitars", "guitar", "guitars"),
    "electric_bass": ("electric bass", "electric basses", "bass guitar", "electric bass guitar"),
    "congas": ("congas", "conga"),
    "middle": ("middle", "center", "centre"),
    "indoor": ("indoor", "indoors"),
    "outdoor": ("outdoor", "outdoors"),
    "simultaneously": ("simultaneously", "at the same time", "at once", "together"),
    # Not a label of the set, but a reply of "ten" is a number all the same.
    "ten": ("ten",),
    "more than ten": ("more than ten", "over ten"),
}


def _kind(*labels: str, plural: bool = False) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(
        {
            label: _WORDINGS.get(label, (label, f"{label}s") if plural else (label,))
            for label in labels
        }
    )


LABELS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "number": _kind(*_DIGITS, "ten", "more than ten"),
        "presence": _kind("yes", "no"),
        "scene": _kind("indoor", "outdoor"),
        # Asked "which comes first?" or "where?": a place, an instrument, or all at once.
        "thing": MappingProxyType(
            {
                **_kind("left", "middle", "right", "simultaneously"),
                **_kind(*_INSTRUMENTS, plural=True),
            }
        ),
    }
)
"""Kind of question -> label -> accepted wordings."""

_KINDS = {normalise(label): kind for kind, labels in LABELS.items() for label in labels}
_LABELS = {normalise(label): label for labels in LABELS.values() for label in labels}


class QuestionType(NamedTuple):
    """A question type: what must be perceived, and what is asked; with its metrics' names."""

    modality: str
    name: str
    metric: str
    modality_metric: str


def _type(modality: str, name: str) -> QuestionType:
    short = {"Audio-Visual": "both"}.get(modality, modality.lower())
    return QuestionType(modality, name, f"type_{short}_{name.lower()}", f"modality_{short}")


QUESTION_TYPES: Final = tuple(
    _type(modality, name)
    for modality, names in (
        ("Audio", ("Counting", "Comparative")),
        ("Visual", ("Counting", "Location")),
        ("Audio-Visual", ("Existential", "Counting", "Location", "Comparative", "Temporal")),
    )
    for name in names
)
"""The nine question types; `str.join` of modality and name is an item's `question_type`."""

_TYPES = {f"{kind.modality} {kind.name}": kind for kind in QUESTION_TYPES}


def question_type(text: str | None) -> QuestionType | None:
    """Return the type that an item's `question_type` names, or None."""
    return _TYPES.get(text or "")


def kind_of(answer: str) -> tuple[str, str] | None:
    """Return the kind and the label of a gold answer, or None if it is not in the closed set."""
    words = normalise(answer)
    return (_KINDS[words], _LABELS[words]) if words in _KINDS else None
