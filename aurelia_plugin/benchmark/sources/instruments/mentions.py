"""Rows of MUSIC-AVQA that say which instrument it is, and how a question can mean it unnamed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.sources.music_avqa import Question, read_questions
from aurelia_plugin.benchmark.sources.sole_instruments import (
    INSTRUMENTS,
    is_real,
    normal_template,
    sole_instruments,
)

__all__ = ["WORDINGS", "Mention", "Mentions", "read_mentions"]

_ONLY: Final = "What kind of musical instrument is it?"
_WORDINGS: Final[Mapping[tuple[str, ...], str]] = MappingProxyType(
    {
        (_ONLY,): "the musical instrument in the video",
        ("What kind of instrument is the <LRer> instrument?", "leftest"): (
            "the leftmost instrument in the video"
        ),
        ("What kind of instrument is the <LRer> instrument?", "rightest"): (
            "the rightmost instrument in the video"
        ),
        ("What is the <TH> instrument that comes in?", "first"): (
            "the first instrument to come in"
        ),
        ("What is the <TH> instrument that comes in?", "second"): (
            "the second instrument to come in"
        ),
        ("What is the <LR> instrument of the <FL> sounding instrument?", "left", "first"): (
            "the instrument to the left of the one that sounds first"
        ),
        ("What is the <LR> instrument of the <FL> sounding instrument?", "right", "first"): (
            "the instrument to the right of the one that sounds first"
        ),
    }
)
# Templates that name another instrument are no part: which one is named would say something
# about the one that is meant.

WORDINGS: Final = tuple(_WORDINGS.values())
"""How an instrument can be meant, by place or by turn."""


class Mention(NamedTuple):
    """A row that says which instrument a wording means in a clip.

    Attributes:
        row: the row's id, video/question.
        video: the clip.
        wording: one of `WORDINGS`.
        instrument: as MUSIC-AVQA names it.
    """

    row: str
    video: str
    wording: str
    instrument: str


class Mentions(NamedTuple):
    """The rows that can be used, in the file's order, and what was left out of the file."""

    rows: tuple[Mention, ...]
    notes: tuple[str, ...]


def read_mentions(path: Path) -> Mentions:
    """Read an annotation file of MUSIC-AVQA.

    Synthetic clips are left out; and of "the musical instrument in the video" those in which a
    row of the clip names another one.

    Raises:
        ConfigError: the file is not in this form; the message names the row.
    """
    questions, notes = read_questions(path)
    sole = sole_instruments(questions)
    found = [
        Mention(f"{row.video_id}/{row.question_id}", row.video_id, wording, row.anser)
        for row in questions
        if (wording := _wording(row)) is not None
        and is_real(row.video_id)
        and (wording != _WORDINGS[_ONLY,] or sole.get(row.video_id) == row.anser)
    ]
    return Mentions(tuple(found), notes)


def _wording(row: Question) -> str | None:
    if row.anser not in INSTRUMENTS:
        return None
    return _WORDINGS.get((normal_template(row), *row.templ_values))
