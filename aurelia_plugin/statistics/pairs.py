"""The score test of paired right/wrong answers, and the interval of the gain that goes with it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from aurelia_plugin.statistics.clusters import Floats
from aurelia_plugin.statistics.proportions import Bounds

__all__ = ["pair_bounds", "pair_p", "pair_variance"]

_HALVINGS: Final = 45


def pair_variance(wins: ArrayLike, losses: ArrayLike, gain: ArrayLike) -> Floats:
    """Return the variance of one pair's difference if the true gain were `gain`.

    The shares of pairs won and lost are the likeliest ones that have this gain (Tango, 1998).

    Args:
        wins, losses: observed shares of pairs.
        gain: true share won minus true share lost, -1 to 1.
    """
    won, lost, delta = (np.asarray(value, float) for value in (wins, losses, gain))
    linear = -(won + lost) + (2 - won + lost) * delta
    root = np.sqrt(np.maximum(0.0, linear**2 + 8 * lost * delta * (1 - delta)))
    share = (root - linear) / 4  # lost; none is below what the gain implies
    share = np.maximum(share, np.maximum(0.0, -delta))
    return np.asarray(np.maximum(0.0, 2 * share + delta * (1 - delta)))


def _statistic(won: Floats, lost: Floats, size: Floats, delta: Floats) -> Floats:
    """Return the continuity-corrected score statistic's size: the corrected distance, in errors."""
    distance = np.maximum(0.0, np.abs(won - lost - delta) - 1 / size)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = distance / np.sqrt(pair_variance(won, lost, delta) / size)
    return np.asarray(np.where(distance > 0, value, 0.0))


def pair_p(
    wins: ArrayLike, losses: ArrayLike, size: ArrayLike, freedom: ArrayLike = np.inf
) -> Floats:
    """Return the two-sided p of no gain: McNemar's test with continuity correction.

    Args:
        wins, losses: observed shares of pairs.
        size: how many independent pairs they are worth.
        freedom: degrees of freedom of t where the size is estimated; infinite for a known one.
    """
    won, lost, n, df = _arrays(wins, losses, size, freedom)
    value = _statistic(won, lost, n, np.zeros_like(won))
    normal = 2 * special.ndtr(-value)
    return np.asarray(np.where(np.isinf(df), normal, 2 * special.stdtr(df, -value)))


def pair_bounds(
    wins: ArrayLike,
    losses: ArrayLike,
    size: ArrayLike,
    freedom: ArrayLike = np.inf,
    level: float = 0.95,
) -> Bounds:
    """Return the gains that the score test of `pair_p` does not reject at 1 - level."""
    won, lost, n, df = _arrays(wins, losses, size, freedom)
    tail = (1 + level) / 2
    critical = np.where(np.isinf(df), special.ndtri(tail), special.stdtrit(df, tail))
    gain = won - lost

    def bound(end: float) -> Floats:
        inside, outside = gain, np.full_like(gain, end)
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            kept = _statistic(won, lost, n, middle) < critical
            inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
        return np.asarray(outside)

    return Bounds(bound(-1.0), bound(1.0))


def _arrays(*values: ArrayLike) -> list[Floats]:
    return list(np.broadcast_arrays(*(np.asarray(value, float) for value in values)))
