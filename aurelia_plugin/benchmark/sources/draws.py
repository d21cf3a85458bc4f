"""Choices that follow from a text alone: the same on every machine, in every version of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Draws"]

T = TypeVar("T")


class Draws:
    """A sequence of choices; the same parts give the same sequence."""

    def __init__(self, *parts: object) -> None:
        self._seed = "\n".join(str(part) for part in parts)
        self._count = 0

    def below(self, number: int) -> int:
        """Return a number from 0 to `number` - 1, all equally likely."""
        text = f"{self._seed}\n#{self._count}"
        self._count += 1
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big") % number

    def one(self, values: Sequence[T]) -> T:
        """Return one of the values."""
        return values[self.below(len(values))]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """Return the values in an order drawn from all orders."""
        left = list(values)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]
