"""What sort of answer an item has, which wordings it has, and what is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from aurelia_plugin.benchmark.data.items import FREE_TEXT_COLUMNS
from aurelia_plugin.benchmark.scoring.grammar.text import normalise
from aurelia_plugin.benchmark.scoring.labels import canonical_label, label_set
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY

__all__ = ["AnswerKind", "Gold", "gold_of"]

AnswerKind = Literal["option", "yes_no", "number", "name", "free_text"]

_CLASSES: Final = {
    "Country recognition": "country",
    "Famous landmark": "landmark",
    "Popular dish/food": "dish",
    "Currency": "currency",
    "Continent": "continent",
    "Flag specifics": "flag",
    "Popular dance form": "dance",
    "Language": "language",
}
_LINE: Final = re.compile(r"^\s*[(\[]?([A-Z])[)\].:]\s*(\S.*?)\s*$", re.MULTILINE)
_LONGEST_NAME: Final = 5  # words; what is longer is a sentence


class Gold(NamedTuple):
    """The gold answer of one item.

    Attributes:
        text: the answer in words; for options the right option's text.
        letter: of the right option.
        wordings: every accepted wording, normalised.
        rivals: other values of the same closed set, each with its wordings, normalised.
        facts: attribute to value, for free text.
        answer_class: what is asked for: country, continent, language, ..., else the kind.
        letters: of the options, as the source gives them.
    """

    kind: AnswerKind
    text: str
    letter: str | None = None
    options: tuple[str, ...] | None = None
    wordings: tuple[str, ...] = ()
    rivals: tuple[tuple[str, ...], ...] = ()
    facts: Mapping[str, str] = {}
    answer_class: str = ""
    letters: tuple[str, ...] = ()

    @property
    def lettered(self) -> dict[str, str]:
        """Letter -> text of the options; empty for an open question."""
        return dict(zip(self.letters, self.options or (), strict=True))


def gold_of(
    target: str, *, column: str, category: str, question: str, about: Mapping[str, Any]
) -> Gold:
    """Return the gold answer of a logged item.

    Args:
        target: as the log has it.
        question: the text that the task asks; options are read from its lines if `about` has none.
        about: what the log keeps of an item of this package; may be empty.
    """
    made = _gold(target, column, question, about)
    facts = about.get("facts") or {}
    name = _CLASSES.get(category) or (next(iter(facts)) if len(facts) == 1 else made.kind)
    return made._replace(answer_class=name)


def _gold(target: str, column: str, question: str, about: Mapping[str, Any]) -> Gold:
    options = _options(target, question, about)
    if options is not None:
        letters = _letters(options, about)
        letter = target.strip().strip("().").upper()
        place = [one.upper() for one in letters].index(letter)
        text = options[place]
        others = [(normalise(option),) for k, option in enumerate(options) if k != place]
        # Options that say yes and no are read as such: the words alone give nothing away.
        kind: AnswerKind = "yes_no" if normalise(text) in ("yes", "no") else "option"
        wording = (normalise(text),)
        return Gold(kind, text, letters[place], options, wording, tuple(others), letters=letters)
    facts: Mapping[str, str] = about.get("facts") or {}
    references = tuple(about.get("references") or ())
    if column in FREE_TEXT_COLUMNS or about.get("answer_kind") == "sentence":
        return Gold("free_text", target, wordings=_normal((target, *references)), facts=facts)
    words = normalise(target)
    if words in ("yes", "no"):
        return Gold("yes_no", target, wordings=(words,), facts=facts)
    if re.fullmatch(r"\d+(?:\.\d+)?", words) or words == normalise("more than ten"):
        return Gold("number", target, wordings=(words,), facts=facts)
    if len(words.split()) > _LONGEST_NAME:
        return Gold("free_text", target, wordings=_normal((target, *references)), facts=facts)
    own, rivals = _closed_set(target, facts, question if column == "music_avqa" else "")
    wordings = _normal((target, *references, *own))
    return Gold("name", target, wordings=wordings, rivals=rivals, facts=facts)


def _normal(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words for words in map(normalise, texts) if words))


def _closed_set(
    target: str, facts: Mapping[str, str], question: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the gold value's wordings and those of the other values of its closed set."""
    values: Mapping[str, Sequence[str]]
    if len(facts) == 1:
        ((attribute, gold),) = facts.items()
        values = VOCABULARY.get(attribute, {})
    elif (label := canonical_label(target)) is not None and question:
        gold, values = label, label_set(question).wordings
    else:
        return (), ()
    others = tuple(_normal(texts) for value, texts in values.items() if value != gold)
    return tuple(values.get(gold, ())), others


def _options(target: str, question: str, about: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the options' texts, if the target is the letter of one."""
    letter = target.strip().strip("().").upper()
    given = about.get("options")
    if given is None:
        if not re.fullmatch(r"[A-Z]", letter):
            return None
        lines = dict(_LINE.findall(question))
        given = []
        while (name := chr(ord("A") + len(given))) in lines:
            given.append(lines[name])
    options = tuple(given)
    return options if letter in (one.upper() for one in _letters(options, about)) else None


def _letters(options: Sequence[str], about: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the options' letters: the source's own, else from A on."""
    return tuple(about.get("letters") or (chr(ord("A") + place) for place in range(len(options))))
