"""Reading an answer for a vote: the benchmark's own rules, for documents that are its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from aurelia_plugin.benchmark.data.candidates import rating
from aurelia_plugin.benchmark.data.items import FREE_TEXT_COLUMNS, Item
from aurelia_plugin.benchmark.data.table import item_of_row
from aurelia_plugin.benchmark.scoring.answers import extract_phrase, stated_values

__all__ = ["read_answer", "reader_of"]

_FIELDS: Final = frozenset({"id", "column", "category", "question", "answer", "facts", "source"})


def reader_of(document: Any) -> Callable[[str], str | None] | None:
    """Return what reads an answer to this document, None if it is no item of this benchmark."""
    if not isinstance(document, Mapping) or not set(document) >= _FIELDS:
        return None
    try:
        item = item_of_row(document)
    except (AttributeError, ValidationError):  # another data set with fields of these names
        return None
    return lambda reply: read_answer(item, reply)


def read_answer(item: Item, reply: str) -> str | None:
    """Return what a reply answers, in a form in which equal answers are equal; None for nothing.

    As the scores read it: a letter, a label, a phrase or a rating; of a sentence that is scored by
    facts, what it states of them. The gold answer plays no part.
    """
    from aurelia_plugin.benchmark.scoring.metrics import extract

    if item.column == "dm_match" and item.options is None and "#" in item.id:
        number = rating(reply)
        return None if number is None else str(number)
    if item.column not in FREE_TEXT_COLUMNS:
        return extract(item, reply).value
    if not item.facts:
        return extract_phrase(reply).value
    stated = {name: sorted(stated_values(reply, name)) for name in sorted(item.facts)}
    if not any(stated.values()):
        return None
    return "; ".join(f"{name}: {', '.join(values)}" for name, values in stated.items())
