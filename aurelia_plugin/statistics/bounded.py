"""Means of values between 0 and 1, and paired differences of such values, in closed form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from aurelia_plugin.statistics.clusters import Design, Floats
from aurelia_plugin.statistics.effective import worth
from aurelia_plugin.statistics.pairs import pair_bounds, pair_p
from aurelia_plugin.statistics.proportions import Bounds, proportion_bounds

__all__ = ["Tested", "gain_test", "score_bounds"]


class Tested(NamedTuple):
    """Bounds of a gain and the p of no gain, of one family: p is below 1 - level exactly where
    the bounds exclude 0."""

    bounds: Bounds
    p: Floats


def score_bounds(design: Design, sums: Floats, level: float = 0.95) -> Bounds:
    """Return bounds of the mean of scores in 0..1, by the cells' sums [..., cells]: Korn and
    Graubard's.

    Clopper and Pearson's bounds at the effective sample size, which is made smaller by the square
    of the normal quantile over t's. They are exact for independent right/wrong answers, and too
    wide rather than too narrow for graded scores, which vary less than right/wrong ones.
    """
    moments = design.moments(sums)
    found = worth(design, moments, moments.mean * (1 - moments.mean))
    tail = (1 + level) / 2
    finite = np.where(np.isinf(found.freedom), 1.0, found.freedom)
    ratio = np.where(
        np.isinf(found.freedom), 1.0, special.ndtri(tail) / special.stdtrit(finite, tail)
    )
    size = np.maximum(found.size * ratio**2, found.least)
    return proportion_bounds(np.clip(moments.mean, 0, 1), size, level)


def gain_test(design: Design, wins: Floats, losses: Floats, level: float = 0.95) -> Tested:
    """Return bounds and p of the mean of paired differences in -1..1.

    The score test of McNemar and Tango with continuity correction, for as many independent pairs
    as the sample is worth: by the observed dependence with t's quantiles, or at the least with
    the normal's, whichever says more. Differences of graded scores count as parts of pairs won
    and lost, which vary more than they do.

    Args:
        wins, losses: sums of the positive and of the negated negative differences [..., cells].
    """
    moments = design.moments(wins - losses)
    won, lost = design.mean(wins), design.mean(losses)
    found = worth(design, moments, won + lost - (won - lost) ** 2)
    least = pair_bounds(won, lost, found.least, np.inf, level)
    p = pair_p(won, lost, found.least)
    if np.isinf(found.freedom).all():
        return Tested(least, p)
    bounds = pair_bounds(won, lost, found.size, found.freedom, level)
    return Tested(
        Bounds(np.maximum(bounds.low, least.low), np.minimum(bounds.high, least.high)),
        np.minimum(p, pair_p(won, lost, found.size, found.freedom)),
    )
