"""Estimates and tests over items that share videos.

Items about one video are dependent, so videos ("clusters") are what is drawn, flipped and counted
as independent. Every function takes plain arrays and is checked against scipy or statsmodels in
the tests; `tools/simulate_statistics.py` measures coverage and error rates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from aurelia_plugin.compare.result import Interval

__all__ = [
    "FEWEST_CLUSTERS",
    "Bootstrap",
    "ClusterSums",
    "auc",
    "auc_interval",
    "bootstrap",
    "clustered_mcnemar",
    "detectable_gain",
    "exact_mcnemar",
    "holm",
    "ratio_interval",
    "t_interval",
]

FEWEST_CLUSTERS: Final = 20
"""Below this many videos no bootstrap interval is given: it would be too narrow."""

_CHUNK: Final = 256  # draws at once, so that memory stays small with thousands of videos

Array = NDArray[np.float64]


class ClusterSums(NamedTuple):
    """Values added up by cluster and stratum.

    The estimate is the mean over strata of each stratum's mean: with one stratum the mean over
    items, with one stratum per column the mean over columns.

    Attributes:
        sums, counts: [clusters, strata].
    """

    sums: Array
    counts: Array

    @classmethod
    def of(
        cls, values: Sequence[float], clusters: Sequence[str], strata: Sequence[str] | None = None
    ) -> ClusterSums:
        """Add values up; `clusters` and `strata` name each value's."""
        rows = _numbered(clusters)
        columns = _numbered(strata) if strata is not None else np.zeros(len(values), int)
        shape = (int(rows.max()) + 1, int(columns.max()) + 1)
        sums, counts = np.zeros(shape), np.zeros(shape)
        np.add.at(sums, (rows, columns), np.asarray(values, float))
        np.add.at(counts, (rows, columns), 1.0)
        return cls(sums, counts)

    @property
    def size(self) -> int:
        """How many clusters there are."""
        return len(self.sums)

    @property
    def mean(self) -> float:
        """The estimate."""
        return float((self.sums.sum(axis=0) / self.counts.sum(axis=0)).mean())

    @property
    def error(self) -> float | None:
        """The standard error: Liang and Zeger's, by linearisation; None for one cluster."""
        if self.size < 2:
            return None
        ones = np.ones((1, self.size))
        return float(_weighted(self, ones)[1][0])


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    places: dict[str, int] = {}
    return np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)


def _weighted(data: ClusterSums, weights: Array) -> tuple[Array, Array]:
    """Return the estimate and its standard error for each row of cluster weights [draws, G]."""
    totals = weights @ data.counts
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (weights @ data.sums) / totals
        share = 1 / (data.counts.shape[1] * totals)
        residuals = share @ data.sums.T - (means * share) @ data.counts.T
        count = data.size / (data.size - 1)
        errors = np.sqrt((weights * residuals**2).sum(axis=1) * count)
    return means.mean(axis=1), errors


def t_interval(mean: float, error: float | None, clusters: int, level: float) -> Interval | None:
    """Return mean plus and minus error times t's quantile with `clusters` - 1 degrees."""
    if error is None or error == 0:
        return None
    half = float(stats.t.ppf((1 + level) / 2, clusters - 1)) * error
    return Interval(low=mean - half, high=mean + half)


class Bootstrap(NamedTuple):
    """What a cluster bootstrap gives; None where the values do not vary or clusters are few."""

    interval: Interval | None
    p: float | None


def bootstrap(
    data: ClusterSums,
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> Bootstrap:
    """Return the studentised cluster bootstrap's interval of the estimate, and p of no effect.

    Whole clusters are drawn with replacement. Each draw's distance from the estimate is divided
    by the draw's own standard error (Efron and Tibshirani, 1993, 12.5): the plain percentile
    interval is too narrow with few clusters. p is two-sided, from the distribution of |t|, and
    never below 1 / (draws + 1).
    """
    mean, error = data.mean, data.error
    if error is None or error <= 1e-12 or data.size < FEWEST_CLUSTERS:
        return Bootstrap(None, None)
    t = np.concatenate(
        [
            (means - mean) / np.where(errors > 1e-12, errors, np.nan)
            for means, errors in (
                _weighted(data, weights) for weights in _weights(data.size, draws, seed)
            )
        ]
    )
    t = t[np.isfinite(t)]
    low, high = np.quantile(t, [(1 - level) / 2, (1 + level) / 2])
    p = (1 + float((np.abs(t) >= abs(mean / error) - 1e-12).sum())) / (1 + len(t))
    return Bootstrap(
        Interval(
            low=max(bounds[0], mean - float(high) * error),
            high=min(bounds[1], mean - float(low) * error),
        ),
        p,
    )


def _weights(size: int, draws: int, seed: int) -> Iterator[Array]:
    """Yield how often each cluster is drawn: [up to 256, size] at a time, the same for a seed."""
    random = np.random.default_rng(seed)
    for start in range(0, draws, _CHUNK):
        rows = min(_CHUNK, draws - start)
        drawn = random.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
        counted = np.bincount(drawn.ravel(), minlength=rows * size)
        yield counted.reshape(rows, size).astype(float)


def ratio_interval(
    gain: ClusterSums, base: ClusterSums, *, draws: int, seed: int, level: float = 0.95
) -> Interval | None:
    """Return the percentile bootstrap interval of gain over base; both share their clusters.

    None where too many draws have a base of 0, or the clusters are few.
    """
    if gain.size < FEWEST_CLUSTERS or base.mean <= 0:
        return None
    parts = []
    for weights in _weights(gain.size, draws, seed):
        with np.errstate(divide="ignore", invalid="ignore"):
            above = ((weights @ gain.sums) / (weights @ gain.counts)).mean(axis=1)
            below = ((weights @ base.sums) / (weights @ base.counts)).mean(axis=1)
            parts.append(above / below)
    ratios = np.concatenate(parts)
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) < 0.99 * draws or np.ptp(ratios) == 0:
        return None
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high))


def exact_mcnemar(wins: int, losses: int) -> float:
    """Return the exact two-sided p of McNemar's test; 1 without a discordant pair."""
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses, 0.5).pvalue)


def clustered_mcnemar(differences: Sequence[int], clusters: Sequence[str]) -> float:
    """Return the exact two-sided p of McNemar's test over clusters.

    Under the null the two arms could be exchanged within every cluster, so each cluster's net
    difference (wins minus losses) has either sign with probability one half. The distribution of
    their sum is worked out exactly. With one item per cluster it is `exact_mcnemar`.

    Args:
        differences: -1, 0 or 1 for each item.
    """
    net = ClusterSums.of(differences, clusters).sums[:, 0]
    steps = np.abs(np.rint(net)).astype(int)
    steps = np.sort(steps[steps > 0])
    if not len(steps):
        return 1.0
    reach = int(steps.sum())
    chances = np.zeros(2 * reach + 1)
    chances[reach] = 1.0
    for step in steps:
        # The reached values never leave the array, so rolling wraps around zeros only.
        chances = (np.roll(chances, step) + np.roll(chances, -step)) / 2
    observed = abs(round(float(net.sum())))
    values = np.abs(np.arange(-reach, reach + 1))
    return min(1.0, float(chances[values >= observed].sum()))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p values (step-down Bonferroni), by the same names."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    ordered = sorted(p_values, key=lambda name: p_values[name])
    for place, name in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - place) * p_values[name]))
        adjusted[name] = highest
    return adjusted


def detectable_gain(
    error: float | None, clusters: int, *, alpha: float, power: float
) -> float | None:
    """Return the smallest true gain that a two-sided test finds with this power.

    From the standard error of the paired difference that was observed: what this n could have
    shown, not what it did show.
    """
    if error is None or error == 0:
        return None
    freedom = clusters - 1
    return float(stats.t.ppf(1 - alpha / 2, freedom) + stats.t.ppf(power, freedom)) * error


def auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return the probability that a positive is above a negative; ties count half."""
    if not len(positive) or not len(negative):
        return None
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    own = float(ranks[: len(positive)].sum())
    above = own - len(positive) * (len(positive) + 1) / 2
    return above / (len(positive) * len(negative))


def auc_interval(
    scores: Sequence[float],
    right: Sequence[bool],
    clusters: Sequence[str],
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> Interval | None:
    """Return the cluster bootstrap's percentile interval of `auc`; None with few clusters."""
    rows = _numbered(clusters)
    size = int(rows.max()) + 1 if len(rows) else 0
    if size < FEWEST_CLUSTERS or len(set(right)) < 2:
        return None
    values = np.asarray(scores, float)
    good = np.asarray(right, bool)
    levels, place = np.unique(values, return_inverse=True)
    # Evaluator scores take few values: count each cluster's right and wrong items by value.
    counts = np.zeros((size, 2 * len(levels)))
    np.add.at(counts, (rows, place + len(levels) * good), 1.0)
    found = []
    for weights in _weights(size, draws, seed):
        drawn = weights @ counts
        wrong, own = drawn[:, : len(levels)], drawn[:, len(levels) :]
        below = np.cumsum(wrong, axis=1) - wrong / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append((own * below).sum(axis=1) / (own.sum(axis=1) * wrong.sum(axis=1)))
    areas = np.concatenate(found)
    areas = areas[np.isfinite(areas)]
    if not len(areas) or math.isclose(float(np.ptp(areas)), 0.0):
        return None
    low, high = np.quantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high))
