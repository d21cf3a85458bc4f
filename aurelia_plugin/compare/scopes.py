"""Which items figures are over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS
from aurelia_plugin.compare.result import ItemRow, ScopeKind

__all__ = ["FEWEST_ANSWERS", "Scope", "in_order", "scopes"]

FEWEST_ANSWERS: Final = 5
"""A gold value gets a row of its own from this many items on."""


class Scope(NamedTuple):
    """Some items, under a name."""

    kind: ScopeKind
    name: str
    items: Sequence[ItemRow]


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return columns or categories without repetition, the benchmark's own in their order."""
    known = [*COLUMNS, *CATEGORIES]

    def place(name: str) -> tuple[int, str]:
        base = name.split(" (per", maxsplit=1)[0]
        return (known.index(base) if base in known else len(known), name)

    return tuple(sorted(dict.fromkeys(names), key=place))


def scopes(items: Sequence[ItemRow]) -> Iterator[Scope]:
    """Yield every scope over the items, in the order of the tables."""
    yield Scope("all", "all items", items)
    if len({item.column for item in items}) > 1:
        yield Scope("mean_over_columns", "mean over columns", items)
    for kind, name_of in _GROUPS.items():
        groups: dict[str, list[ItemRow]] = {}
        for item in items:
            groups.setdefault(name_of(item), []).append(item)
        for name in in_order(groups) if kind in ("column", "category") else sorted(groups):
            if kind == "answer" and (":" not in name or len(groups[name]) < FEWEST_ANSWERS):
                continue
            yield Scope(kind, name, groups[name])


def _answer(item: ItemRow) -> str:
    # Letters and sentences are no values that could be counted.
    if item.options is not None or item.answer_class == "free_text":
        return ""
    return f"{item.answer_class}: {item.gold}"


_GROUPS: Final[Mapping[ScopeKind, Callable[[ItemRow], str]]] = {
    "column": lambda item: item.column,
    "category": lambda item: item.category,
    "answer_class": lambda item: item.answer_class,
    "answer": _answer,
}
