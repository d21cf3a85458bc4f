"""The closed set of MUSIC-AVQA's answers, its nine question types, and what a question asks for.

The labels are those of the data set's test file (41 of its 42; the remaining one occurs in its
training file only). Which of them may answer is told by the question: "how many?" asks for a
number, "is there ...?" for yes or no, and the labels of other kinds are no second answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from .closed_sets import LabelKind, LabelSet
from .grammar.numerals import number_word
from .grammar.phrasebook import PhraseBook
from .grammar.text import cleaned, normalise

__all__ = [
    "LABELS",
    "QUESTION_TYPES",
    "QuestionType",
    "attribute_set",
    "canonical_label",
    "gold_label",
    "label_set",
    "question_type",
    "same_label",
]

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_INSTRUMENTS = (
    *("accordion", "acoustic_guitar", "bagpipe", "banjo", "bassoon", "cello", "clarinet"),
    *("congas", "drum", "electric_bass", "erhu", "flute", "guzheng", "piano", "pipa"),
    *("saxophone", "suona", "trumpet", "tuba", "ukulele", "violin", "xylophone"),
)
_WORDINGS: Final = {
    label: tuple(wordings.split("|"))
    for label, wordings in {
        "yes": (
            "yes|yeah|yep|yup|s\xed|\u662f|\u662f\u7684|\u306f\u3044|\u6709|ja|oui|sim|"
            "\u0434\u0430|\u0646\u0639\u0645|\u0939\u093e\u0901|\u0939\u093e\u0902|\ub124|"
            "\uc608"
        ),
        "no": (
            "no|nope|nah|not really|\u4e0d\u662f|\u6ca1\u6709|\u3044\u3044\u3048|\u5426|nein|"
            "non|n\xe3o|nee|\u043d\u0435\u0442|\u0644\u0627|\u0928\u0939\u0940\u0902|"
            "\uc544\ub2c8\uc694|\uc544\ub2c8\uc624"
        ),
        "zero": "zero|none",
        # Numbers as models write them that answer in another language; none is an English word.
        "two": "two|dos|deux|zwei|dois|duas|\u0434\u0432\u0430|\u0434\u0432\u0435|\u4e24|\u4e8c",
        "three": "three|tres|tr\xeas|trois|drei|tre|\u0442\u0440\u0438|\u4e09",
        "four": (
            "four|cuatro|quatre|quatro|vier|quattro|\u0447\u0435\u0442\u044b\u0440\u0435|\u56db"
        ),
        "five": "five|cinco|cinq|f\xfcnf|cinque|\u043f\u044f\u0442\u044c|\u4e94",
        "six": "six|seis|sechs|sei|\u0448\u0435\u0441\u0442\u044c|\u516d",
        "seven": "seven|siete|sept|sete|sieben|sette|\u0441\u0435\u043c\u044c|\u4e03",
        "eight": "eight|ocho|huit|oito|acht|otto|\u0432\u043e\u0441\u0435\u043c\u044c|\u516b",
        "nine": "nine|nueve|neuf|nove|neun|\u0434\u0435\u0432\u044f\u0442\u044c|\u4e5d",
        "violin": "violin|violins|\u5c0f\u63d0\u7434",
        "piano": "piano|pianos|\u94a2\u7434",
        "flute": "flute|flutes|\u957f\u7b1b",
        "guzheng": "guzheng|guzhengs|\u53e4\u7b5d",
        "erhu": "erhu|erhus|\u4e8c\u80e1",
        "pipa": "pipa|pipas|\u7435\u7436",
        "suona": "suona|suonas|\u5522\u5450",
        "trumpet": "trumpet|trumpets|\u5c0f\u53f7",
        "clarinet": "clarinet|clarinets|\u5355\u7c27\u7ba1",
        "accordion": "accordion|accordions|\u624b\u98ce\u7434",
        "tuba": "tuba|tubas|\u5927\u53f7",
        "xylophone": "xylophone|xylophones|\u6728\u7434",
        "ukulele": "ukulele|ukuleles|\u5c24\u514b\u91cc\u91cc",
        "banjo": "banjo|banjos|\u73ed\u5353\u7434",
        "bassoon": "bassoon|bassoons|\u5df4\u677e",
        "acoustic_guitar": "acoustic guitar|acoustic guitars|guitar|guitars|\u5409\u4ed6",
        "electric_bass": (
            "electric bass|electric basses|bass guitar|electric bass guitar|\u7535\u8d1d\u65af"
        ),
        "congas": "congas|conga|conga drum|conga drums|\u5eb7\u52a0\u9f13",
        "drum": "drum|drums|drum kit|drum set|\u9f13",
        "cello": "cello|cellos|celli|\u5927\u63d0\u7434",
        "bagpipe": "bagpipe|bagpipes|\u98ce\u7b1b",
        "saxophone": "saxophone|saxophones|sax|\u8428\u514b\u65af",
        "middle": (
            "middle|center|centre|central|\u4e2d\u95f4|\u4e2d\u592e|mitte|centro|milieu|"
            "\u0432 \u0446\u0435\u043d\u0442\u0440\u0435|\uac00\uc6b4\ub370"
        ),
        "left": (
            "left|left side|left-hand side|\u5de6|links|izquierda|gauche|esquerda|sinistra|"
            "\u0441\u043b\u0435\u0432\u0430|\uc67c\ucabd"
        ),
        "right": (
            "right|right side|right-hand side|\u53f3|rechts|derecha|droite|direita|destra|"
            "\u0441\u043f\u0440\u0430\u0432\u0430|\uc624\ub978\ucabd"
        ),
        "indoor": "indoor|indoors|inside|\u5ba4\u5185",
        "outdoor": "outdoor|outdoors|outside|\u5ba4\u5916",
        "simultaneously": (
            "simultaneously|at the same time|at once|together|simultaneous|at the same moment"
            "|\u540c\u65f6"
        ),
        # Not a label of the set, but a reply of "ten" is a number all the same.
        "ten": "ten",
        "more than ten": "more than ten|over ten|more than 10",
    }.items()
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
        "place": _kind("left", "middle", "right"),
        "instrument": _kind(*_INSTRUMENTS, plural=True),
        "order": _kind("simultaneously"),
    }
)
"""Kind of answer -> label -> accepted wordings."""

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


def canonical_label(answer: str) -> str | None:
    """Return the label of the closed set that an annotator's answer is, or None."""
    return _LABELS.get(normalise(answer))


_COUNT: Final = re.compile(
    r"\bhow many\b|\b(?:the |what )number of\b|\bhow much\b|^count\b", re.IGNORECASE
)
_YES_NO: Final = re.compile(
    r"^\W*(?:(?:in|at|during|for|from|on|throughout) (?:[\w']+ ){1,6}?,?\s*)?(?:is|are|was"
    r"|were|do|does|did|has|have|had|can|could|will)(?:n't)?\b",
    re.IGNORECASE,
)
_SCENE: Final = re.compile(
    r"\bin\s?doors?\b|\bout\s?doors?\b|\bwhere (?:is|was|does|did) (?:the|this) (?:performance"
    r"|video|concert|show|scene|clip|music|recording)\b",
    re.IGNORECASE,
)
_ORDER: Final = re.compile(r"\b(?:first|last|before|after|earlier|later)\b", re.IGNORECASE)
_CHOICE: Final = re.compile(r"\bor\b", re.IGNORECASE)
_WHERE: Final = re.compile(
    r"\bwhere\b|\b(?:which|what) (?:side|direction|position|place|part|location)\b|\bposition\b",
    re.IGNORECASE,
)


def _asking(text: str) -> str:
    """Return the last sentence of a text that asks, without a label before it."""
    sentences = [one.strip() for one in re.split(r"(?<=[.!?])\s+|\n+", text) if one.strip()]
    asking = [one for one in sentences if one.endswith("?")] or sentences or [text]
    return re.sub(r"^[\w .()#-]{1,30}:\s+(?=\S)", "", asking[-1])


@lru_cache(maxsize=4096)
def label_set(question: str) -> LabelSet:
    """Return what may answer a question of MUSIC-AVQA, told by its words.

    "How many" asks for a number; a question that begins with a verb for yes or no, unless it
    offers labels of the set ("left or right?"); "where" for a place, indoors or outdoors if it is
    the performance's; any other question for an instrument.
    """
    text = _asking(cleaned(question))
    named = _named(text)
    if _COUNT.search(text):
        return LabelSet("number", LABELS["number"])
    offered = len(named) > 1 and _CHOICE.search(text) is not None
    if _SCENE.search(text) and not _YES_NO.match(text):
        return LabelSet("name", LABELS["scene"])
    if _YES_NO.match(text) and not offered:
        return LabelSet("presence", LABELS["presence"], question=text)
    if offered and named <= set(LABELS["scene"]):
        return LabelSet("name", LABELS["scene"])
    order = LABELS["order"] if _ORDER.search(text) else {}
    places, instruments = {**LABELS["place"], **order}, {**LABELS["instrument"], **order}
    beside = frozenset() if offered else frozenset(named)
    asks_place = _WHERE.search(text) is not None or _WHICH_OF_A_KIND.search(text) is not None
    if offered:
        asks_place = bool(named & set(LABELS["place"]))
    if asks_place:
        return LabelSet("name", places, {**instruments, **LABELS["scene"]}, beside)
    return LabelSet("name", instruments, {**places, **LABELS["scene"]}, beside)


def _instruments() -> list[str]:
    return [re.escape(one) for wordings in LABELS["instrument"].values() for one in wordings]


_WHICH_OF_A_KIND: Final = re.compile(
    rf"\b(?:which|what) (?:{'|'.join(_instruments())})\b", re.IGNORECASE
)


_NAMES: Final = PhraseBook(
    {
        label: wordings
        for kind in ("scene", "place", "instrument", "order")
        for label, wordings in LABELS[kind].items()
    }
)


def _named(question: str) -> set[str]:
    return {mention.value for mention in _NAMES.find(question)}


def attribute_set(
    attribute: str, wordings: Mapping[str, Sequence[str]], question: str = ""
) -> LabelSet:
    """Return the closed set of a named attribute: numbers and yes/no have rules of their own."""
    kinds: Mapping[str, LabelKind] = {"number": "number", "presence": "presence"}
    kind = kinds.get(attribute, "name")
    return LabelSet(kind, wordings, question=question if kind == "presence" else "")


def same_label(value: str, gold: str) -> bool:
    """Return whether a label that was read is the annotator's answer.

    "more than ten" is met by any greater number; every other answer by itself alone.
    """
    if value == gold:
        return True
    if gold == "more than ten":
        return value.isdigit() and int(value) > 10
    return False


def gold_label(answer: str) -> str:
    """Return an annotator's answer in the form in which a label is read."""
    words = normalise(answer)
    return canonical_label(answer) or number_word(words)
