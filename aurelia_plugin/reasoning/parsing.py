"""Reading what agents wrote: strict first, then repaired, never evaluated.

A reply is data. JSON is taken as it is, else cut out of the text around it, else repaired by a
library; a score is a whole number from 1 to 10 or it is not a score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import json_repair

from aurelia_plugin.files.storable import storable
from aurelia_plugin.reasoning.roles import JsonKeys

__all__ = [
    "ReadSteps",
    "ReadVerdict",
    "read_lines",
    "read_object",
    "read_steps",
    "read_verdict",
    "without_thinking",
]

_THINKING = re.compile(r"<(think|analysis)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
# Templates that open the thought in the prompt leave only its end in the reply.
_THOUGHT_END = re.compile(r"\A.*</(think|analysis)>", re.DOTALL | re.IGNORECASE)
# Not `2.5 s`, `12:30`, `-5` or `**bold**`.
_MARKER = re.compile(
    r"""^\s*(?:•+|[-*]+(?=\s|$)
        |\**(?:step\s*)?\(?\d{1,3}[.):](?!\d)\**
        |\**step\s*\d{1,3}\s*-\**)\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_SCORE_TEXT = re.compile(
    r"""^\W*(?:(?:final\s+|overall\s+)?(?:score|rating)\W*(?:is\W*|of\W*)?)?
        (?<![-\u2212.])(?P<number>\d+(?:\.0+)?)(?!\s*%)
        (?:\s*(?:/|out\s+of)\s*10)?\W*(?:\n(?P<rest>.*))?$""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


# json raises a plain ValueError for numbers of thousands of digits.
_UNREADABLE = (ValueError, RecursionError)


class ReadSteps(NamedTuple):
    """A reasoner's reply, read."""

    steps: tuple[str, ...]
    answers: tuple[str, ...]
    final_answer: str | None
    read: str


class ReadVerdict(NamedTuple):
    """An evaluator's reply, read. `score` is 1 to 10."""

    score: int
    feedback: str | None
    read: str


class ReadObject(NamedTuple):
    """A JSON object and the rung of the ladder on which it was found."""

    value: Mapping[str, Any]
    read: str


def without_thinking(text: str) -> str:
    """Return the reply without the thought that a model shows before it."""
    return _THOUGHT_END.sub("", _THINKING.sub("", text)).strip()


def read_object(text: str, key: str) -> ReadObject | None:
    """Return the JSON object with `key` in a reply, or None.

    The rungs: the whole text (`json`), the first complete object inside it that has the key
    (`embedded`), the text from a brace on, repaired (`repaired`).
    """
    text = without_thinking(text)
    try:
        whole = json.loads(text)
    except _UNREADABLE:
        pass
    else:
        if isinstance(whole, dict):
            return ReadObject(whole, "json")
    decoder = json.JSONDecoder()
    for brace in re.finditer(r"\{", text):
        try:
            value, _ = decoder.raw_decode(text, brace.start())
        except RecursionError:
            break  # each brace inside would cost as much again
        except ValueError:
            continue
        if key in value:
            return ReadObject(value, "embedded")
    # The braces before the key may belong to prose, or to an object that holds the wanted one.
    for start in dict.fromkeys((text.find("{"), text.rfind("{", 0, max(0, text.find(key))))):
        value = _repaired(text[start:]) if start >= 0 else None
        if isinstance(value, dict) and key in value:
            return ReadObject(value, "repaired")
    return None


def _repaired(text: str) -> Any:
    try:
        return json_repair.loads(text)
    except (*_UNREADABLE, AssertionError):  # the library's own checks of itself
        return None


def read_steps(text: str, keys: JsonKeys) -> ReadSteps | None:
    """Return the steps of a reasoner's JSON reply, or None if it holds no step."""
    found = read_object(text, keys.steps)
    if found is None:
        return None
    try:
        rows = _rows(found.value.get(keys.steps), found.value.get(keys.answers))
        final = _flat(found.value.get(keys.final_answer))
    except RecursionError:  # nested deeper than can be walked
        return None
    if not rows:
        return None
    answers = tuple(storable(answer) for _, answer in rows)
    return ReadSteps(
        steps=tuple(storable(step) for step, _ in rows),
        answers=answers if any(answers) else (),
        final_answer=storable(final) or None,
        read=found.read,
    )


def read_lines(text: str) -> ReadSteps:
    """Return the non-empty lines of a reply as steps; `step -> answer` is split.

    Markers of lists and the lines that fence code are not part of them.
    """
    steps, answers = [], []
    for line in without_thinking(text).splitlines():
        if line.lstrip().startswith("```"):
            continue
        step, arrow, answer = _MARKER.sub("", line).partition("->")
        if step.strip():
            steps.append(step.strip())
            answers.append(answer.strip() if arrow else "")
    return ReadSteps(tuple(steps), tuple(answers) if any(answers) else (), None, "lines")


def read_verdict(text: str) -> ReadVerdict | None:
    """Return the score of an evaluator's reply, or None.

    Taken: a JSON object with `score`, or a text that is nothing but a score (`7`, `Score: 7/10`),
    with feedback on later lines. A number out of range, a fraction, or a sentence that mentions
    numbers is not a score.
    """
    found = read_object(text, "score")
    if found is not None:
        score = _whole_score(found.value.get("score"))
        if score is None:
            return None
        return ReadVerdict(score, _feedback(found.value.get("feedback")), found.read)
    match = _SCORE_TEXT.match(without_thinking(text))
    score = _whole_score(match["number"]) if match else None
    if match is None or score is None:
        return None
    return ReadVerdict(score, (match["rest"] or "").strip() or None, "text")


def _feedback(value: Any) -> str | None:
    try:
        return storable(_flat(value)) or None
    except RecursionError:  # nested deeper than can be walked; the score stands without it
        return None


def _whole_score(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.0+)?)\s*(?:/\s*10)?\s*", value)
        value = float(match[1]) if match else None
    if isinstance(value, int | float) and 1 <= value <= 10 and value == int(value):
        return int(value)
    return None


def _rows(steps: Any, answers: Any) -> list[tuple[str, str]]:
    """Return (step, answer), each answer beside the step with which it was written."""
    listed = [_flat(answer) for answer in answers] if isinstance(answers, list) else None
    if isinstance(steps, list) and listed is not None and len(listed) == len(steps):
        rows = []
        for entry, answer in zip(steps, listed, strict=True):
            pairs = list(_pairs(entry))
            step = " ".join(step for step, _ in pairs)
            rows.append((step, answer or " ".join(own for _, own in pairs if own)))
        return [row for row in rows if row[0]]
    pairs = [pair for pair in _pairs(steps) if pair[0]]
    given = listed if listed is not None else [step for step, _ in _pairs(answers)]
    if not any(given):
        return pairs
    # As many answers as steps: one too few is none for the last step, one too many has no place.
    given = [*given, *[""] * len(pairs)][: len(pairs)]
    return [(step, answer) for (step, _), answer in zip(pairs, given, strict=True)]


def _flat(value: Any) -> str:
    """Return a value as one text."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return " ".join(text for text in map(_flat, value) if text)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()


def _pairs(value: Any) -> Iterable[tuple[str, str]]:
    """Yield (step, answer) from the forms in which models write a list of steps."""
    if isinstance(value, str):
        lines = read_lines(value)
        for index, step in enumerate(lines.steps):
            yield step, lines.answers[index] if lines.answers else ""
    elif isinstance(value, Mapping):
        if any(key in value for key in ("step", "question", "text")):
            step = next(value[key] for key in ("step", "question", "text") if key in value)
            yield _flat(step), _flat(value.get("answer"))
        else:
            for entry in value.values():
                yield from _pairs(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _pairs(entry)
    elif value is not None and not isinstance(value, bool):
        yield str(value), ""
