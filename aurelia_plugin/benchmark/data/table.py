"""Items as rows of a `datasets` table: one set of column types for every column of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from datasets import Features

__all__ = ["item_features", "item_of_row"]


def item_features() -> Features:
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
                "leak": text,
                "attempt": Value("int64"),
            },
            "needs": texts,
            "facts": dict.fromkeys(VOCABULARY, text),
            "question_type": text,
            "answer_kind": text,
        }
    )


def item_of_row(row: Mapping[str, object]) -> Item:
    """Return the item of a row; a table has every fact's column, and fills the others with None."""
    # Where a table has no such column, its rows have a record of nothing but None.
    source = _filled(row.get("reasoning_source")) or None
    return Item.model_validate(
        {**row, "facts": _filled(row.get("facts")), "reasoning_source": source}
    )


def _filled(record: object) -> object:
    """Return a record's fields that are not None; what is no record stays, and is refused later."""
    if not isinstance(record, Mapping):
        return record
    return {name: value for name, value in record.items() if value is not None}
