"""All questions that some rows of MUSIC-AVQA give: drawn by a seed, or read back from row ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.sources.draft import Draft, media_place
from aurelia_plugin.benchmark.sources.draws import Draws
from aurelia_plugin.benchmark.sources.instruments.balancing import KindDraws
from aurelia_plugin.benchmark.sources.instruments.kinds import (
    KINDS,
    Kind,
    right_option,
    shares_of,
    truth_of,
)
from aurelia_plugin.benchmark.sources.instruments.knowledge import Knowledge, knowledge
from aurelia_plugin.benchmark.sources.instruments.mentions import (
    Mention,
    Mentions,
    read_mentions,
)
from aurelia_plugin.benchmark.sources.selection import unknown_rows
from aurelia_plugin.files.digests import digest_of

__all__ = ["InstrumentQuestions", "read"]


def read(path: Path, licence: str) -> InstrumentQuestions:
    """Read an annotation file of MUSIC-AVQA.

    Raises:
        ConfigError: the file is not in this form; the message names the row.
    """
    return InstrumentQuestions(read_mentions(path), licence, knowledge())


class InstrumentQuestions:
    """All items that can be made of some rows of MUSIC-AVQA.

    Attributes:
        notes: what the annotation file left out.
    """

    has_shipped_rows = True

    def __init__(self, mentions: Mentions, licence: str, table: Knowledge) -> None:
        self.notes = mentions.notes
        self._licence = licence
        self._table = table
        known = [
            row for row in mentions.rows
            if any(truth_of(kind, row.instrument, table).right for kind in KINDS)
        ]  # fmt: skip
        self._rows = {row.row: row for row in known}

    @property
    def rows(self) -> int:
        """How many rows name an instrument of which something is known."""
        return len(self._rows)

    def drawn(self, column: str, number: int | None, seed: int) -> list[Draft]:
        """Return `number` items, in each category as many as its share of them.

        A row is asked once about one thing, so rare instruments set a limit: what a kind cannot
        give is taken from the others, and fewer items come back where all are used up. None is
        five for each row.
        """
        wanted = 5 * self.rows if number is None else number
        uses: Counter[str] = Counter()
        rows = self._rows.values()
        kinds = [
            KindDraws(kind, rows, self._table, uses, Draws(seed, column, kind.name))
            for kind in KINDS
        ]
        shares = shares_of(wanted)
        for one in kinds:
            one.fill(shares[one.kind])
        while sum(len(one.found) for one in kinds) < wanted and any(one.is_open for one in kinds):
            for one in [one for one in kinds if one.is_open]:
                if sum(len(other.found) for other in kinds) < wanted:
                    one.fill(len(one.found) + 1)
        return [self._draft(one.kind, *drawn) for one in kinds for drawn in one.found]

    def named(self, ids: Sequence[str], what: str) -> list[Draft]:
        """Return the items with these row ids.

        Raises:
            ConfigError: an id is of no item of these rows, or the table does not bear it out.
        """
        found = [self._named(row) for row in ids]
        unknown = [row for row, draft in zip(ids, found, strict=True) if draft is None]
        if unknown:
            raise unknown_rows(what, unknown, len(ids))
        return [draft for draft in found if draft is not None]

    def _named(self, text: str) -> Draft | None:
        row, _, rest = text.partition("|")
        name, *options = rest.split("|")
        kind = next((kind for kind in KINDS if kind.name == name), None)
        if kind is None or row not in self._rows or tuple(options) != tuple(sorted(options)):
            return None
        mention = self._rows[row]
        truth = truth_of(kind, mention.instrument, self._table)
        if right_option(options, truth) is None or len(set(options)) != kind.options:
            return None
        return self._draft(kind, mention, tuple(options))

    def _draft(self, kind: Kind, row: Mention, options: tuple[str, ...]) -> Draft:
        text = "|".join((row.row, kind.name, *options))
        shown = Draws("options", text).shuffled(options)
        right = right_option(options, truth_of(kind, row.instrument, self._table))
        file = f"{row.video}.mp4"
        place = media_place("geoiq", file)
        item = Item(
            id=f"geoiq-{kind.name}-{digest_of([text])[:12]}",
            column="geoiq",
            category=kind.category,
            question=kind.question.format(row.wording),
            options=tuple(shown),
            answer=chr(ord("A") + shown.index(right or "")),
            video=place,
            source=Source(dataset="MUSIC-AVQA", id=text, licence=self._licence),
            question_type=kind.name,
        )
        return Draft(item, {place: file})
