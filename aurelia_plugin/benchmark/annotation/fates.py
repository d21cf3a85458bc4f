"""What became of each item of an annotation, counted per category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from aurelia_plugin.benchmark.data.items import CATEGORIES, Item, StepLeak
from aurelia_plugin.files.records import Record

__all__ = ["Fate", "ItemFate", "LeakRule", "StepAudit", "Tally", "tallies"]

Fate = Literal["annotated", "kept", "leaking", "not accepted", "unfinished", "changed"]
"""`annotated`: accepted steps that do not give the answer away were written. `kept`: the item has
steps that people wrote. `leaking`: accepted steps gave the answer away, and were left out. `not
accepted`: the loop ended without. `unfinished`: it failed or was not begun. `changed`: the item is
another one than the one that was asked."""


class StepAudit(NamedTuple):
    """What a rule says of steps: whether they give the gold answer away, and the rule's name."""

    leak: StepLeak
    rule: str


LeakRule = Callable[[Item, Sequence[str]], StepAudit]
"""Judges an item's steps."""


class ItemFate(NamedTuple):
    """What became of one item; `audit` is of the steps that it now has, or that were left out."""

    item: str
    category: str
    fate: Fate
    attempts: int = 1
    audit: StepAudit | None = None


class Tally(Record):
    """The items of one category.

    Attributes:
        items: all of them.
        asked: whose loop ended; people's steps are not asked for.
        accepted: whose caption was accepted, leaking steps included.
        annotated, kept, leaking, not_accepted, unfinished, changed: by fate.
        redone: annotated at a second attempt or a later one.
        leaks: of people's steps that stay: whether they give the answer away, how many times.
        unclear: steps written or kept of which the rules cannot tell.
    """

    items: int
    asked: int
    accepted: int
    annotated: int
    kept: int
    leaking: int
    not_accepted: int
    unfinished: int
    changed: int
    redone: int
    leaks: int
    unclear: int

    @property
    def share(self) -> float | None:
        """Share accepted of those asked; None where none was."""
        return self.accepted / self.asked if self.asked else None


def tallies(fates: Iterable[ItemFate]) -> dict[str, Tally]:
    """Return category -> counts: the paper's categories first, then others by name."""
    groups: dict[str, list[ItemFate]] = {}
    for fate in fates:
        groups.setdefault(fate.category, []).append(fate)
    own = [name for name in CATEGORIES if name in groups]
    return {name: _tally(groups[name]) for name in (*own, *sorted(groups.keys() - set(own)))}


def _tally(fates: Sequence[ItemFate]) -> Tally:
    counts: Mapping[Fate, int] = Counter(fate.fate for fate in fates)
    there = [fate for fate in fates if fate.fate in ("annotated", "kept")]
    people = [fate.audit.leak for fate in fates if fate.fate == "kept" and fate.audit is not None]
    accepted = counts["annotated"] + counts["leaking"]
    return Tally(
        items=len(fates),
        asked=accepted + counts["not accepted"],
        accepted=accepted,
        annotated=counts["annotated"],
        kept=counts["kept"],
        leaking=counts["leaking"],
        not_accepted=counts["not accepted"],
        unfinished=counts["unfinished"],
        changed=counts["changed"],
        redone=sum(fate.fate == "annotated" and fate.attempts > 1 for fate in fates),
        leaks=people.count("leak"),
        unclear=sum(fate.audit is not None and fate.audit.leak == "unclear" for fate in there),
    )
