"""What the YAML files call: one document is one item of a manifest."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.benchmark.data.documents import media_paths, question_text, user_turn
from aurelia_plugin.benchmark.data.table import item_of_row
from aurelia_plugin.benchmark.results import about
from aurelia_plugin.benchmark.scoring.metrics import score_item
from aurelia_plugin.benchmark.synthetic.build import chosen_folder

__all__ = [
    "doc_to_messages",
    "doc_to_target",
    "doc_to_text",
    "doc_to_visual",
    "process_results",
]

Doc = dict[str, Any]


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: dict[str, Any] | None = None) -> str:
    """Return the question, its options if any, and the form of the answer."""
    return question_text(item_of_row(doc))


def doc_to_visual(doc: Doc) -> list[str]:
    """Return the absolute paths of the video and of all separate sounds, in order."""
    return media_paths(item_of_row(doc), chosen_folder())


def doc_to_messages(
    doc: Doc, lmms_eval_specific_kwargs: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return one user turn: the video, each numbered sound after its name, the question."""
    return user_turn(item_of_row(doc), chosen_folder())


def doc_to_target(doc: Doc) -> str:
    """Return the gold answer."""
    return item_of_row(doc).answer


def process_results(doc: Doc, results: list[str]) -> dict[str, Any]:
    """Score the reply; the keys are those of `metrics.score_item`, and what the item is."""
    item = item_of_row(doc)
    return {**score_item(item, results[0]), **about(item)}
