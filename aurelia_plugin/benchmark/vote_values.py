"""Reading an answer for a vote: the benchmark's own rules, for documents that are its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import ValidationError

from aurelia_plugin.benchmark.data.candidates import rating
from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.data.table import item_of_row
from aurelia_plugin.benchmark.reading import vote_value

__all__ = ["read_answer", "reader_of"]

_FIELDS: Final = frozenset({"id", "column", "category", "question", "answer", "facts", "source"})


def reader_of(document: object) -> Callable[[str], str | None] | None:
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

    As the scores read it. The gold answer plays no part.
    """
    if item.column == "dm_match" and item.options is None and "#" in item.id:
        number = rating(reply)
        return None if number is None else str(number)
    return vote_value(item, reply)
