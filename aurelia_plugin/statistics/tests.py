"""Tests that need no interval beside them, and what corrects for having several."""

from __future__ import annotations

from collections.abc import Mapping

from scipy import stats

__all__ = ["detectable_gain", "exact_mcnemar", "holm"]


def exact_mcnemar(wins: int, losses: int) -> float:
    """Return the exact two-sided p of McNemar's test; 1 without a discordant pair."""
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses, 0.5).pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p values (step-down Bonferroni), by the same names."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    ordered = sorted(p_values, key=lambda name: p_values[name])
    for place, name in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - place) * p_values[name]))
        adjusted[name] = highest
    return adjusted


def detectable_gain(error: float, freedom: float, *, alpha: float, power: float) -> float | None:
    """Return the smallest true gain that a two-sided test finds with this power.

    From the standard error of the paired difference that was observed: what this many questions
    could have shown, not what they did show. None where nothing varies.
    """
    if error <= 0:
        return None
    return float(stats.t.ppf(1 - alpha / 2, freedom) + stats.t.ppf(power, freedom)) * error
