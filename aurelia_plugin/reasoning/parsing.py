"""Reading what agents wrote: strict first, then repaired, never evaluated.

A reply is data. JSON is taken as it is, else cut out of the text around it, else repaired by a
library; a score is a whole number from 1 to 10 or it is not a score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import json_repair

from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.files.storable import storable
from aurelia_plugin.reasoning.roles import JsonKeys

__all__ = [
    "ReadSteps",
    "ReadVerdict",
    "read_lines",
    "read_object",
    "read_steps",
    "read_verdict",
]

# Not `2.5 s`, `12:30`, `-5` or `**bold**`.
_MARKER = re.compile(
    r"""^\s*(?:•+|[-*]+(?=\s|$)
        |\**(?:step\s*)?\(?\d{1,3}[.):](?!\d)\**
        |\**step\s*\d{1,3}\s*-\**)\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# A number as a score is written: with what may make it none (a range, a fraction, a share). In a
# word only where nothing goes on behind it ("one of the best" is no score).
_NUMBER = (
    r"(?P<number>(?<![A-Za-z0-9_.,/\u2212-])(?:\d{1,9}(?:[.,]\d{1,9})?"
    rf"|(?:{'|'.join(_WORDS)})(?=\s*(?:$|[.,;:!?)\]*_/\n]|out of\b))))"
    r"(?P<range>\s?(?:[-\u2013\u2014]|to\b|or\b)\s?\d{1,9}(?:\.\d{1,9})?)?"
    r"(?:(?:\spoints?)?\s?(?:/|out of|von|sur|de|su|av|van|\u0438\u0437)\s?(?P<of>\d{1,9}|ten\b))?"
    r"(?P<share>\s?%)?(?:\s?[\u5206\u70b9\uc810])?(?![\w/]|[.,]\d)"
)
# Score, rating, mark: in English, and as models of other languages write it.
_NOUN = (
    r"(?:\b(?:score|rating|verdict|grade|overall|total|bewertung|punktzahl|puntuaci\u00f3n"
    r"|calificaci\u00f3n|pontua\u00e7\u00e3o|punteggio|\u043e\u0446\u0435\u043d\u043a\u0430)\b"
    r"|\u8bc4\u5206|\u5f97\u5206|\u6253\u5206|\u6253(?=\d)|\u5206\u6570|\u8a55\u4fa1|\u30b9\u30b3\u30a2|\uc810\uc218)"
)
_LABELLED = re.compile(
    rf"{_NOUN}(?:\s(?:is|of|would be|should be|at|as|to|remains|stands at|ist|es|\u00e8|\u00e9))?"
    r"(?:\u662f|\u4e3a)?[\s*_`:=>-]{0,6}"
    rf"(?:(?:is|a|an)\s)?[*_`(\[{{]{{0,3}}{_NUMBER}"
    r"|\b(?:rat(?:e|ed|ing)|scor(?:e|ed|ing)|giv(?:e|en|ing)|grad(?:e|ed|ing)|assign(?:ed)?)\s"
    r"(?:(?:it|this|the|that|a|an|caption|score|rating|solid|strong|weak|as|at|with|of"
    r"|is)\s){0,6}[*_`(\[{]{0,3}" + _NUMBER.replace("?P<", "?P<v_"),
    re.IGNORECASE,
)
# "It would be 9/10 if it named the bell": no score that was given.
_SUPPOSED = re.compile(r"\b(?:would|could|might)\b[^.\n]{0,30}$", re.IGNORECASE)
_IF = re.compile(r"[^.\n]{0,40}?\b(?:if|had|were)\b", re.IGNORECASE)
_OF_TEN = re.compile(_NUMBER, re.IGNORECASE)
_ALONE = re.compile(rf"^[^\w\n.\u2212-]*(?:-\s)?{_NUMBER}[^\w\n]*$", re.IGNORECASE | re.MULTILINE)
_DOTS = re.compile(r"[\s.\u2026_<>\[\]]*|<[^<>]{0,60}>")
_BOXED = re.compile(r"\\f?boxed\s?\{([^{}\n]{0,20})\}")
_WIDE = {0xFF10 + digit: str(digit) for digit in range(10)} | {
    **{0xFF1A: ":", 0xFF0F: "/", 0xFF08: "(", 0xFF09: ")", 0xFF1D: "="}
}
# Repairing is not linear in time; what an agent writes is shorter, and has fewer braces.
_REPAIRED = 20_000
_BRACES = 200

_OBJECT = re.compile(r"\{\s{0,100}[\"}]")
# Telling where in a text decoding fails takes time, too: its lines are counted up to there.
_COUNTED = 64

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

    value: Mapping[str, object]
    read: str


def read_object(text: str, key: str) -> ReadObject | None:
    """Return the last complete JSON object with `key` in a reply, or None.

    The rungs: the whole text (`json`), an object inside it (`embedded`), the text from a brace on,
    repaired (`repaired`). An object whose texts are nothing but dots repeats the prompt's example
    and does not count.
    """
    text = without_thinking(text)
    whole = _loaded(text)
    if isinstance(whole, dict):
        return None if _is_example(whole, key) else ReadObject(whole, "json")
    found = [value for _, _, value in _objects(text, key)]
    if found:
        own = [value for value in found if not _is_example(value, key)]
        return ReadObject(own[-1], "embedded") if own else None
    # The braces before the key may belong to prose, or to an object that holds the wanted one.
    for start in dict.fromkeys((text.find("{"), text.rfind("{", 0, max(0, text.find(key))))):
        value = _repaired(text[start : start + _REPAIRED]) if start >= 0 else None
        if isinstance(value, dict) and key in value:
            return ReadObject(value, "repaired")
    return None


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except _UNREADABLE:
        return None


def _objects(text: str, key: str) -> Iterator[tuple[int, int, Mapping[str, object]]]:
    """Yield (start, end, object) of the complete objects that have the key, in order.

    The work is bounded by a multiple of the text's length: nested braces would square it.
    """
    decoder = json.JSONDecoder()
    budget = 6 * len(text)
    begins = _OBJECT.search(text)
    while begins is not None and budget > 0:
        at = begins.start()
        after = at + 1
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            return  # each brace inside would cost as much again
        except json.JSONDecodeError as error:
            budget -= error.pos - at + 1 + at // _COUNTED
        except ValueError:
            budget -= len(text) - at  # a number of thousands of digits
        else:
            budget -= end - at
            if key in value:
                yield at, end, value
                after = end
        begins = _OBJECT.search(text, after)


def _is_example(value: Mapping[str, object], key: str) -> bool:
    """Return whether all texts of an object are placeholders, as in a prompt's example."""
    texts = [text for name, text in value.items() if isinstance(text, str) and name != key]
    steps = value.get(key)
    if isinstance(steps, list):
        texts += [text for text in steps if isinstance(text, str)]
    return bool(texts) and all(text.strip() and _DOTS.fullmatch(text) for text in texts)


def _repaired(text: str) -> object:
    if text.count("{") > _BRACES:
        return None
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

    The last complete verdict counts: a JSON object with `score`, or a score in words ("Score: 7",
    "I rate it 7 out of 10"); else a line that is nothing but a score; else the only "N/10" of the
    reply. A range, a number out of range or a fraction that is no whole number of ten is no score;
    an example repeated from the prompt is no verdict.
    """
    said = _BOXED.sub(r"\1", without_thinking(text))
    whole = _loaded(said)
    if isinstance(whole, dict):
        found = None if _is_example(whole, "score") else whole
        return _from_object(found, "json") if found is not None and "score" in found else None
    objects = list(_objects(said, "score"))
    outside = _blanked(said, [(start, end) for start, end, _ in objects])
    own = [one for one in objects if not _is_example(one[2], "score")]
    outside = outside.translate(_WIDE)  # one character each: places stay
    labelled = _last_match(_LABELLED, outside)
    if own and (labelled is None or labelled.start() < own[-1][0]):
        return _from_object(own[-1][2], "embedded")
    if labelled is None and "{" in outside:
        repaired = read_object(outside, "score") if not objects else None
        if repaired is not None:
            return _from_object(repaired.value, repaired.read)
    return _from_words(outside, labelled)


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with spaces in place of its spans, which are in order."""
    parts = []
    at = 0
    for start, end in spans:
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*parts, text[at:]])


def _from_object(value: Mapping[str, object], rung: str) -> ReadVerdict | None:
    score = _whole_score(value.get("score"))
    return None if score is None else ReadVerdict(score, _feedback(value.get("feedback")), rung)


def _from_words(text: str, labelled: re.Match[str] | None) -> ReadVerdict | None:
    found = labelled or _last_match(_ALONE, text)
    if found is not None:
        score = _written_score(found)
        rest = text[found.end() :].strip().lstrip("*_`.)").strip()
        return None if score is None else ReadVerdict(score, storable(rest) or None, "text")
    scores = {
        _written_score(one)
        for one in _OF_TEN.finditer(text)
        if one["of"] and not _is_supposed(text, one)
    }
    score = scores.pop() if len(scores) == 1 else None
    return None if score is None else ReadVerdict(score, None, "text")


def _is_supposed(text: str, score: re.Match[str]) -> bool:
    before = text[max(0, score.start() - 40) : score.start()]
    return bool(_SUPPOSED.search(before) and _IF.match(text, score.end()))


def _last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    last = None
    for found in pattern.finditer(text):
        last = found
    return last


def _written_score(found: re.Match[str]) -> int | None:
    """Return the score that a match of `_NUMBER` writes, or None if it is none."""
    parts = {name.removeprefix("v_"): value for name, value in found.groupdict().items() if value}
    if "range" in parts or "share" in parts or parts.get("of", "10").lower() not in ("10", "ten"):
        return None
    written = parts["number"].lower()
    number = str(_WORDS.index(written) + 1) if written in _WORDS else written.replace(",", ".")
    return _whole_score(number)


def _feedback(value: object) -> str | None:
    try:
        return storable(_flat(value)) or None
    except RecursionError:  # nested deeper than can be walked; the score stands without it
        return None


def _whole_score(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.0+)?)\s*(?:/\s*10)?\s*", value)
        value = float(match[1]) if match else None
    if isinstance(value, int | float) and 1 <= value <= 10 and value == int(value):
        return int(value)
    return None


def _rows(steps: object, answers: object) -> list[tuple[str, str]]:
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


def _flat(value: object) -> str:
    """Return a value as one text."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return " ".join(text for text in map(_flat, value) if text)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()


def _pairs(value: object) -> Iterable[tuple[str, str]]:
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
