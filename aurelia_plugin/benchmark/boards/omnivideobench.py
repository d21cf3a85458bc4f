"""OmniVideoBench: 1,000 questions over 628 videos of up to half an hour, with reasoning chains.

Source of the rows' form: `data_example/data.json` of NJU-LINK/OmniVideoBench at 1915466, all
1,000 questions. The data set at the hub is gated: the names of its files there could not be seen.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, JsonValue

from aurelia_plugin.benchmark.boards.board_set import (
    BoardRow,
    BoardSet,
    parsed_rows,
    without_thinking,
)
from aurelia_plugin.benchmark.boards.letters import unlettered
from aurelia_plugin.benchmark.data.items import CUSTOM, Item, Source

__all__ = ["OMNIVIDEOBENCH", "is_letter_alone"]

_TITLE: Final = "OmniVideoBench"
_LICENCE: Final = "CC BY-NC-SA 4.0, research only; videos have terms of their own"


class _Step(BoardRow):
    """One step of the chain that people wrote; some have no inference."""

    evidence: str = ""
    inference: str = ""


def _steps(value: object) -> object:
    """Return the steps of a row; one has an empty text instead of a list."""
    return tuple(value) if isinstance(value, list) else () if value == "" else value


class _Question(BoardRow):
    question: str
    kind: str = Field(alias="question_type", min_length=1)
    options: list[str] = Field(min_length=2)
    correct_option: str = Field(pattern="^[A-Z]$")
    reasoning_steps: Annotated[tuple[_Step, ...], BeforeValidator(_steps)] = ()


class _Row(BoardRow):
    video: str = Field(min_length=1)
    questions: list[_Question]


def _items(content: JsonValue) -> Iterator[Item]:
    for row in parsed_rows(_TITLE, _Row, content):
        for number, question in enumerate(row.questions, start=1):
            yield Item(
                id=f"{row.video}-{number}",
                column=CUSTOM,
                category=question.kind,
                question=question.question,
                options=unlettered(question.options),
                answer=question.correct_option,
                video=f"videos/{row.video}.mp4",
                source=Source(dataset=_TITLE, id=f"{row.video}/{number}", licence=_LICENCE),
                reasoning_steps=tuple(map(_step, question.reasoning_steps)) or None,
            )


def _step(step: _Step) -> str:
    return " ".join(part.strip() for part in (step.evidence, step.inference) if part.strip())


_BOXED: Final = re.compile(r"[\\/]boxed\{([^}]+)\}")


def is_letter_alone(reply: str, gold: str, options: Mapping[str, str]) -> bool:
    """Whether the reply is the right letter and nothing else (`clean_text` of utils/utils.py).

    What is boxed counts alone; of "B. text" the letter; letter case and punctuation do not count.
    """
    text = without_thinking(reply).strip()
    boxed = _BOXED.search(text)
    text = boxed[1].strip() if boxed is not None else text
    text = text[0] if text[1:2] == "." else text
    plain = text.translate(str.maketrans("", "", string.punctuation))
    return " ".join(plain.split()).upper() == gold


def _sounds(video: Path) -> Sequence[Path]:
    return ()


OMNIVIDEOBENCH: Final = BoardSet(
    name="omnivideobench",
    title=_TITLE,
    variable="AURELIA_OMNIVIDEOBENCH_HOME",
    annotations="data.json",
    hub="NJU-LINK/OmniVideoBench",
    archive="",
    layout="videos/<video>.mp4, such as videos/video_1.mp4",
    licence=_LICENCE,
    items=_items,
    official=is_letter_alone,
    sounds=_sounds,
)
