"""The three kinds of question about made clips, and the drafts of their items.

Each kind has four arrangements of two clips and one option for each arrangement, so an option is
right for exactly one of them: which options there are says nothing about which one is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.sources.compositional.events import Event
from aurelia_plugin.benchmark.sources.draft import Draft
from aurelia_plugin.benchmark.sources.draws import Draws
from aurelia_plugin.benchmark.sources.montage import Montage
from aurelia_plugin.files.digests import digest_of

__all__ = ["KINDS", "Kind", "Plan", "draft_of"]


class Plan(NamedTuple):
    """What one made clip is to show.

    Attributes:
        kind: a key of `KINDS`.
        arrangement: one of the kind's.
        first, second: the two clips of which the options speak.
        again: another clip of the first one's thing, where only that thing comes.
    """

    kind: str
    arrangement: str
    first: Event
    second: Event
    again: Event | None = None

    @property
    def row_id(self) -> str:
        """The plan as the id of a row: kind, arrangement and clips."""
        clips = (self.first, self.second, *((self.again,) if self.again else ()))
        return "|".join((self.kind, self.arrangement, *(clip.key for clip in clips)))


class Kind(NamedTuple):
    """A kind of question.

    Attributes:
        question: its text.
        options: arrangement -> the option that says so, of the two labels.
        montage: the clip of a plan.
    """

    question: str
    options: Mapping[str, Callable[[str, str], str]]
    montage: Callable[[Plan], Montage]


def _in_turn(*clips: Event) -> Montage:
    files = tuple(clip.file for clip in clips)
    return Montage(files, files)


def _order(plan: Plan) -> Montage:
    first, second = plan.first, plan.second
    if plan.arrangement == "at_once":
        return _in_turn(first, second)._replace(side_by_side=True)
    if plan.arrangement == "alone":
        return _in_turn(first, plan.again or first)
    return _in_turn(*((first, second) if plan.arrangement == "first_second" else (second, first)))


def _swap(plan: Plan) -> Montage:
    clips = {"first": plan.first.file, "second": plan.second.file}
    seen, heard = plan.arrangement.split("_")
    return Montage((clips[seen],), (clips[heard],))


def _binding(plan: Plan) -> Montage:
    heard, place = plan.arrangement.split("_")
    sounding, silent = (plan.first, plan.second) if heard == "first" else (plan.second, plan.first)
    pictures = (sounding, silent) if place == "left" else (silent, sounding)
    return Montage(tuple(clip.file for clip in pictures), (sounding.file,), side_by_side=True)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "order": Kind(
            "What is the sequence of events in the video?",
            {
                "first_second": lambda one, two: f"{one} followed by {two}",
                "second_first": lambda one, two: f"{two} followed by {one}",
                "at_once": lambda one, two: f"{one} and {two}, both at the same time",
                "alone": lambda one, two: f"only one of them ({one} or {two}), never the other",
            },
            _order,
        ),
        "swap": Kind(
            "The soundtrack may be that of another video. What is seen, and what is heard?",
            {
                "first_first": lambda one, _: f"seen: {one}; heard: {one}",
                "second_second": lambda _, two: f"seen: {two}; heard: {two}",
                "first_second": lambda one, two: f"seen: {one}; heard: {two}",
                "second_first": lambda one, two: f"seen: {two}; heard: {one}",
            },
            _swap,
        ),
        "binding": Kind(
            "Two things are shown side by side, and the sound of one of them is heard. Which one "
            "is heard, and where is it?",
            {
                "first_left": lambda one, _: f"{one}, on the left",
                "first_right": lambda one, _: f"{one}, on the right",
                "second_left": lambda _, two: f"{two}, on the left",
                "second_right": lambda _, two: f"{two}, on the right",
            },
            _binding,
        ),
    }
)
"""Name -> the kind of question."""


def draft_of(plan: Plan, licence: str) -> Draft:
    """Return the draft of a plan's item; the order of its options follows from its id."""
    kind = KINDS[plan.kind]
    row = plan.row_id
    arrangements = Draws("options", row).shuffled(list(kind.options))
    labels = (plan.first.label, plan.second.label)
    name = f"compositional-{plan.kind}-{digest_of([row])[:12]}"
    sets = dict.fromkeys((plan.first.dataset, plan.second.dataset))
    item = Item(
        id=name,
        column="compositional",
        category="Compositional",
        question=kind.question,
        options=tuple(kind.options[arrangement](*labels) for arrangement in arrangements),
        answer=chr(ord("A") + arrangements.index(plan.arrangement)),
        video=f"media/compositional/{name}.mp4",
        source=Source(dataset=" and ".join(sets), id=row, licence=licence),
        question_type=plan.kind,
    )
    return Draft(item, {}, kind.montage(plan))
