"""What the parts of a comparison share: their base, intervals, and closed sets of names."""

from __future__ import annotations

from typing import Literal

from aurelia_plugin.files.records import Record

__all__ = [
    "Change",
    "EstimateMethod",
    "Interval",
    "Leak",
    "ScopeKind",
]

ScopeKind = Literal["all", "mean_over_columns", "column", "category", "answer_class", "answer"]
"""Which items figures are over.

`all`: every item, each with the same weight. `mean_over_columns`: every column with the same
weight, the paper's average. `answer_class`: what is asked for (country, continent, yes/no, ...);
`answer`: one gold value of a class, named `class: value`.
"""

Change = Literal["wrong_to_right", "right_to_wrong", "right", "wrong"]
"""An answer beside the reference arm's."""

Leak = Literal["leak", "clean", "unclear"]
"""Whether the steps give the gold answer away; `unclear` where no rule can tell."""

EstimateMethod = Literal["exact", "score", "bootstrap", "t"]
"""What made an interval: exact bounds at the effective sample size, the score test of pairs, the
studentised bootstrap of whole clusters, or t."""


class Interval(Record):
    """Bounds at `Method.level`."""

    low: float
    high: float
