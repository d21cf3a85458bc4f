"""Scores of one reply to one question. All functions are pure, hence thread-safe.

`read` takes the reply and the question and never the gold answer; `score` compares what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-untyped]

from .captions import without_stop_tokens, words
from .choices import read_choice
from .closed_sets import LabelSet, read_label, stated_values
from .grammar.deciding import Reading
from .grammar.text import abridged, normalise
from .labels import gold_label, same_label
from .names import is_name, read_name
from .sentences import read_sentence

__all__ = [
    "AnswerForm",
    "Gold",
    "Question",
    "Wordings",
    "facts_of",
    "read",
    "rouge_l",
    "score",
    "score_answer",
    "score_choice",
    "score_sentence",
]

AnswerForm = Literal["option", "label", "name", "sentence"]
Wordings = Mapping[str, Sequence[str]]


_NOT_OF_SET: Final = ("no value", "no value in the answer line")
_FEW: Final = 3  # words of a name that is in no closed set


class Question(NamedTuple):
    """What is known of a question before it is answered.

    Attributes:
        form: what an answer to it is.
        text: the question, without options and without the form of the answer.
        options: letter, as the source gives it -> text.
        labels: the closed set that answers it.
        facts: of a sentence, attribute -> value -> accepted wordings.
        stop_tokens: whether "," and "." count when a sentence is compared with references.
    """

    form: AnswerForm
    text: str
    options: Mapping[str, str] = {}
    labels: LabelSet | None = None
    facts: Mapping[str, Wordings] = {}
    stop_tokens: bool = True


class Gold(NamedTuple):
    """The right answers of a question; `facts` maps an attribute to its right value."""

    answer: str
    references: Sequence[str] = ()
    facts: Mapping[str, str] = {}


def read(question: Question, text: str) -> Reading:
    """Return what a reply, thinking taken off, answers: a letter, a label, a name or a sentence.

    The value has a form in which equal answers are equal. A name that is none of the labels of a
    closed set of names is read all the same: it is another answer.
    """
    text = abridged(text)
    if question.form == "option":
        return read_choice(text, question.options)
    if question.form == "sentence":
        return read_sentence(text)
    return _read_answer(text, question.text, question.labels)


def _read_answer(text: str, asked: str, labels: LabelSet | None) -> Reading:
    if labels is None:
        return read_name(text, asked)
    reading = read_label(text, labels)
    if reading.value is None and labels.kind == "name" and reading.rule in _NOT_OF_SET:
        other = read_name(text, asked)
        if other.value is not None and len(other.value.split()) <= _FEW:
            return other
    return reading


def facts_of(question: Question, sentence: str) -> dict[str, frozenset[str]]:
    """Return the values of each attribute that a sentence states."""
    return {name: stated_values(sentence, values) for name, values in question.facts.items()}


def score(question: Question, gold: Gold, text: str) -> dict[str, float]:
    """Score one reply, thinking taken off.

    Returns:
        `score` (0..1), `accuracy` (0 or 1) and `unparsed` (0 or 1); for sentences `rouge_l` too.
        A sentence is accurate when it states every fact and contradicts none; its score is the
        share of facts stated right. Without facts, the score is `rouge_l` over the tokens of
        `captions.words`, and accuracy is a match with a reference. A reply of which nothing can
        be read is unparsed and wrong.
    """
    if question.form == "option":
        return score_choice(question.options, gold.answer, text)
    golds = (gold.answer, *gold.references)
    if question.form != "sentence":
        return score_answer(golds, text, question.text, question.labels)
    if question.facts:
        return _score_facts(question, gold, text)
    return score_sentence(gold.references or golds, text, question.stop_tokens)


def score_choice(options: Mapping[str, str], answer: str, text: str) -> dict[str, float]:
    """Score one reply, thinking taken off, to a question with options, as `score` does.

    Args:
        options: letter, as the source gives it -> text.
        answer: the right letter.
        text: the reply.
    """
    value = read_choice(abridged(text), options).value
    right = float(value == answer)
    return {"score": right, "accuracy": right, "unparsed": float(value is None)}


def score_answer(
    golds: Sequence[str], text: str, asked: str = "", labels: LabelSet | None = None
) -> dict[str, float]:
    """Score one reply, thinking taken off, that names something, as `score` does.

    Args:
        golds: right answers.
        text: the reply.
        asked: the question.
        labels: the closed set that answers it, if there is one.
    """
    value = _read_answer(abridged(text), asked, labels).value
    right = 0.0
    if value is not None:
        listed = labels is not None and any(same_label(value, gold_label(one)) for one in golds)
        right = float(listed or is_name(value, golds))
    return {"score": right, "accuracy": right, "unparsed": float(value is None)}


def score_sentence(
    references: Sequence[str], text: str, stop_tokens: bool = True
) -> dict[str, float]:
    """Score one reply, thinking taken off, by right sentences, as `score` does without facts.

    Args:
        references: right sentences.
        text: the reply.
        stop_tokens: whether "," and "." count.
    """
    sentence = read_sentence(abridged(text)).value or ""
    said = sentence if stop_tokens else without_stop_tokens(sentence)
    overlap = rouge_l(said, references, words)
    exact = normalise(sentence) in {normalise(reference) for reference in references}
    return {
        "score": overlap,
        "accuracy": float(exact and bool(sentence)),
        "unparsed": float(not sentence),
        "rouge_l": overlap,
    }


def _score_facts(question: Question, gold: Gold, text: str) -> dict[str, float]:
    sentence = read(question, text).value or ""
    stated = facts_of(question, sentence)
    right = sum(stated[attribute] == {value} for attribute, value in gold.facts.items())
    return {
        "score": right / len(gold.facts),
        "accuracy": float(right == len(gold.facts)),
        "unparsed": float(not any(stated.values())),
        "rouge_l": rouge_l(sentence, gold.references or (gold.answer,)),
    }


def rouge_l(
    hypothesis: str, references: Sequence[str], split: Callable[[str], str] = normalise
) -> float:
    """Return the ROUGE-L F-measure (beta 1.2) of the COCO caption evaluation, 0..1.

    Both sides are split into words by `split`; the evaluation's own tokeniser needs Java. An empty
    hypothesis, or no reference with a word, scores 0.
    """
    said = split(hypothesis)
    targets = [target for target in map(split, references) if target]
    if not said or not targets:
        return 0.0
    return float(Rouge().calc_score([said], targets))
