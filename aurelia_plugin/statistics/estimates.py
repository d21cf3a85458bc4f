"""The interval, and for a gain the test, of one figure: which method answers for which data."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy import stats

from aurelia_plugin.statistics.bootstrap import studentised
from aurelia_plugin.statistics.bounded import gain_test, score_bounds
from aurelia_plugin.statistics.clusters import Design, Floats
from aurelia_plugin.statistics.effective import FEWEST_CLUSTERS

__all__ = ["Estimate", "Method", "Resampled", "gain_estimate", "score_estimate"]

Method = Literal["exact", "score", "bootstrap", "t"]
"""`exact`: Korn and Graubard's exact bounds at the effective sample size. `score`: the score test
of pairs at the effective sample size. `bootstrap`: studentised, whole clusters drawn. `t`: of
values that have no known range."""

_NOTHING: Final = 1e-12


class Resampled(NamedTuple):
    """How the bootstrap draws."""

    draws: int = 4000
    seed: int = 0


RESAMPLED: Final = Resampled()


class Estimate(NamedTuple):
    """One figure.

    Attributes:
        mean: over items, or over strata.
        clusters: how many it pools.
        error: standard error, robust to dependence within clusters; None for one cluster.
        freedom: degrees of freedom of the error.
        low, high: bounds; None where there are none.
        p: two-sided, of no gain; of the bounds' family. None for scores and without bounds.
        method: what made bounds and p.
        missing: why there are no bounds, in words.
    """

    mean: float
    clusters: int
    error: float | None
    freedom: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    method: Method | None = None
    missing: str = ""


def score_estimate(
    scores: Sequence[float],
    clusters: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
    resampled: Resampled = RESAMPLED,
) -> Estimate:
    """Return the mean score with its interval.

    Right/wrong scores have exact bounds. Graded ones have the bootstrap's where that can answer;
    else those in 0..1 have the exact bounds of right/wrong scores, which vary more.
    """
    values, design = np.asarray(scores, float), Design.of(clusters, strata)
    sums = design.sums(values)
    found = _plain(design, sums)
    if design.clusters < FEWEST_CLUSTERS:
        return found._replace(missing=_too_few(design))
    inside = bool(((values >= 0) & (values <= 1)).all())
    if not set(np.unique(values)) <= {0.0, 1.0}:
        drawn = _drawn(found, design, sums, level, resampled, (0.0, 1.0) if inside else None)
        if drawn is not None:
            return drawn._replace(p=None)
    if not inside:
        return _by_t(found, level)._replace(p=None)
    bounds = score_bounds(design, sums, level)
    return found._replace(low=float(bounds.low), high=float(bounds.high), method="exact")


def gain_estimate(
    differences: Sequence[float],
    clusters: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    *,
    share: bool = True,
    level: float = 0.95,
    resampled: Resampled = RESAMPLED,
) -> Estimate:
    """Return the mean of paired differences with its interval and p, both of one family.

    Args:
        share: whether the scores lie in 0..1, so that differences lie in -1..1.
    """
    values, design = np.asarray(differences, float), Design.of(clusters, strata)
    sums = design.sums(values)
    found = _plain(design, sums)
    if design.clusters < FEWEST_CLUSTERS:
        return found._replace(missing=_too_few(design))
    if not (share and set(np.unique(values)) <= {-1.0, 0.0, 1.0}):
        drawn = _drawn(found, design, sums, level, resampled, (-1.0, 1.0) if share else None)
        if drawn is not None:
            return drawn
    if not share:
        return _by_t(found, level)
    wins, losses = (design.sums(np.maximum(0, sign * values)) for sign in (1, -1))
    tested = gain_test(design, wins, losses, level)
    return found._replace(
        low=float(tested.bounds.low),
        high=float(tested.bounds.high),
        p=float(tested.p),
        method="score",
    )


def _plain(design: Design, sums: Floats) -> Estimate:
    moments = design.moments(sums)
    error = float(np.sqrt(moments.variance)) if design.clusters > 1 else None
    return Estimate(float(moments.mean), design.clusters, error, float(moments.freedom))


def _too_few(design: Design) -> str:
    return f"no interval: fewer than {FEWEST_CLUSTERS} videos ({design.clusters})"


def _drawn(
    found: Estimate,
    design: Design,
    sums: Floats,
    level: float,
    resampled: Resampled,
    within: tuple[float, float] | None,
) -> Estimate | None:
    drawn = studentised(design, sums, draws=resampled.draws, seed=resampled.seed, level=level)
    if drawn is None:
        return None
    low, high = drawn.low, drawn.high
    if within is not None:
        low, high = max(within[0], low), min(within[1], high)
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return found._replace(low=low, high=high, p=drawn.p, method="bootstrap")


def _by_t(found: Estimate, level: float) -> Estimate:
    if found.error is None or found.error <= _NOTHING:
        return found._replace(missing="no interval: nothing varies, and scores have no known range")
    half = float(stats.t.ppf((1 + level) / 2, found.freedom)) * found.error
    p = 2 * float(stats.t.sf(abs(found.mean) / found.error, found.freedom))
    return found._replace(low=found.mean - half, high=found.mean + half, p=p, method="t")
