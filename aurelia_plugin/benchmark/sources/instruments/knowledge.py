"""What is known of instruments and of the countries that they come from: `knowledge.yaml`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Literal, NamedTuple

import yaml
from pydantic import Field, model_validator

from aurelia_plugin.files.records import Record

__all__ = ["Fact", "Knowledge", "Relation", "knowledge"]

Relation = Literal[
    "origin",
    "country",
    "continent",
    "currency",
    "language",
    "capital",
    "river",
    "sea",
    "landmark",
    "dish",
    "dance",
    "flag",
    "sounding",
]


class Fact(Record):
    """That a value stands in a relation to a subject: an instrument, or a country's ISO code."""

    relation: Relation
    subject: str
    value: str
    sources: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def works(self) -> tuple[str, ...]:
        """The works that stand behind the fact, by their keys in `Knowledge.works`."""
        return tuple(source.partition(":")[0] for source in self.sources)


class Unsure(Record):
    """A value that could be defended for a subject: neither right nor wrong."""

    relation: Relation
    subject: str
    value: str
    reason: str


class LeftOut(Record):
    """A subject of which a relation gives nothing, and why."""

    relation: Relation
    subject: str
    reason: str


class Truth(NamedTuple):
    """The values that are right for a subject, and those that may not be called wrong."""

    right: frozenset[str]
    unsure: frozenset[str]


class Knowledge(Record):
    """The whole table.

    Attributes:
        works: key -> the work that sources name by it.
        facts: what questions are made from.
        compared: sources whose own text was read beside the fact.
        unsure: values that are neither right nor wrong.
        left_out: what is not asked about, and why.

    Raises:
        ValueError: a fact comes twice, names no known work, is also called unsure, or is of a
            subject that is left out; or a compared source is no fact's.
    """

    works: dict[str, str]
    facts: tuple[Fact, ...]
    compared: tuple[str, ...]
    unsure: tuple[Unsure, ...]
    left_out: tuple[LeftOut, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Knowledge:
        rows = Counter((fact.relation, fact.subject, fact.value) for fact in self.facts)
        twice = [row for row, count in rows.items() if count > 1]
        nameless = [fact for fact in self.facts if not set(fact.works) <= set(self.works)]
        doubted = [one for one in self.unsure if (one.relation, one.subject, one.value) in rows]
        subjects = {(fact.relation, fact.subject) for fact in self.facts}
        absent = [one for one in self.left_out if (one.relation, one.subject) in subjects]
        sources = {source for fact in self.facts for source in fact.sources}
        strange = [source for source in self.compared if source not in sources]
        problems = [*twice, *nameless, *doubted, *absent, *strange]
        if problems:
            raise ValueError(f"contradicts itself or names no source: {problems[0]}")
        return self

    def truth(self, relation: Relation, subject: str) -> Truth:
        """Return what is right and what is unsure for a subject; nothing for an unknown one."""
        return self._truths.get((relation, subject), Truth(frozenset(), frozenset()))

    @cached_property
    def _truths(self) -> Mapping[tuple[Relation, str], Truth]:
        right: dict[tuple[Relation, str], set[str]] = defaultdict(set)
        unsure: dict[tuple[Relation, str], set[str]] = defaultdict(set)
        for fact in self.facts:
            right[fact.relation, fact.subject].add(fact.value)
        for one in self.unsure:
            unsure[one.relation, one.subject].add(one.value)
        keys = {*right, *unsure}
        return {key: Truth(frozenset(right[key]), frozenset(unsure[key])) for key in keys}

    def values(self, relation: Relation) -> tuple[str, ...]:
        """Return all values of a relation, each once, in the table's order."""
        found = (fact.value for fact in self.facts if fact.relation == relation)
        return tuple(dict.fromkeys(found))

    def origin(self, instrument: str) -> str | None:
        """Return the ISO code of the country that an instrument comes from, or None."""
        return next(iter(self.truth("origin", instrument).right), None)

    @property
    def instruments(self) -> tuple[str, ...]:
        """The instruments whose country is known, in the table's order."""
        return tuple(fact.subject for fact in self.facts if fact.relation == "origin")


@cache
def knowledge() -> Knowledge:
    """Return the table that this package ships."""
    place = files("aurelia_plugin.benchmark.sources.instruments") / "knowledge.yaml"
    return Knowledge.model_validate(yaml.safe_load(place.read_text("utf-8")))
