"""The corpus of replies with their readings."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from aurelia_plugin.benchmark.scoring.labels import label_set
from aurelia_plugin.benchmark.scoring.metrics import Question

__all__ = ["Row", "corpus"]

_CORPUS = Path(__file__).resolve().parents[1] / "benchmark" / "corpus" / "replies.yaml"


class Row(NamedTuple):
    """A reply and what a careful person reads in it; None if nothing can be read."""

    question: Question
    reply: str
    reading: str | None


@lru_cache(maxsize=1)
def corpus() -> tuple[Row, ...]:
    """Return all rows of the corpus."""
    content = yaml.safe_load(_CORPUS.read_text("utf-8"))
    rows = []
    for name, replies in content["replies"].items():
        question = _question(content["questions"][name])
        rows += [Row(question, reply, reading) for reply, reading in replies]
    return tuple(rows)


def _question(row: dict[str, object]) -> Question:
    text, options = str(row["question"]), row.get("options")
    if isinstance(options, dict):
        lettered = {str(letter): str(option) for letter, option in options.items()}
        return Question("option", text, options=lettered)
    if row["column"] == "music_avqa":
        return Question("label", text, labels=label_set(text))
    return Question("sentence" if row["column"] == "captioning" else "name", text)
