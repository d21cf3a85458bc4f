"""MUSIC-AVQA (GeWu-Lab): questions made from templates, one of 42 answers.

`type` and `templ_values` are JSON texts inside the JSON, the answer's key is spelled `anser`, and
some questions end in a full-width mark or spaces. (video_id, question_id) is unique in the updated
file; in the original one 55 keys come twice with different answers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, Json, JsonValue

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.sources.draft import (
    Draft,
    Reading,
    bad_file,
    media_place,
    parsed,
    read_json,
)
from aurelia_plugin.files.records import problem_of

__all__ = ["Question", "fill", "read", "read_questions"]

_WANTED: Final = "MUSIC-AVQA's data/json_update/avqa-test.json"
_SLOT: Final = re.compile(r"<[A-Za-z]+>")
_DATASET: Final = "MUSIC-AVQA"


def fill(template: str, values: Sequence[str]) -> str:
    """Return a question: slots filled from left to right, marks and spaces cleaned.

    Underscores of the values become spaces ("acoustic guitar").

    Raises:
        ValueError: there are more or fewer values than slots.
    """
    slots = _SLOT.findall(template)
    if len(slots) != len(values):
        raise ValueError(f"{len(slots)} slots for {len(values)} values in {template!r}")
    waiting = iter(values)
    text = _SLOT.sub(lambda _: next(waiting).replace("_", " "), template)
    text = " ".join(text.replace("\uff1f", "?").split())
    return re.sub(r"\s+([?.,])", r"\1", text)


def _text(value: object) -> object:
    """Return a number as text: some files have ids as numbers."""
    return str(value) if isinstance(value, int | float) else value


_Text = Annotated[str, BeforeValidator(_text)]


class _Row(BaseModel):
    video_id: _Text
    question_id: _Text
    question_deleted: bool | int | None = None
    anser: _Text | None = None


class Question(BaseModel):
    """What a row has that is not deleted."""

    video_id: _Text
    question_id: _Text
    question_content: str
    templ_values: Json[list[str]]
    type: Json[list[str]]
    anser: _Text


def read(path: Path, licence: str) -> Reading:
    """Read the annotation file.

    Rows are those of `read_questions`.

    Raises:
        ConfigError: the file is not in this form; the message names the row.
    """
    questions, notes = read_questions(path)
    drafts = []
    for row in questions:
        try:
            drafts.append(_draft(row, licence))
        except ValueError as error:
            where = _where(row.video_id, row.question_id)
            raise bad_file(path, f"{where}: {problem_of(error)}", _WANTED) from error
    return Reading(tuple(drafts), notes)


def read_questions(path: Path) -> tuple[tuple[Question, ...], tuple[str, ...]]:
    """Return the rows of the annotation file that can be used, and what was left out.

    Rows marked as deleted are left out. Of rows with the same key and answer the first is kept;
    rows with the same key and different answers are all left out, since none is known to be right.

    Raises:
        ConfigError: the file is not in this form; the message names the row.
    """
    rows = read_json(path, _WANTED)
    if not isinstance(rows, list) or not rows:
        raise bad_file(path, "is not a list of rows", _WANTED)
    groups: dict[tuple[str, str], list[JsonValue]] = defaultdict(list)
    answers: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    deleted = 0
    for number, value in enumerate(rows):
        row = parsed(_Row, value, path, f"row {number}", _WANTED)
        if row.question_deleted:
            deleted += 1
        else:
            groups[row.video_id, row.question_id].append(value)
            answers[row.video_id, row.question_id].add(row.anser)
    notes = [f"{deleted} rows are marked as deleted and left out"] if deleted else []
    questions = []
    for (video, question), group in groups.items():
        where = _where(video, question)
        if len(answers[video, question]) > 1:
            notes.append(f"{where}: answers differ; left out")
            continue
        questions.append(parsed(Question, group[0], path, where, _WANTED))
    return tuple(questions), tuple(notes)


def _where(video: str, question: str) -> str:
    return f"video {video}, question {question}"


def _draft(row: Question, licence: str) -> Draft:
    name = f"{row.video_id}.mp4"
    place = media_place("music_avqa", name)
    item = Item(
        id=f"music_avqa-{row.video_id}-{row.question_id}",
        column="music_avqa",
        category="Musical performances",
        question=fill(row.question_content, row.templ_values),
        answer=row.anser.replace("_", " "),
        video=place,
        source=Source(dataset=_DATASET, id=f"{row.video_id}/{row.question_id}", licence=licence),
        question_type=" ".join(row.type),
    )
    return Draft(item, {place: name})
