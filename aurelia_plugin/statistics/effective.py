"""How many independent answers a clustered sample is worth."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from aurelia_plugin.statistics.clusters import Design, Floats, Moments

__all__ = ["FEWEST_CLUSTERS", "Worth", "worth"]

FEWEST_CLUSTERS: Final = 5
"""Below this many clusters no interval is given; nor does a stratum with fewer vouch for its own
variance."""

_PRIOR: Final = 0.5


class Worth(NamedTuple):
    """The effective sample size, as estimated and at least.

    Attributes:
        size: by the variance that was observed.
        freedom: degrees of freedom of that estimate; infinite where it is known.
        least: whatever the dependence within clusters is.
    """

    size: Floats
    freedom: Floats
    least: Floats


def worth(design: Design, moments: Moments, single: Floats) -> Worth:
    """Return what a sample is worth for a mean whose values, if independent, had variance `single`.

    Items that have a cluster each are worth their number. Else the design effect (the observed
    variance over the one of independent items) is drawn towards that of clusters whose items all
    share one fate, with the weight of half a degree of freedom: a few clusters that happen to be
    alike inside say little. It is never below 1. The least worth is Kish's number of clusters;
    for a mean over strata one over the largest cluster's weight, since a sum of independent
    bounded parts spreads no more than a binomial one of that size (Hoeffding, 1963). Where a
    stratum has too few clusters to tell its variance, that is all that is claimed.
    """
    most, largest = design.effective_items, float(design.cluster_weights.max())
    full = np.broadcast_to(float(most), np.shape(moments.mean))
    never = np.full(np.shape(full), np.inf)
    if design.independent and design.strata == 1:
        return Worth(full, never, full)
    least = np.full(
        np.shape(full), design.effective_clusters if design.strata == 1 else 1 / largest
    )
    if design.strata > 1 and design.fewest < FEWEST_CLUSTERS:
        return Worth(least, never, least)
    worst = most * largest
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(moments.variance > 0, most * moments.variance / single, worst)
    effect = np.clip(np.nan_to_num(effect, nan=worst), 1.0, worst)
    freedom = np.minimum(moments.freedom, max(1.0, design.effective_clusters - 1))
    effect = (freedom * effect + _PRIOR * worst) / (freedom + _PRIOR)
    return Worth(np.maximum(most / effect, least), freedom, least)
