"""The figures of a submission, made of its items alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from aurelia_plugin.compare.scopes import in_order
from aurelia_plugin.compare.submissions.record import Submission, SubmittedItem
from aurelia_plugin.statistics.estimates import score_estimate

__all__ = ["MEAN", "Standing", "figures_of", "standing"]

MEAN: Final = ""
"""Name of the figure by which submissions are ranked: the mean over columns."""


class Standing(NamedTuple):
    """A score and its 95% interval; no bounds where there are none."""

    n: int
    score: float
    low: float | None
    high: float | None


def figures_of(items: Sequence[SubmittedItem]) -> dict[str, Standing]:
    """Return the mean over columns, each with the same weight, under `MEAN`, and each column."""
    columns = in_order(item.column for item in items)
    found = {MEAN: standing(items, by_column=len(columns) > 1)}
    for column in columns:
        found[column] = standing([item for item in items if item.column == column])
    return found


def standing(items: Sequence[SubmittedItem], *, by_column: bool = False) -> Standing:
    """Return the mean score of items with its interval; errors are clustered by video."""
    found = score_estimate(
        [item.score for item in items],
        [item.cluster for item in items],
        [item.column for item in items] if by_column else None,
    )
    return Standing(len(items), found.mean, found.low, found.high)


def same_figures(submission: Submission) -> bool:
    """Return whether the figures that a submission states are those of its items."""
    own = figures_of(submission.items)
    stated = {figure.name: figure for figure in submission.figures}
    return own.keys() == stated.keys() and all(
        abs(own[name].score - stated[name].score) < _SMALL and own[name].n == stated[name].n
        for name in own
    )


_SMALL: Final = 1e-9
