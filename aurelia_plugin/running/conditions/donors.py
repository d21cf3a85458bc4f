"""Donors: for each item of a run another one, found by a seeded cyclic shift."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["Gather", "donors", "no_gather"]

T = TypeVar("T")

Gather = Callable[[list[T]], list[T]]
"""Joins the lists of all processes of a run."""


def no_gather(items: list[T]) -> list[T]:
    """Return the list of the only process."""
    return items


def donors(items: Iterable[tuple[str, str]], seed: int) -> dict[str, str] | None:
    """Return for each key the key of its donor, None if there are fewer than two.

    Args:
        items: (id, key); items with equal keys are the same question. The order comes from the
            ids alone, so any number of processes finds the same donors.
        seed: chooses how far the keys are shifted, in a circle.
    """
    keys = list(dict.fromkeys(key for _, key in sorted(items)))
    if len(keys) < 2:
        return None
    by = random.Random(seed).randrange(1, len(keys))
    return {key: keys[(i + by) % len(keys)] for i, key in enumerate(keys)}
