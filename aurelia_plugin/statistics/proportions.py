"""Intervals of a proportion: exact, for any effective number of independent answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from aurelia_plugin.statistics.clusters import Floats

__all__ = ["Bounds", "proportion_bounds"]


class Bounds(NamedTuple):
    """Lower and upper bounds; arrays of the shape of what they bound."""

    low: Floats
    high: Floats


def proportion_bounds(share: ArrayLike, size: ArrayLike, level: float = 0.95) -> Bounds:
    """Return Clopper and Pearson's bounds for a share of `size` independent answers.

    The size may be any positive number: with the effective sample size of a clustered sample the
    bounds are Korn and Graubard's (1998). They hold at 0 and 1 too.
    """
    observed, n = np.broadcast_arrays(np.asarray(share, float), np.asarray(size, float))
    tail = (1 - level) / 2
    right = np.clip(observed * n, 0, n)
    wrong = n - right
    with np.errstate(invalid="ignore"):
        low = special.betaincinv(np.maximum(right, 1e-9), wrong + 1, tail)
        high = special.betaincinv(right + 1, np.maximum(wrong, 1e-9), 1 - tail)
    return Bounds(np.where(right <= 1e-9, 0.0, low), np.where(wrong <= 1e-9, 1.0, high))
