"""Items as rows of a `datasets` table: one set of column types for every column of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY

__all__ = ["item_features", "item_of_row"]


def item_features() -> Any:
    """Return the `datasets.Features` of a manifest.

    Without them the types are guessed from each file, and a file without options, or with other
    facts, would not fit the table of the rest.
    """
    from datasets import Features, List, Value

    text = Value("string")
    texts = List(text)
    return Features(
        {
            "id": text,
            "column": text,
            "category": text,
            "question": text,
            "options": texts,
            "answer": text,
            "references": texts,
            "video": text,
            "audio": text,
            "audios": texts,
            "source": {"dataset": text, "id": text, "licence": text},
            "reasoning_steps": texts,
            "step_answers": texts,
            "reasoning_source": {
                "score": Value("int64"),
                "threshold": Value("int64"),
                "iterations": Value("int64"),
                "trace": text,
                "reasoner": text,
                "summarizer": text,
                "evaluator": text,
                "prompts_digest": text,
            },
            "needs": texts,
            "facts": dict.fromkeys(VOCABULARY, text),
            "question_type": text,
        }
    )


def item_of_row(row: Mapping[str, Any]) -> Item:
    """Return the item of a row; a table has every fact's column, and fills the others with None."""
    facts = {name: value for name, value in row["facts"].items() if value is not None}
    # Where a table has no such column, its rows have a record of nothing but None.
    source = row.get("reasoning_source") or {}
    known = source if any(value is not None for value in source.values()) else None
    return Item.model_validate({**row, "facts": facts, "reasoning_source": known})
