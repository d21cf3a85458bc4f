"""How well a score tells two kinds apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy import stats

from aurelia_plugin.statistics.bootstrap import FEWEST_DRAWN, cluster_draws

__all__ = ["auc", "auc_interval"]


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
    clusters: Sequence[Hashable],
    *,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Return the cluster bootstrap's percentile interval of `auc`.

    None with few clusters, or where more than 1% of the draws have one kind only; fewer such draws
    stay in, as knowing nothing on either side (0 and 1 in turn).
    """
    names = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    size = len(names)
    if size < FEWEST_DRAWN or len(set(right)) < 2:
        return None
    rows = np.array([names[name] for name in clusters])
    levels, place = np.unique(np.asarray(scores, float), return_inverse=True)
    # Evaluator scores take few values: count each cluster's right and wrong items by value.
    counts = np.zeros((size, 2 * len(levels)))
    np.add.at(counts, (rows, place + len(levels) * np.asarray(right, bool)), 1.0)
    found = []
    for weights in cluster_draws(size, draws, seed):
        drawn = weights @ counts
        wrong, own = drawn[:, : len(levels)], drawn[:, len(levels) :]
        below = np.cumsum(wrong, axis=1) - wrong / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append((own * below).sum(axis=1) / (own.sum(axis=1) * wrong.sum(axis=1)))
    areas = np.concatenate(found)
    unknown = np.flatnonzero(~np.isfinite(areas))
    if len(unknown) > 0.01 * draws or float(np.ptp(areas[np.isfinite(areas)])) < 1e-12:
        return None
    areas[unknown] = np.arange(len(unknown)) % 2
    low, high = np.quantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
