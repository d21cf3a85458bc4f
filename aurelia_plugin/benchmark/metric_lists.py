"""What each kind of task reports, in the form of the harness's `metric_list`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypedDict

from aurelia_plugin.benchmark.data.candidates import mean_outcome, unparsed_share
from aurelia_plugin.benchmark.results import mean_by_video
from aurelia_plugin.benchmark.scoring import captions
from aurelia_plugin.benchmark.scoring.labels import QUESTION_TYPES

__all__ = [
    "MUSIC_AVQA",
    "OPEN",
    "PER_CANDIDATE",
    "SCORES",
    "SENTENCES",
    "SYNTHETIC",
    "SYNTHETIC_SENTENCES",
    "Metric",
]

Aggregation = str | Callable[[Any], Any]


class Metric(TypedDict):
    """One entry of a task's `metric_list`."""

    metric: str
    aggregation: Aggregation
    higher_is_better: bool


def _metric(name: str, aggregation: Aggregation = "mean", *, higher: bool = True) -> Metric:
    return {"metric": name, "aggregation": aggregation, "higher_is_better": higher}


SYNTHETIC: Final = [_metric("score"), _metric("accuracy"), _metric("unparsed", higher=False)]
"""Of the synthetic benchmark, and the beginning of all others."""

SYNTHETIC_SENTENCES: Final = [*SYNTHETIC, _metric("rouge_l")]

SCORES: Final = [*SYNTHETIC, _metric("by_video", mean_by_video)]
"""Of multiple choice."""

OPEN: Final = [*SCORES, _metric("judged"), _metric("judge_failures", higher=False)]
"""Of open answers, which a judge may look at."""

MUSIC_AVQA: Final = [
    *OPEN,
    *map(_metric, dict.fromkeys(kind.metric for kind in QUESTION_TYPES)),
    *map(_metric, dict.fromkeys(kind.modality_metric for kind in QUESTION_TYPES)),
]

SENTENCES: Final = [
    *OPEN,
    _metric("bleu_1", captions.bleu_1),
    _metric("bleu_2", captions.bleu_2),
    _metric("bleu_3", captions.bleu_3),
    _metric("bleu_4", captions.bleu_4),
    _metric("rouge_l", captions.rouge_l_mean),
    _metric("cider", captions.cider),
    _metric("meteor", captions.meteor),
    _metric("spice", captions.spice),
]

PER_CANDIDATE: Final = [
    _metric("score", mean_outcome),
    _metric("accuracy", mean_outcome),
    _metric("unparsed", unparsed_share, higher=False),
]
"""Of candidates that are rated one by one."""
