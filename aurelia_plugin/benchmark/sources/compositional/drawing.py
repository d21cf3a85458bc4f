"""Which made clips there are: drawn by a seed, or read back from their row ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from aurelia_plugin.benchmark.sources.compositional.events import (
    MUSIC_AVQA,
    VALOR,
    Event,
    Events,
    read_events,
)
from aurelia_plugin.benchmark.sources.compositional.questions import KINDS, Plan, draft_of
from aurelia_plugin.benchmark.sources.draft import Draft
from aurelia_plugin.benchmark.sources.draws import Draws
from aurelia_plugin.benchmark.sources.selection import unknown_rows

__all__ = ["MadeClips", "read"]

_MOST_USES: Final = 24
"""How often a clip may be used, so that a few clips do not make up a benchmark."""

_MOST_TRIES: Final = 8
"""After how many plans that came before another kind has its turn."""

_ALONE: Final = "alone"


def read(*paths: Path, licence: str) -> MadeClips:
    """Read annotation files whose clips are to be joined.

    Raises:
        ConfigError: a file is none of those that `events.read_events` knows.
    """
    return MadeClips([read_events(path) for path in paths], licence)


class MadeClips:
    """All items that can be made of some clips.

    The two clips of an item are of one data set, so that its looks do not tell them apart.

    Attributes:
        notes: what the annotation files left out.
    """

    def __init__(self, events: Sequence[Events], licence: str) -> None:
        self.notes = tuple(note for part in events for note in part.notes)
        self._licence = licence
        # "A dog" and "a dog" are one thing.
        labels: dict[str, str] = {}
        self._clips = {
            clip.key: clip._replace(label=labels.setdefault(clip.label.casefold(), clip.label))
            for part in events
            for clip in part.clips
        }

    @property
    def rows(self) -> int:
        """How many clips can be used."""
        return len(self._clips)

    @property
    def has_shipped_rows(self) -> bool:
        """Whether the clips are those of the two data sets that the shipped ids name."""
        return set(self._by_dataset) == {MUSIC_AVQA, VALOR}

    @cached_property
    def _by_dataset(self) -> Mapping[str, list[Event]]:
        found: dict[str, list[Event]] = defaultdict(list)
        for clip in self._clips.values():
            found[clip.dataset].append(clip)
        return {name: found[name] for name in sorted(found)}

    def drawn(self, column: str, number: int | None, seed: int) -> list[Draft]:
        """Return `number` items, as many of each kind and data set as possible.

        None, or more than there can be: until every clip was used 24 times.
        """
        plans = []
        for plan in self._plans(Draws(seed, column)):
            if len(plans) == number:
                break
            plans.append(plan)
        return [draft_of(plan, self._licence) for plan in plans]

    def _plans(self, draws: Draws) -> Iterator[Plan]:
        """Yield plans without end: until the clips of a data set are used up."""
        uses: Counter[str] = Counter()
        seen: set[str] = set()
        turn = tries = 0
        datasets = list(self._by_dataset)
        while datasets:
            kind = list(KINDS)[turn % len(KINDS)]
            dataset = datasets[(turn // len(KINDS)) % len(datasets)]
            plan = self._plan(kind, self._by_dataset[dataset], uses, draws)
            if plan is None:
                datasets.remove(dataset)
                continue
            used = {plan.first.key, (plan.again or plan.second).key}
            uses.update(used)  # of a plan that came before, too: a few clips come to an end
            is_new = plan.row_id not in seen
            tries = 0 if is_new else tries + 1
            if is_new:
                seen.add(plan.row_id)
                yield plan
            if is_new or tries % _MOST_TRIES == 0:
                turn += 1

    def _plan(
        self, kind: str, clips: Sequence[Event], uses: Counter[str], draws: Draws
    ) -> Plan | None:
        """Return a plan of clips that were used least, or None if there are too few left."""
        arrangement = draws.one(list(KINDS[kind].options))
        left = [clip for clip in clips if uses[clip.key] < _MOST_USES]
        one = _least_used(left, uses, draws)
        if one is None:
            return None
        other = _least_used([clip for clip in left if clip.label != one.label], uses, draws)
        if other is None:
            return None
        first, second = draws.shuffled((one, other))
        if arrangement != _ALONE:
            return Plan(kind, arrangement, first, second)
        same = [clip for clip in left if clip.label == first.label and clip.key != first.key]
        again = _least_used(same or [first], uses, draws)
        return Plan(kind, arrangement, first, second, again)

    def named(self, ids: Sequence[str], what: str) -> list[Draft]:
        """Return the items with these row ids.

        Raises:
            ConfigError: an id is of no item of these clips.
        """
        plans = [self._named(row) for row in ids]
        unknown = [row for row, plan in zip(ids, plans, strict=True) if plan is None]
        if unknown:
            raise unknown_rows(what, unknown, len(ids))
        return [draft_of(plan, self._licence) for plan in plans if plan is not None]

    def _named(self, row: str) -> Plan | None:
        kind, _, rest = row.partition("|")
        arrangement, *keys = rest.split("|")
        if kind not in KINDS or arrangement not in KINDS[kind].options:
            return None
        clips = [self._clips[key] for key in keys if key in self._clips]
        if len(clips) != len(keys) or len(keys) != 2 + (arrangement == _ALONE):
            return None
        first, second, *again = clips
        if first.label == second.label or any(clip.label != first.label for clip in again):
            return None
        return Plan(kind, arrangement, first, second, *again)


def _least_used(clips: Sequence[Event], uses: Mapping[str, int], draws: Draws) -> Event | None:
    if not clips:
        return None
    least = min(uses[clip.key] for clip in clips)
    return draws.one([clip for clip in clips if uses[clip.key] == least])
