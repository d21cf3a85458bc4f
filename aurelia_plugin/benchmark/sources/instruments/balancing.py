"""Draws of one kind of question in which text alone gives nothing away.

First the wording is drawn, then the options, then which of them is to be right, each with equal
chances, and only then a row of MUSIC-AVQA for which it is. So neither wording nor options say which
option is right. A set of options is used only where for each of them there is a row that makes it
the one right option. No answer is drawn more often than 1.5 times its even share of a kind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.sources.draws import Draws
from aurelia_plugin.benchmark.sources.instruments.kinds import (
    Kind,
    option_sets,
    right_option,
    truth_of,
)
from aurelia_plugin.benchmark.sources.instruments.knowledge import Knowledge
from aurelia_plugin.benchmark.sources.instruments.mentions import WORDINGS, Mention

__all__ = ["Drawn", "KindDraws"]

_MOST_OF_SHARE: Final = 1.5


class Drawn(NamedTuple):
    """A question: the row that it is about, and its options in alphabetical order."""

    row: Mention
    options: tuple[str, ...]


class _OptionSet(NamedTuple):
    """Options, and for each of them the instruments for which it alone is right."""

    options: tuple[str, ...]
    instruments: dict[str, tuple[str, ...]]


class KindDraws:
    """The questions of one kind that were drawn so far.

    Attributes:
        kind: of the questions.
        found: the questions.
        is_open: whether more of them can be drawn.
    """

    def __init__(
        self,
        kind: Kind,
        rows: Iterable[Mention],
        table: Knowledge,
        uses: Counter[str],
        draws: Draws,
    ) -> None:
        """Begin.

        Args:
            kind: of the questions.
            rows: each is asked about once.
            table: of facts.
            uses: clip -> how often it was taken, for questions of any kind; kept up here.
            draws: of all choices.
        """
        self.kind = kind
        self.found: list[Drawn] = []
        self.is_open = True
        self._uses, self._draws = uses, draws
        self._golds: Counter[str] = Counter()
        self._left: dict[tuple[str, str], list[Mention]] = defaultdict(list)
        for row in rows:
            self._left[row.wording, row.instrument].append(row)
        names = sorted({instrument for _, instrument in self._left})
        self._sets = _usable(kind, names, table)
        self._values = {
            value for wording in WORDINGS for one in self._open_sets(wording) for value in one[0]
        }

    def fill(self, number: int) -> None:
        """Draw until there are `number` questions, or none is left."""
        most = max(1, int(_MOST_OF_SHARE * number / max(1, len(self._values))))
        while self.is_open and len(self.found) < number:
            drawn = self._next(most)
            if drawn is None:
                self.is_open = False
            else:
                self.found.append(drawn)

    def _next(self, most: int) -> Drawn | None:
        usable = {}
        for wording in WORDINGS:
            sets = [
                one
                for one in self._open_sets(wording)
                if any(self._golds[value] < most for value in one.options)
            ]
            if sets:
                usable[wording] = sets
        if not usable:
            return None
        wording = self._draws.one(list(usable))
        options, instruments = self._draws.one(usable[wording])
        gold = self._draws.one([value for value in options if self._golds[value] < most])
        rows = [row for name in instruments[gold] for row in self._left[wording, name]]
        least = min(self._uses[row.video] for row in rows)
        row = self._draws.one([row for row in rows if self._uses[row.video] == least])
        self._left[wording, row.instrument].remove(row)
        self._golds[gold] += 1
        self._uses[row.video] += 1
        return Drawn(row, options)

    def _open_sets(self, wording: str) -> list[_OptionSet]:
        """Return the sets each of whose options some row with the wording makes the right one."""
        there = {name for (said, name), rows in self._left.items() if said == wording and rows}
        return [
            one
            for one in self._sets
            if all(there.intersection(names) for names in one.instruments.values())
        ]


def _usable(kind: Kind, instruments: Iterable[str], table: Knowledge) -> list[_OptionSet]:
    truths = {name: truth_of(kind, name, table) for name in instruments}
    found = []
    for options in option_sets(kind, table):
        right = {name: right_option(options, truth) for name, truth in truths.items()}
        by_option = {
            value: tuple(name for name, option in right.items() if option == value)
            for value in options
        }
        found.append(_OptionSet(options, by_option))
    return found
