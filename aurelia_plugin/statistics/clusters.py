"""Weighted means of values that are dependent within clusters, and how well they are known."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Design", "Floats", "Moments"]

Floats = NDArray[np.float64]


class Moments(NamedTuple):
    """A mean with its sampling variance; arrays over whatever axes the values had before items.

    Attributes:
        mean: the mean over strata of each stratum's mean.
        variance: of the mean, robust to any dependence within clusters (Liang and Zeger, 1986).
        freedom: degrees of freedom of the variance (Satterthwaite's, by the fourth moments of
            the clusters' residuals), at most clusters minus strata.
    """

    mean: Floats
    variance: Floats
    freedom: Floats


@dataclass(frozen=True)
class Design:
    """Which items stand together, whatever their values are.

    The estimate is the mean over strata of each stratum's mean: with one stratum the mean over
    items, with one stratum a column the mean over columns.

    Attributes:
        items, clusters, strata: how many there are.
        order: item at each sorted place; items of one cluster in one stratum (a cell) lie together.
        cells: sorted place at which each cell starts.
        cell_sizes: items of each cell.
        cell_strata: stratum of each cell, ascending.
        cell_clusters: cluster of each cell.
        weights: of each item in the estimate, in the order of the items.
        fewest: clusters of the stratum that has the fewest.
    """

    items: int
    clusters: int
    strata: int
    order: NDArray[np.int64]
    cells: NDArray[np.int64]
    cell_sizes: Floats
    cell_strata: NDArray[np.int64]
    cell_clusters: NDArray[np.int64]
    weights: Floats
    fewest: int

    @classmethod
    def of(cls, clusters: Sequence[Hashable], strata: Sequence[Hashable] | None = None) -> Design:
        """Return the design in which each item has the cluster and the stratum that are named.

        Raises:
            ValueError: there is no item.
        """
        if not len(clusters):
            raise ValueError("a design needs an item")
        cluster = _numbered(clusters)
        stratum = _numbered(strata) if strata is not None else np.zeros_like(cluster)
        order = np.lexsort((cluster, stratum))
        keys = np.stack([stratum[order], cluster[order]])
        fresh = np.concatenate([[True], (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
        cells = np.flatnonzero(fresh)
        counts = np.bincount(stratum).astype(float)
        return cls(
            items=len(cluster),
            clusters=int(cluster.max()) + 1,
            strata=len(counts),
            order=order,
            cells=cells,
            cell_sizes=np.diff(np.append(cells, len(cluster))).astype(float),
            cell_strata=keys[0, cells],
            cell_clusters=keys[1, cells],
            weights=1 / (len(counts) * counts[stratum]),
            fewest=int(np.bincount(keys[0, cells]).min()),
        )

    @property
    def independent(self) -> bool:
        """Whether every item has a cluster of its own."""
        return self.clusters == self.items

    @property
    def effective_items(self) -> float:
        """Number of equally weighted independent items whose mean is known as well (Kish)."""
        return float(1 / np.square(self.weights).sum())

    @property
    def cluster_weights(self) -> Floats:
        """Weight of each cluster in the estimate."""
        share = self.cell_sizes * self.cell_weights
        return np.asarray(np.bincount(self.cell_clusters, share, self.clusters), float)

    @property
    def effective_clusters(self) -> float:
        """Number of equally weighted clusters whose mean is known as well (Kish)."""
        return float(1 / np.square(self.cluster_weights).sum())

    @property
    def cell_weights(self) -> Floats:
        """Weight of one item of each cell."""
        return np.asarray(self.weights[self.order[self.cells]])

    def sums(self, values: ArrayLike) -> Floats:
        """Return each cell's sum [..., cells] of values [..., items]."""
        array = np.asarray(values, float)[..., self.order]
        return np.asarray(np.add.reduceat(array, self.cells, axis=-1))

    def mean(self, sums: Floats) -> Floats:
        """Return the estimate from the cells' sums [..., cells]."""
        return np.asarray(self._stratum_means(sums).mean(axis=-1))

    def _stratum_means(self, sums: Floats) -> Floats:
        starts = np.flatnonzero(np.diff(self.cell_strata, prepend=-1))
        sizes = np.add.reduceat(self.cell_sizes, starts)
        return np.asarray(np.add.reduceat(sums, starts, axis=-1) / sizes)

    def moments(self, sums: Floats) -> Moments:
        """Return the estimate from the cells' sums [..., cells], with its variance.

        In each stratum the residuals' squares are scaled up by k / (k - 1) for its k clusters; a
        stratum of a single cluster, whose variance nothing tells, is measured from the mean over
        all strata instead.
        """
        mean = self.mean(sums)
        totals = self._by_cluster(self._residuals(sums, mean) * self.cell_weights)
        squares = totals**2
        second, fourth = squares.sum(axis=-1), (squares**2).sum(axis=-1)
        nested = len(self.cells) == self.clusters
        most = max(1.0, float(self.clusters - (self.strata if nested else 1)))
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = 2 * second**2 / (fourth - second**2 / self.clusters)
        freedom = np.where((freedom > 0) & (freedom < most), freedom, most)
        return Moments(mean, second, freedom)

    def _residuals(self, sums: Floats, mean: Floats) -> Floats:
        """Return each cell's sum of residuals, scaled for small strata."""
        means = self._stratum_means(sums)
        counts = np.bincount(self.cell_strata).astype(float)
        alone = counts == 1
        centres = np.where(alone, mean[..., None], means)
        lonely = self.strata / max(1, self.strata - 1)
        scale = np.sqrt(np.where(alone, lonely, counts / np.maximum(1.0, counts - 1)))
        place = self.cell_strata
        return np.asarray((sums - centres[..., place] * self.cell_sizes) * scale[place])

    def _by_cluster(self, cells: Floats) -> Floats:
        if len(self.cells) == self.clusters:
            return cells
        order = np.argsort(self.cell_clusters, kind="stable")
        starts = np.flatnonzero(np.diff(self.cell_clusters[order], prepend=-1))
        return np.asarray(np.add.reduceat(cells[..., order], starts, axis=-1))


def _numbered(names: Sequence[Hashable]) -> NDArray[np.int64]:
    places: dict[Hashable, int] = {}
    return np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)
