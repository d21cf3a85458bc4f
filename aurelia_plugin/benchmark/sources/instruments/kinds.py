"""The kinds of question about an instrument's country, one or more for each category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final, Literal, NamedTuple

from aurelia_plugin.benchmark.sources.instruments.knowledge import (
    Knowledge,
    Relation,
    Truth,
)

__all__ = ["KINDS", "SHARES", "Kind", "option_sets", "right_option", "shares_of", "truth_of"]

_COUNTRY: Final = "the home country of {}"


class Kind(NamedTuple):
    """A kind of question.

    Attributes:
        name: as it stands in row ids.
        category: of the paper.
        question: its text, with {} for the instrument.
        relation: the last hop; "kin" are other instruments from the same country.
        subject: of the relation.
        options: how many there are.
    """

    name: str
    category: str
    question: str
    relation: Relation | Literal["kin"]
    subject: Literal["country", "instrument"] = "country"
    options: int = 4


KINDS: Final = (
    Kind("country", "Country recognition", f"Which is {_COUNTRY}?", "country"),
    Kind("landmark", "Famous landmark", f"Which landmark is in {_COUNTRY}?", "landmark"),
    Kind("dish", "Popular dish/food", f"Which is a traditional dish of {_COUNTRY}?", "dish"),
    Kind("currency", "Currency", f"In which currency does one pay in {_COUNTRY}?", "currency"),
    Kind("continent", "Continent", f"On which continent is {_COUNTRY}?", "continent", options=3),
    Kind("flag", "Flag specifics", f"What is on the flag of {_COUNTRY}?", "flag"),
    Kind("dance", "Popular dance form", f"Which is a traditional dance of {_COUNTRY}?", "dance"),
    Kind("capital", "Geographical", f"What is the capital of {_COUNTRY}?", "capital"),
    Kind("river", "Geographical", f"Which river flows through {_COUNTRY}?", "river"),
    Kind("sea", "Geographical", f"On which sea does {_COUNTRY} have a coast?", "sea"),
    Kind(
        "language",
        "Language",
        f"Which language do most people speak at home in {_COUNTRY}?",
        "language",
    ),
    Kind(
        "sounding",
        "Commonsense reasoning",
        "How is {} usually made to sound?",
        "sounding",
        "instrument",
    ),
    Kind(
        "kin",
        "Musical performances",
        "Which of these instruments has the same home country as {}?",
        "kin",
        "instrument",
        options=3,
    ),
)

SHARES: Final = {
    "Country recognition": 21,
    "Famous landmark": 23,
    "Popular dish/food": 19,
    "Currency": 13,
    "Continent": 17,
    "Flag specifics": 15,
    "Popular dance form": 20,
    "Geographical": 31,
    "Language": 13,
    "Commonsense reasoning": 15,
    "Musical performances": 13,
}
"""Category -> how many of 200 items.

The first nine are the paper's counts. Of "Commonsense reasoning" the paper has 165 in three
columns; 15 are left if half of AV-Meme and of DM-Match are of it. The rest fills up 200.
"""


def shares_of(number: int) -> dict[Kind, int]:
    """Return how many items of each kind make `number`, largest remainders first."""
    whole = sum(SHARES.values())
    kinds = Counter(kind.category for kind in KINDS)
    exact = {kind: number * SHARES[kind.category] / whole / kinds[kind.category] for kind in KINDS}
    found = {kind: int(share) for kind, share in exact.items()}
    order = sorted(KINDS, key=lambda kind: found[kind] - exact[kind])
    for kind in order[: number - sum(found.values())]:
        found[kind] += 1
    return found


def truth_of(kind: Kind, instrument: str, table: Knowledge) -> Truth:
    """Return what is right for an instrument; nothing where the table has nothing of it."""
    country = table.origin(instrument)
    if kind.relation == "kin":
        kin = [one for one in table.instruments if table.origin(one) == country and country]
        right = {_plain(one) for one in kin if one != instrument}
        return Truth(frozenset(right), frozenset({_plain(instrument)}))
    subject = country if kind.subject == "country" else instrument
    return table.truth(kind.relation, subject or "")


def right_option(options: Iterable[str], truth: Truth) -> str | None:
    """Return the one option that is right, or None if others are right or may be, or none is."""
    offered = set(options)
    right = offered & truth.right
    return next(iter(right)) if len(right) == 1 and not offered & truth.unsure else None


def option_sets(kind: Kind, table: Knowledge) -> Iterator[tuple[str, ...]]:
    """Yield the sets of options of a kind, each sorted, before it is known which are usable."""
    if kind.relation == "kin":
        values = [_plain(one) for one in table.instruments if truth_of(kind, one, table).right]
    else:
        values = list(table.values(kind.relation))
    yield from combinations(sorted(values), kind.options)


def _plain(instrument: str) -> str:
    return instrument.replace("_", " ")
