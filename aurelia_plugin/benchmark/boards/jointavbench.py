"""JointAVBench: 2,853 questions over scenes of films, 15 tasks.

Source of the rows' form: the one row that the README of jointavbench/JointAVBench shows at 07c2fcf;
the whole file is at the hub and was not seen. Its videos are not shared: each row names a video of
YouTube and the seconds of its segment.
"""

from __future__ import annotations

import random
import re
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
from aurelia_plugin.benchmark.data.items import CUSTOM, Item, Source
from aurelia_plugin.errors import ConfigError

__all__ = ["JOINTAVBENCH", "names_one_option"]

_TITLE: Final = "JointAVBench"
_LICENCE: Final = "Apache-2.0 (repository); videos are not shared"


class _Row(BoardRow):
    qid: str = Field(min_length=1)
    task: str = Field(min_length=1)
    question: str
    options: list[str] = Field(min_length=2, max_length=26)
    correct_answer: str


def _items(content: JsonValue) -> Iterator[Item]:
    for row in parsed_rows(_TITLE, _Row, content):
        if row.options.count(row.correct_answer) != 1:
            raise ConfigError(
                f"{_TITLE}: {row.qid}: the right answer is not one of the options.",
                f"Take the file as {_TITLE} publishes it.",
            )
        # The board shuffles at every run, with no seed; here the order is the question's own.
        options = sorted(row.options)
        random.Random(row.qid).shuffle(options)
        yield Item(
            id=row.qid,
            column=CUSTOM,
            category=row.task,
            question=row.question,
            options=tuple(options),
            answer=chr(ord("A") + options.index(row.correct_answer)),
            video=f"videos/{row.qid}.mp4",
            source=Source(dataset=_TITLE, id=row.qid, licence=_LICENCE),
        )


_STATED: Final = (
    re.compile(r"answer(?:\s+is)?\s*[:=-]?\s*[\"'(]?\s*([A-D])\b", re.IGNORECASE),
    re.compile(r"\b([A-D])(?:\s+is\s+the|\)?\s+is)\s+(?:correct|right|answer)", re.IGNORECASE),
    re.compile(r"(?:option|select(?:ed)?)\s+([A-D])\b", re.IGNORECASE),
    re.compile(r"\b([A-D])\b(?=\.\s)"),
)


def names_one_option(reply: str, gold: str, options: Mapping[str, str]) -> bool | None:
    """Whether the one option that the reply names is the right one; None for none or several.

    `extract_model_answer` of evaluation.py looks for statements ("answer: B", "B is correct",
    "option B"), "B. ", the options' texts, and a letter in a reply of one word; `eval_result.py`
    counts only questions of which exactly one option was found.
    """
    text = " ".join(without_thinking(reply).split())
    found = {match[1].upper() for form in _STATED for match in form.finditer(text)}
    lower = text.lower()
    found |= {letter for letter, option in options.items() if option and option.lower() in lower}
    if len(text.split()) == 1:
        found |= {letter for letter in options if letter in text.upper()}
    return found == {gold} if len(found) == 1 else None


def _sounds(video: Path) -> Sequence[Path]:
    return tuple(video.with_suffix(suffix) for suffix in (".wav", ".m4a"))


JOINTAVBENCH: Final = BoardSet(
    name="jointavbench",
    title=_TITLE,
    variable="AURELIA_JOINTAVBENCH_HOME",
    annotations="jointavbench.json",
    hub="JointAVBench/JointAVBench",
    archive="",
    layout="videos/<qid>.mp4, the segment alone (ffmpeg -ss START -to END -i FILM videos/<qid>.mp4 "
    "with the row's segment_timestamp), and <qid>.wav or <qid>.m4a if its sound is a file",
    licence=_LICENCE,
    items=_items,
    official=names_one_option,
    sounds=_sounds,
)
