"""The one reader of answers: from an item and a reply to what was answered, and to scores.

Every place that reads an answer goes through here: scoring, votes, comparisons, imports, leaks
and the judge. Here thinking is taken off, and an item becomes the plain question that
`benchmark.scoring` knows. Reading never sees the gold answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.scoring import metrics
from aurelia_plugin.benchmark.scoring.choices import read_choice
from aurelia_plugin.benchmark.scoring.closed_sets import mentioned_values, stated_values
from aurelia_plugin.benchmark.scoring.grammar.deciding import Reading
from aurelia_plugin.benchmark.scoring.grammar.text import normalise
from aurelia_plugin.benchmark.scoring.labels import LABELS, attribute_set, label_set
from aurelia_plugin.benchmark.scoring.metrics import Gold, Question
from aurelia_plugin.benchmark.scoring.names import read_name
from aurelia_plugin.benchmark.scoring.sentences import answer_line, answer_text, read_sentence
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY
from aurelia_plugin.calling.thinking import spoken

__all__ = [
    "Reading",
    "as_choice",
    "as_line",
    "as_name",
    "as_sentence",
    "as_shown",
    "gold_of",
    "mentioned_facts",
    "options_of",
    "question_of",
    "read_item",
    "score_item",
    "stated_facts",
    "vote_value",
]

_CLOSED: Final[Mapping[str | None, str]] = {"number": "number", "yes_no": "presence"}
_UNCLOSED: Final = Reading(None, "thinking that does not end")


def question_of(item: Item) -> Question:
    """Return what is known of an item before it is answered; its gold answer plays no part."""
    wordings = {name: VOCABULARY[name] for name in item.facts if name in VOCABULARY}
    if item.options is not None:
        return Question("option", item.question, options=options_of(item))
    if item.is_sentence:
        return Question(
            "sentence", item.question, facts=wordings, stop_tokens=item.column != "avsd"
        )
    if len(wordings) == 1:
        ((attribute, values),) = wordings.items()
        labels = attribute_set(attribute, values, item.question)
        return Question("label", item.question, labels=labels)
    if item.answer_kind in _CLOSED:
        attribute = _CLOSED[item.answer_kind]
        labels = attribute_set(attribute, LABELS[attribute], item.question)
        return Question("label", item.question, labels=labels)
    if item.column == "music_avqa":
        return Question("label", item.question, labels=label_set(item.question))
    return Question("name", item.question)


def options_of(item: Item) -> dict[str, str]:
    """Return letter -> text of an item's options."""
    return dict(zip(item.letters, item.options or (), strict=True))


def gold_of(item: Item) -> Gold:
    """Return an item's right answers."""
    return Gold(item.answer, item.references, item.facts)


def read_item(item: Item, reply: str) -> Reading:
    """Return what a reply answers to an item: a letter, a label, a name or a sentence."""
    said = spoken(reply)
    return _UNCLOSED if said.unclosed else metrics.read(question_of(item), said.text)


def score_item(item: Item, reply: str) -> dict[str, float]:
    """Return the scores of a reply to an item; the keys are those of `metrics.score`."""
    said = spoken(reply)
    return metrics.score(question_of(item), gold_of(item), "" if said.unclosed else said.text)


def vote_value(item: Item, reply: str) -> str | None:
    """Return what a reply answers, in a form in which equal answers are equal; None for nothing.

    Of a sentence that is scored by facts, what it states of them.
    """
    value = read_item(item, reply).value
    question = question_of(item)
    if value is None or question.form != "sentence":
        return value
    if not question.facts:
        return normalise(value)
    stated = {name: sorted(found) for name, found in metrics.facts_of(question, value).items()}
    if not any(stated.values()):
        return None
    return "; ".join(f"{name}: {', '.join(stated[name])}" for name in sorted(stated))


def as_choice(reply: str, options: Mapping[str, str]) -> Reading:
    """Return the letter that a reply to any multiple-choice question chooses.

    Args:
        options: letter -> text.
    """
    said = spoken(reply)
    return _UNCLOSED if said.unclosed else read_choice(said.text, options)


def as_name(reply: str, question: str = "") -> Reading:
    """Return the name or phrase that a reply to any open question gives."""
    said = spoken(reply)
    return _UNCLOSED if said.unclosed else read_name(said.text, question)


def as_sentence(reply: str) -> Reading:
    """Return the sentence that a reply gives as its answer."""
    said = spoken(reply)
    return _UNCLOSED if said.unclosed else read_sentence(said.text)


def as_line(reply: str) -> str | None:
    """Return the content of a reply's last answer line, or None if it has none."""
    said = spoken(reply)
    return None if said.unclosed else answer_line(said.text)


def as_shown(reply: str) -> str:
    """Return a reply's last answer line, else all of it, without thinking; "" for no answer."""
    said = spoken(reply)
    return "" if said.unclosed else answer_text(said.text)


def stated_facts(text: str, attributes: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return which values of each attribute a text states.

    Raises:
        KeyError: an attribute is not in `VOCABULARY`.
    """
    return {name: stated_values(text, VOCABULARY[name]) for name in attributes}


def mentioned_facts(text: str, attributes: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return which values of each attribute a text names, stated, denied or asked for.

    Raises:
        KeyError: an attribute is not in `VOCABULARY`.
    """
    return {name: mentioned_values(text, VOCABULARY[name]) for name in attributes}
