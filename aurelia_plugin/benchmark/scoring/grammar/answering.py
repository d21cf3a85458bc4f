"""The way from a reply to its answer, the same for every closed set of answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from .deciding import NO_VALUE, Reading, decide
from .evidence import Evidence, Weight, corrects, weigh
from .phrasebook import Mention
from .statements import is_placeholder, statements
from .text import before_next_question, cleaned

__all__ = ["ClosedSet", "read_closed"]

_NONE: Final = re.compile(
    r"\b(?:none|neither|no one|nothing) of (?:the|these|those|them|it|its)\b"
    r"|\ball of (?:the above|these|them)\b|\bnone (?:fits?|match(?:es)?|apply|applies|is|are)\b"
    r"|^\W*(?:neither|n/?a|unknown|unclear|unsure)\W*$",
    re.IGNORECASE,
)
_NEAR: Final = 2000  # characters behind an answer line in which it may be taken back
_BINDING: Final = frozenset(("several values", "letter and text differ", "no such option"))


class ClosedSet(NamedTuple):
    """A closed set of answers.

    Attributes:
        find: returns the mentions of its values in a cleaned text, in order.
        values: what may be read; a mention of anything else is no such answer.
        eliminates: whether denying all values but one states that one.
        named: values that the question itself names: mentioning them says less.
        otherwise: reads a text that mentions no value, or returns None.
    """

    find: Callable[[str], list[Mention]]
    values: Collection[str] | None = None
    eliminates: bool = False
    named: Collection[str] = ()
    otherwise: Callable[[str], str | None] | None = None


def read_closed(text: str, answers: ClosedSet) -> Reading:
    """Read the answer of a reply, thinking taken off.

    The last answer line from which something can be read counts, unless what follows takes it
    back; else the whole reply. An answer line that contradicts itself, denies, or names no answer
    of the set leaves the reply unread.
    """
    said = cleaned(text)
    if not said:
        return Reading(None, "empty")
    answer = before_next_question(said)
    if answer and (reading := read_closed(answer, answers)).value is not None:
        return reading
    unreadable = False
    for statement in reversed(statements(said)):
        if is_placeholder(statement.content):
            continue
        reading = _read(cleaned(statement.content), answers)
        if reading.value is not None:
            return _unless_taken_back(said[statement.end :], reading, answers)
        if (statement.labelled and reading.rule != NO_VALUE) or reading.rule in _BINDING:
            return reading
        unreadable = unreadable or statement.labelled
    if not unreadable:
        return _read(said, answers)
    reading = _decided(said, answers.find(said), answers, Weight.CHOSEN)
    return reading if reading.value else Reading(None, "no value in the answer line")


def _read(text: str, answers: ClosedSet) -> Reading:
    mentions = answers.find(text)
    reading = _decided(text, mentions, answers, Weight.LISTED)
    if not mentions and reading.rule == NO_VALUE and answers.otherwise is not None:
        value = answers.otherwise(text)
        return Reading(value, "in other words") if value is not None else reading
    return reading


def _decided(text: str, mentions: list[Mention], answers: ClosedSet, least: Weight) -> Reading:
    evidence = [_lowered(one, answers.named) for one in weigh(text, mentions)]
    universe = (answers.values or ()) if answers.eliminates else ()
    reading = decide(text, evidence, universe, least)
    known = answers.values is None or reading.value in answers.values
    if reading.value is not None and not known:
        return Reading(None, "no such option")
    chosen = any(one.weight >= Weight.CHOSEN and not one.denied for one in evidence)
    if not chosen and _NONE.search(text):
        return Reading(None, "none of them")
    return reading


def _lowered(one: Evidence, named: Collection[str]) -> Evidence:
    if one.mention.value in named and one.weight == Weight.PLAIN:
        return one._replace(weight=Weight.TENTATIVE)
    return one


def _unless_taken_back(rest: str, reading: Reading, answers: ClosedSet) -> Reading:
    rest = rest[:_NEAR]
    if not corrects(rest):
        return reading
    for one in weigh(rest, answers.find(rest)):
        firm = one.weight >= Weight.CHOSEN and not one.denied
        known = answers.values is None or one.mention.value in answers.values
        if firm and known and corrects(rest[: one.mention.start]):
            return Reading(one.mention.value, "corrected")
    return reading
