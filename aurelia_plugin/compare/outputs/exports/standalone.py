"""Scoring of exported questions, written out together with the readers that it needs.

`bundling.bundle` makes one module of it, which needs nothing of this package: a row holds its
question as the readers know it, so neither items nor vocabulary are needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurelia_plugin.benchmark.scoring.closed_sets import LabelSet
from aurelia_plugin.benchmark.scoring.metrics import Gold, Question, score
from aurelia_plugin.calling.thinking import spoken

__all__ = ["process_results", "read_questions", "score_reply", "scoring_of"]


def scoring_of(question: Question, gold: Gold) -> str:
    """Return a question and its right answers as one JSON text."""
    labels = question.labels
    asked = {**question._asdict(), "labels": labels._asdict() if labels is not None else None}
    return json.dumps(
        {"question": asked, "gold": gold._asdict()}, ensure_ascii=False, default=_plain
    )


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not for JSON.")


def read_questions(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an exported file."""
    lines = path.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def process_results(doc: Mapping[str, Any], results: list[str]) -> dict[str, float]:
    """Return the scores of a reply, in the form that lm-evaluation-harness asks for."""
    return score_reply(doc, results[0])


def score_reply(doc: Mapping[str, Any], reply: str) -> dict[str, float]:
    """Score a reply to an exported question by the parser of the other arms."""
    written = json.loads(doc["scoring"])
    asked, said = written["question"], spoken(reply)
    if asked["labels"] is not None:
        named = frozenset(asked["labels"]["named"])
        asked["labels"] = LabelSet(**{**asked["labels"], "named": named})
    return score(Question(**asked), Gold(**written["gold"]), "" if said.unclosed else said.text)
