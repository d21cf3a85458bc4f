"""What a task reports for one reply: scores, the item's identity, and what is aggregated later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.judging import chosen_judge
from aurelia_plugin.benchmark.reading import as_sentence, score_item
from aurelia_plugin.benchmark.scoring.captions import caption_values
from aurelia_plugin.benchmark.scoring.labels import question_type

__all__ = ["about", "item_results", "mean_by_video"]

_ALL_AT_ONCE: Final = "all_candidates_at_once"


def about(item: Item) -> dict[str, Any]:
    """Return what the log of samples keeps of an item, since the harness drops the document."""
    return {
        "item": item.id,
        "column": item.column,
        "category": item.category,
        "video": item.cluster,
        "gold": {
            "question": item.question,
            "options": list(item.options) if item.options is not None else None,
            "references": list(item.references),
            "facts": dict(item.facts),
            "question_type": item.question_type,
            "answer_kind": item.answer_kind,
            "needs": list(item.needs),
        },
    }


def item_results(item: Item, reply: str) -> dict[str, Any]:
    """Return everything that one reply gives.

    `score` comes first: the harness's `--baseline` reads the first key with that word. Keys
    without a metric of that name are only written to the log of samples.
    """
    scores = score_item(item, reply)
    results: dict[str, Any] = {
        **scores,
        "by_video": {"score": scores["score"], "video": item.cluster},
        **about(item),
    }
    kind = question_type(item.question_type)
    if kind is not None:
        results[kind.metric] = results[kind.modality_metric] = scores["accuracy"]
    if item.is_sentence:
        references = item.references or (item.answer,)
        sentence = as_sentence(reply).value or ""
        values = caption_values(
            sentence, references, item.cluster, stop_tokens=item.column != "avsd"
        )
        results.update(values)
    if item.column == "dm_match":
        results["way"] = _ALL_AT_ONCE
    judge = chosen_judge()
    if judge is not None and item.options is None:
        results.update(judge.results(item, reply))
    return results


def mean_by_video(values: Sequence[Mapping[str, Any]]) -> float:
    """Return the mean score over items; the harness adds its error, clustered by video."""
    return fmean(float(value["score"]) for value in values)
