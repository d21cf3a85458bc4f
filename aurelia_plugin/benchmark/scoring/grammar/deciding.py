"""From what the mentions of a text say to the one value that it states, or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from .evidence import Evidence, Weight, corrects

__all__ = ["NO_VALUE", "Reading", "decide"]

NO_VALUE: Final = "no value"


class Reading(NamedTuple):
    """What was read, and by which rule; `value` is None when nothing can be read for certain."""

    value: str | None
    rule: str


def decide(
    text: str,
    evidence: Sequence[Evidence],
    universe: Collection[str] = (),
    least: Weight = Weight.LISTED,
) -> Reading:
    """Return the one value that a text states.

    The firmest statements count; of those that differ the last, if the words between take the
    first back, else the text contradicts itself. What is denied later is out. If nothing is
    stated and all values of the universe but one are denied, it is that one.

    Args:
        text: cleaned.
        evidence: from `evidence.weigh`, in order.
        universe: all values, if elimination is to be read.
        least: weaker statements do not count.
    """
    denials = {one.mention.value: one.mention.start for one in evidence if one.denied}
    stated = [
        one
        for one in evidence
        if not one.denied
        and one.weight >= least
        and not (
            one.weight < Weight.LEADING and denials.get(one.mention.value, -1) > one.mention.start
        )
    ]
    if not stated:
        return _eliminated(denials, universe)
    firmest = max(one.weight for one in stated)
    firm = [one for one in stated if one.weight == firmest]
    if firmest == Weight.LEADING and (last := _taken_back(text, stated, firm)) is not None:
        firm = [last]
    values = list(dict.fromkeys(one.mention.value for one in firm))
    if any(one.clash for one in firm):
        lettered = any(one.clash and one.mention.by_letter for one in firm)
        return Reading(None, "letter and text differ" if lettered else "several values")
    if len(values) == 1:
        return Reading(values[0], "stated")
    return _last(text, firm)


def _taken_back(text: str, stated: Sequence[Evidence], firm: Sequence[Evidence]) -> Evidence | None:
    """Return a later choice that takes a leading one back, or None."""
    later = [
        one
        for one in stated
        if Weight.CHOSEN <= one.weight < Weight.LEADING
        and one.mention.start > firm[-1].mention.end
        and one.mention.value != firm[-1].mention.value
    ]
    if later and corrects(text[firm[-1].mention.end : later[-1].mention.start]):
        return later[-1]
    return None


def _last(text: str, firm: Sequence[Evidence]) -> Reading:
    last = firm[-1]
    if last.joined:
        return Reading(None, "several values")
    others = [one for one in firm if one.mention.value != last.mention.value]
    if corrects(text[others[-1].mention.end : last.mention.start]):
        return Reading(last.mention.value, "corrected")
    return Reading(None, "several values")


def _eliminated(denied: Collection[str], universe: Collection[str]) -> Reading:
    left = [value for value in universe if value not in denied]
    if len(left) == 1 and denied:
        return Reading(left[0], "elimination")
    return Reading(None, "only denied" if denied else NO_VALUE)
