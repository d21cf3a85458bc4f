"""The studentised bootstrap of whole clusters, for graded scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from aurelia_plugin.statistics.clusters import Design, Floats

__all__ = ["FEWEST_DRAWN", "Resampling", "cluster_draws", "studentised"]

FEWEST_DRAWN: Final = 20
"""Below this many clusters nothing is resampled: the interval would be too narrow."""

_DEGENERATE: Final = 0.01
_CHUNK: Final = 256  # draws at once, so that memory stays small with thousands of clusters
_NOTHING: Final = 1e-12


class Resampling(NamedTuple):
    """Bounds and p of no effect, of one family: p is below 1 - level exactly where the bounds
    exclude 0."""

    low: float
    high: float
    p: float


def cluster_draws(clusters: int, draws: int, seed: int) -> Iterator[Floats]:
    """Yield how often each cluster is drawn: up to 256 rows at a time, the same for a seed."""
    random = np.random.default_rng(seed)
    for start in range(0, draws, _CHUNK):
        rows = min(_CHUNK, draws - start)
        drawn = (
            random.integers(clusters, size=(rows, clusters)) + clusters * np.arange(rows)[:, None]
        )
        counted = np.bincount(drawn.ravel(), minlength=rows * clusters)
        yield counted.reshape(rows, clusters).astype(float)


def studentised(
    design: Design, sums: Floats, *, draws: int, seed: int, level: float = 0.95
) -> Resampling | None:
    """Return the bootstrap-t of an estimate, by the cells' sums [cells].

    Whole clusters are drawn with replacement. Each draw's distance from the estimate is divided by
    the draw's own standard error (Efron and Tibshirani, 1993, 12.5). Bounds and p are those of
    equal tails; p is never below 2 / (draws + 1). No draw is left out: one without an error of its
    own counts as infinitely far. None where more than 1% of the draws are of that kind, nothing
    varies, or the clusters are fewer than `FEWEST_DRAWN`: another method has to answer.
    """
    if design.clusters < FEWEST_DRAWN:
        return None
    values, counts = _by_stratum(design, sums), _by_stratum(design, design.cell_sizes)
    whole = _weighted(values, counts, np.ones((1, design.clusters)))
    mean, error = float(whole[0][0]), float(whole[1][0])
    if not error > _NOTHING:
        return None
    parts = []
    lost = 0
    for weights in cluster_draws(design.clusters, draws, seed):
        means, errors = _weighted(values, counts, weights)
        known = np.isfinite(means) & (errors > _NOTHING)
        lost += int((~known).sum())
        far = np.where(np.nan_to_num(means) >= mean, np.inf, -np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts.append(np.where(known, (means - mean) / errors, far))
    if lost > _DEGENERATE * draws:
        return None
    distances = np.sort(np.concatenate(parts))
    # The null is rejected where at most `beyond` draws lie as far out on one side.
    beyond = int(np.ceil((1 - level) / 2 * (draws + 1))) - 2
    low, high = float(distances[beyond + 1]), float(distances[-beyond - 2])
    observed = mean / error
    side = min(int((distances >= observed).sum()), int((distances <= observed).sum()))
    return Resampling(
        mean - high * error, mean - low * error, min(1.0, 2 * (1 + side) / (1 + draws))
    )


def _by_stratum(design: Design, cells: Floats) -> Floats:
    """Return values of cells as [clusters, strata]."""
    found = np.zeros((design.clusters, design.strata))
    found[design.cell_clusters, design.cell_strata] = cells
    return found


def _weighted(values: Floats, counts: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the estimate and its standard error for each row of cluster weights [draws, G]."""
    totals = weights @ counts
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (weights @ values) / totals
        share = 1 / (counts.shape[1] * totals)
        residuals = share @ values.T - (means * share) @ counts.T
        scale = len(counts) / (len(counts) - 1)
        errors = np.sqrt((weights * residuals**2).sum(axis=1) * scale)
    return means.mean(axis=1), errors
