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
_MARKER = re.compile(r"^\s*(?:[-*•]+|\(?\d{1,3}[.):]|step\s*\d{1,3}\s*[.):-])\s*", re.IGNORECASE)
_SCORE_TEXT = re.compile(
    r"""^\W*(?:(?:final\s+|overall\s+)?(?:score|rating)\W*(?:is\W*|of\W*)?)?
        (?P<number>\d+(?:\.0+)?)
        (?:\s*(?:/|out\s+of)\s*10)?\W*(?:\n(?P<rest>.*))?$""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


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
    return _THINKING.sub("", text).strip()


def read_object(text: str) -> ReadObject | None:
    """Return the JSON object in a reply, or None.

    The rungs: the whole text (`json`), the first complete object inside it (`embedded`), the
    text from the first brace on, repaired (`repaired`).
    """
    text = without_thinking(text)
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        pass
    else:
        return ReadObject(whole, "json") if isinstance(whole, dict) else None
    decoder = json.JSONDecoder()
    for brace in re.finditer(r"\{", text):
        try:
            value, _ = decoder.raw_decode(text, brace.start())
        except (json.JSONDecodeError, RecursionError):
            continue
        if value:
            return ReadObject(value, "embedded")
    start = text.find("{")
    if start < 0:
        return None
    try:
        value = json_repair.loads(text[start:])
    except (ValueError, RecursionError):
        return None
    return ReadObject(value, "repaired") if isinstance(value, dict) and value else None


def read_steps(text: str, keys: JsonKeys) -> ReadSteps | None:
    """Return the steps of a reasoner's JSON reply, or None if it holds no step."""
    found = read_object(text)
    if found is None:
        return None
    pairs = list(_pairs(found.value.get(keys.steps)))
    steps = tuple(_storable(step) for step, _ in pairs)
    if not steps:
        return None
    answers = _one_each(found.value.get(keys.answers))
    if not any(answers) and any(answer for _, answer in pairs):
        answers = tuple(answer for _, answer in pairs)
    final = " ".join(step for step, _ in _pairs(found.value.get(keys.final_answer)))
    answers = tuple(_storable(answer) for answer in answers)
    return ReadSteps(steps, answers, _storable(final) or None, found.read)


def read_lines(text: str) -> ReadSteps:
    """Return the non-empty lines of a reply as steps; `step -> answer` is split."""
    steps, answers = [], []
    for line in without_thinking(text).splitlines():
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
    found = read_object(text)
    if found is not None:
        score = _whole_score(found.value.get("score"))
        if score is None:
            return None
        feedback = _storable(str(found.value.get("feedback") or "")).strip()
        return ReadVerdict(score, feedback or None, found.read)
    match = _SCORE_TEXT.match(without_thinking(text))
    score = _whole_score(match["number"]) if match else None
    if match is None or score is None:
        return None
    return ReadVerdict(score, (match["rest"] or "").strip() or None, "text")


def _whole_score(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.0+)?)\s*(?:/\s*10)?\s*", value)
        value = float(match[1]) if match else None
    if isinstance(value, int | float) and float(value).is_integer() and 1 <= value <= 10:
        return int(value)
    return None


def _one_each(value: Any) -> tuple[str, ...]:
    """Return one text per entry, empty ones too, so that answers stay beside their steps."""
    if isinstance(value, list | tuple):
        return tuple(" ".join(text for text, _ in _pairs(entry)) for entry in value)
    return tuple(text for text, _ in _pairs(value))


def _pairs(value: Any) -> Iterable[tuple[str, str]]:
    """Yield (step, answer) from the forms in which models write a list of steps."""
    if isinstance(value, str):
        lines = read_lines(value)
        for index, step in enumerate(lines.steps):
            yield step, lines.answers[index] if lines.answers else ""
    elif isinstance(value, Mapping):
        if any(key in value for key in ("step", "question", "text")):
            step = next(value[key] for key in ("step", "question", "text") if key in value)
            yield str(step).strip(), str(value.get("answer", "")).strip()
        else:
            for entry in value.values():
                yield from _pairs(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _pairs(entry)
    elif value is not None and not isinstance(value, bool):
        yield str(value), ""


def _storable(text: str) -> str:
    """Replace lone surrogates, which JSON escapes can smuggle in and UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
