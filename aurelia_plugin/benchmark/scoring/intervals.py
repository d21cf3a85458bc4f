"""Errors and intervals of mean scores whose items are dependent within clusters."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Final

__all__ = ["clustered_error", "interval"]

_NORMAL_95: Final = 1.959964


def clustered_error(scores: Sequence[float], clusters: Sequence[str]) -> float | None:
    """Return the standard error of the mean of scores that are dependent within clusters.

    The square root of the sum over clusters of the squared sums of deviations, over n, with the
    correction k / (k - 1) for k clusters; Liang and Zeger, 1986. None for a single cluster.
    """
    count = len(set(clusters))
    if count < 2:
        return None
    mean = fmean(scores)
    sums: dict[str, float] = defaultdict(float)
    for score, cluster in zip(scores, clusters, strict=True):
        sums[cluster] += score - mean
    squares = math.fsum(value * value for value in sums.values())
    return math.sqrt(squares * count / (count - 1)) / len(scores)


def interval(
    mean: float, error: float | None, clusters: int
) -> tuple[float, float] | tuple[None, None]:
    """Return bounds of a mean of scores in 0..1 at 95%: Wilson's, for the effective sample size.

    That is the number of independent right-or-wrong answers whose mean has this error. Without
    any variation (all right, or all wrong) it is the number of clusters, so that three right
    answers out of three are not taken for certainty. Without an error there are no bounds.
    """
    if error is None:
        return None, None
    size = mean * (1 - mean) / error**2 if error > 0 and 0 < mean < 1 else float(clusters)
    square = _NORMAL_95**2
    centre = (mean + square / (2 * size)) / (1 + square / size)
    half = _NORMAL_95 * math.sqrt(mean * (1 - mean) / size + square / (4 * size**2))
    half /= 1 + square / size
    return max(0.0, centre - half), min(1.0, centre + half)
