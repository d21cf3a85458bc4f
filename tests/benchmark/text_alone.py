"""Adversaries that answer multiple-choice items by their text alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.statistics.proportions import proportion_bounds

__all__ = ["by_text", "chance", "first_letter", "is_chance", "longest_option"]


def chance(items: Sequence[Item]) -> float:
    """Return the expected share of right guesses."""
    return sum(1 / len(item.letters) for item in items) / len(items)


def is_chance(right: Sequence[bool], items: Sequence[Item]) -> bool:
    """Return whether chance lies in the 95% interval of the share of right answers."""
    bounds = proportion_bounds(sum(right) / len(right), len(right))
    return bool(bounds.low <= chance(items) <= bounds.high)


def first_letter(items: Sequence[Item]) -> list[bool]:
    """Answer A every time."""
    return [item.answer == "A" for item in items]


def longest_option(items: Sequence[Item]) -> list[bool]:
    """Answer with the longest option."""
    found = []
    for item in items:
        longest = max(
            zip(item.letters, item.options or (), strict=True), key=lambda one: len(one[1])
        )
        found.append(longest[0] == item.answer)
    return found


def by_text(learned: Sequence[Item], asked: Sequence[Item]) -> list[bool]:
    """Answer by what goes with right options in the learned items: naive Bayes over words.

    Features of an option: its text, words and letter, each alone and beside the kind of question,
    the question, and the other options.
    """
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for item in learned:
        for letter, features in _features(item):
            (right if letter == item.answer else wrong).update(features)
    found = []
    for item in asked:
        odds = {
            letter: sum(math.log((right[one] + 0.5) / (wrong[one] / 3 + 0.5)) for one in features)
            for letter, features in _features(item)
        }
        found.append(max(odds, key=odds.__getitem__) == item.answer)
    return found


def _features(item: Item) -> Iterator[tuple[str, set[str]]]:
    options = item.options or ()
    for letter, option in zip(item.letters, options, strict=True):
        plain = {option, f"letter {letter}", f"longest {option == max(options, key=len)}"}
        plain |= set(option.split())
        beside = {item.question, " | ".join(sorted(options)), item.question_type or ""}
        yield letter, plain | {f"{one} # {two}" for one in plain for two in beside}
