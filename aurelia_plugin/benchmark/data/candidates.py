"""DM-Match for models that take one sound: each candidate is rated alone, the best one counts.

Declared rule: a candidate's rating is the one whole number 1 to 10 of its reply; the candidate
with the highest rating is the answer. When k candidates share the highest rating and the right one
is among them, the question scores 1/k, what choosing blindly among them gives on average. A reply
without such a number has no rating and cannot be chosen; without any rating the question is
unparsed and scores 0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final, NamedTuple

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.scoring.closed_sets import counts
from aurelia_plugin.benchmark.scoring.grammar.numerals import whole_number
from aurelia_plugin.benchmark.scoring.grammar.text import cardinal, cleaned, fold
from aurelia_plugin.benchmark.scoring.sentences import answer_text
from aurelia_plugin.calling.thinking import spoken

__all__ = [
    "Outcome",
    "candidate_results",
    "expanded",
    "mean_outcome",
    "outcomes",
    "rating",
    "unparsed_share",
]

_WAY: Final = "one_run_per_candidate"
_QUESTION: Final = (
    "How well does the sound in the audio file fit the dance in the video? "
    "Give a whole number from 1 (not at all) to 10 (it is the music that is danced to).\n"
    "End with one line: Answer: <number>"
)
_OF_TEN: Final = re.compile(r"\s?(?:/|\bout of)\s?(?:10|ten)\b", re.IGNORECASE)
_NOT_WHOLE: Final = re.compile(r"\d[.,]\d|(?<![\w)])-\s?\d|\d\s?/\s?\d|\d\s?%")
_BEST: Final = 10


class Outcome(NamedTuple):
    """What the ratings of one question's candidates give."""

    score: float
    unparsed: float


def expanded(item: Item) -> list[Item]:
    """Return one item per candidate sound, `<id>#1` first; its answer is yes or no."""
    question = _QUESTION
    return [
        item.model_copy(
            update={
                "id": f"{item.id}#{number}",
                "question": question,
                "options": None,
                "answer": "yes" if _number(item) == number else "no",
                "audio": path,
                "audios": (),
                "reasoning_steps": None,
                "step_answers": None,
            }
        )
        for number, path in enumerate(item.audios, start=1)
    ]


def _number(item: Item) -> int:
    """Return which sound, from 1, the right option names; options without a number are in order."""
    place = item.letters.index(item.answer)
    digits = [cardinal(key) for key in fold((item.options or ())[place])]
    named = [int(one) for one in digits if one is not None and 0 < int(one) <= _BEST]
    return named[0] if len(named) == 1 else place + 1


def rating(reply: str) -> int | None:
    """Return the one whole number 1 to 10 that the reply states, or None.

    "8/10" and "8 out of 10" say eight; "7.5" is no whole number, "7-8" are two.
    """
    said = spoken(reply)
    if said.unclosed:
        return None
    text = _OF_TEN.sub(" ", cleaned(answer_text(said.text)))
    if _NOT_WHOLE.search(text):
        return None
    found = {whole_number(token.amount) for token in counts(text) if token.amount is not None}
    number = found.pop() if len(found) == 1 else None
    return number if number is not None and 1 <= number <= _BEST else None


def candidate_results(item: Item, reply: str) -> dict[str, Any]:
    """Return what one candidate's reply gives: the metrics are known once all are rated."""
    question, _, number = item.id.rpartition("#")
    value = {
        "question": question,
        "candidate": int(number),
        "rating": rating(reply),
        "right": item.answer == "yes",
    }
    return {
        "score": value,
        "accuracy": value,
        "unparsed": value,
        "item": question,
        "column": item.column,
        "category": item.category,
        "video": item.video,
        "way": _WAY,
    }


def outcomes(values: Iterable[Mapping[str, Any]]) -> dict[str, Outcome]:
    """Return the outcome of each question, by the rule of this module."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for value in values:
        groups[value["question"]].append(value)
    return {question: _outcome(group) for question, group in groups.items()}


def _outcome(group: Sequence[Mapping[str, Any]]) -> Outcome:
    rated = [value for value in group if value["rating"] is not None]
    if not rated:
        return Outcome(0.0, 1.0)
    highest = max(value["rating"] for value in rated)
    best = [value for value in rated if value["rating"] == highest]
    return Outcome(any(value["right"] for value in best) / len(best), 0.0)


def mean_outcome(values: Sequence[Mapping[str, object]]) -> float:
    """Aggregate the mean score over questions."""
    return fmean(outcome.score for outcome in outcomes(values).values())


def unparsed_share(values: Sequence[Mapping[str, object]]) -> float:
    """Aggregate the share of questions without any rating."""
    return fmean(outcome.unparsed for outcome in outcomes(values).values())
