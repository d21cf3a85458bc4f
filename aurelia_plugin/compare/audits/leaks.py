"""Whether steps give the gold answer away: one rule for each kind of answer.

Steps that contain the answer turn a test of reasoning into a test of reading. The rules look at
words, so they see what is said and not what is meant: `leak` is a lower bound for yes/no answers
and open questions, and `unclear` marks what a reader has to decide. A placebo's steps, which
belong to another question, show how often a rule fires by chance.

| kind | leak | unclear | clean |
|---|---|---|---|
| every kind | the steps state an answer ("the answer is ...", "Answer: ...") and it is the gold one | | |
| option | "option B" or the right option's text is there, and no other option's | the right one beside others | the right one is not there |
| yes/no | only such a statement; the words yes and no alone never count | | no such statement |
| number | the number is there and no other one, list numbers, ordinals, times and names such as "audio 2" left out | beside other numbers | it is not there |
| name | the name or another accepted wording is there; if the question holds it too, only without its rivals | beside rivals, or the question holds it and rivals are not known | it is not there |
| free text | every fact of the item is stated, none contradicted; without facts, 80% of a reference's content words | some facts beside contradictions; 50% of the words | fewer |
"""  # noqa: E501 - a table

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.reading import as_choice, as_line, mentioned_facts, stated_facts
from aurelia_plugin.benchmark.scoring.closed_sets import counts
from aurelia_plugin.benchmark.scoring.grammar.text import cleaned, normalise
from aurelia_plugin.compare.audits.answer_kinds import Gold
from aurelia_plugin.compare.result import Leak

__all__ = ["Finding", "find_leak"]

_LETTER: Final = re.compile(r"\b(?:[Oo]ption|[Cc]hoice)s?\s*[\"'(\[]*([A-Z])\b(?!['\w])")
_FILLER: Final = frozenset(
    (
        *("a", "an", "the", "of", "in", "on", "at", "to", "is", "are", "was", "were", "be"),
        *("and", "or", "with", "while", "it", "its", "there", "this", "that", "by", "for"),
    )
)
_MUCH, _SOME = 0.8, 0.5
_AROUND: Final = 80  # characters either side in an excerpt


class Finding(NamedTuple):
    """What a rule saw."""

    leak: Leak
    rule: str
    excerpt: str


def find_leak(steps: Sequence[str], gold: Gold, question: str) -> Finding:
    """Return whether the steps give the gold answer away, by the rule of its kind."""
    text = "\n".join(steps)
    stated = _stated_answer(text, gold)
    if stated is not None:
        return stated
    rule = {
        "option": _option,
        "yes_no": _yes_no,
        "number": _number,
        "name": _name,
        "free_text": _free_text,
    }[gold.kind]
    finding = rule(text, gold, normalise(question))
    return finding if finding.excerpt else finding._replace(excerpt=text[: 2 * _AROUND])


def _stated_answer(text: str, gold: Gold) -> Finding | None:
    """Judge an explicit statement; None if there is none that can be judged."""
    said = as_line(text)
    if said is None:
        return None
    words = normalise(said)
    if gold.options is not None:
        chosen = as_choice(f"Answer: {said}", gold.lettered).value
        right = chosen == gold.letter if chosen is not None else None
    elif gold.kind == "free_text":
        return None
    elif gold.kind == "yes_no":
        first = next((word for word in words.split() if word in ("yes", "no")), None)
        right = first in gold.wordings if first is not None else None
    else:
        others = gold.rivals
        if gold.kind == "number":
            others = tuple((number,) for number in _numbers(said) - set(gold.wordings))
        own, other = _holds(words, gold.wordings), any(_holds(words, one) for one in others)
        right = own if own != other else None
    if right is None:
        return None
    return Finding("leak" if right else "clean", "stated answer", said[: 2 * _AROUND])


def _option(text: str, gold: Gold, question: str) -> Finding:
    words = normalise(text)
    letters = set(_LETTER.findall(text))
    own = gold.letter in letters or _holds(words, gold.wordings)
    others = bool(letters - {gold.letter}) or any(_holds(words, rival) for rival in gold.rivals)
    at = _excerpt(text, gold.text)
    if not own:
        return Finding("clean", "right option not named", "")
    if others:
        return Finding("unclear", "right option beside others", at)
    return Finding("leak", "only the right option named", at)


def _yes_no(text: str, gold: Gold, question: str) -> Finding:
    return Finding("clean", "no stated answer", "")


def _number(text: str, gold: Gold, question: str) -> Finding:
    numbers = _numbers(text)
    if not numbers & set(gold.wordings):
        return Finding("clean", "number not named", "")
    at = _excerpt(text, gold.text, *gold.wordings)
    if len(numbers) > 1:
        return Finding("unclear", "number beside others", at)
    return Finding("leak", "only this number named", at)


def _numbers(text: str) -> set[str]:
    found = counts(cleaned(text))
    return {token.amount for token in found if token.amount is not None}


def _name(text: str, gold: Gold, question: str) -> Finding:
    words = normalise(text)
    if not _holds(words, gold.wordings):
        return Finding("clean", "name not there", "")
    at = _excerpt(text, gold.text, *gold.wordings)
    if any(_holds(words, rival) for rival in gold.rivals):
        return Finding("unclear", "name beside others of its set", at)
    if _holds(question, gold.wordings) and not gold.rivals:
        return Finding("unclear", "the question holds the name", at)
    return Finding("leak", "name there", at)


def _free_text(text: str, gold: Gold, question: str) -> Finding:
    if gold.facts:
        stated = stated_facts(text, tuple(gold.facts))
        right = sum(stated[attribute] == {value} for attribute, value in gold.facts.items())
        named = mentioned_facts(text, tuple(gold.facts))
        mixed = any(value in named[a] and len(named[a]) > 1 for a, value in gold.facts.items())
        rule = f"{right} of {len(gold.facts)} facts stated"
        if right == len(gold.facts):
            return Finding("leak", rule, text[: 2 * _AROUND])
        return Finding("unclear" if mixed else "clean", rule, text[: 2 * _AROUND] if mixed else "")
    words = set(normalise(text).split())
    share = max((_covered(words, reference) for reference in gold.wordings), default=0.0)
    leak: Leak = "leak" if share >= _MUCH else "unclear" if share >= _SOME else "clean"
    excerpt = text[: 2 * _AROUND] if leak != "clean" else ""
    return Finding(leak, f"{share:.0%} of a reference's content words", excerpt)


def _covered(words: set[str], reference: str) -> float:
    wanted = [word for word in reference.split() if word not in _FILLER]
    return sum(word in words for word in wanted) / len(wanted) if wanted else 0.0


def _holds(words: str, phrases: Iterable[str]) -> bool:
    return any(phrase and f" {phrase} " in f" {words} " for phrase in phrases)


def _excerpt(text: str, *phrases: str) -> str:
    for phrase in phrases:
        at = text.casefold().find(phrase.casefold())
        if phrase and at >= 0:
            return text[max(0, at - _AROUND) : at + len(phrase) + _AROUND]
    return text[: 2 * _AROUND]
