"""Daily-Omni: 1,197 questions over 684 everyday videos of 30 and 60 seconds.

Source of the rows' form: `qa.json` of Lliar-liar/Daily-Omni at fccb838, all 1,197 rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import Field, JsonValue

from aurelia_plugin.benchmark.boards.board_set import (
    BoardRow,
    BoardSet,
    parsed_rows,
    without_thinking,
)
from aurelia_plugin.benchmark.boards.letters import unlettered
from aurelia_plugin.benchmark.data.items import CUSTOM, Item, Source

__all__ = ["DAILY_OMNI", "begins_with_letter"]

_TITLE: Final = "Daily-Omni"
_LICENCE: Final = "GPL-3.0 (repository); videos from YouTube have terms of their own"


class _Row(BoardRow):
    """One question; 235 of the rows explain the answer, 960 name further categories."""

    question: str = Field(alias="Question")
    choices: list[str] = Field(alias="Choice", min_length=2)
    answer: str = Field(alias="Answer", pattern="^[A-Z]$")
    kind: str = Field(alias="Type", min_length=1)
    video_id: str = Field(min_length=1)


def _items(content: JsonValue) -> Iterator[Item]:
    for number, row in enumerate(parsed_rows(_TITLE, _Row, content), start=1):
        yield Item(
            id=f"daily_omni-{number:04d}",  # the rows have no ids of their own
            column=CUSTOM,
            category=row.kind,
            question=row.question,
            options=unlettered(row.choices),
            answer=row.answer,
            video=f"Videos/{row.video_id}/{row.video_id}_video.mp4",
            source=Source(dataset=_TITLE, id=f"{row.video_id}/{number}", licence=_LICENCE),
        )


def begins_with_letter(reply: str, gold: str, options: Mapping[str, str]) -> bool:
    """Whether the reply begins with the right letter (`evaluate_answer` of test_utils.py)."""
    return without_thinking(reply).strip().upper().startswith(gold)


def _sounds(video: Path) -> Sequence[Path]:
    return (video.with_name(f"{video.stem.removesuffix('_video')}_audio.wav"),)


DAILY_OMNI: Final = BoardSet(
    name="daily_omni",
    title=_TITLE,
    variable="AURELIA_DAILY_OMNI_HOME",
    annotations="qa.json",
    hub="liarliar/Daily-Omni",
    archive="Videos.tar",
    layout="Videos/<video_id>/<video_id>_video.mp4 and, beside it, <video_id>_audio.wav",
    licence=_LICENCE,
    items=_items,
    official=begins_with_letter,
    sounds=_sounds,
)
