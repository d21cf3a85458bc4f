"""AV-Odyssey in its LMMs-Eval layout: task 16 for DM-Match, task 13 for AV-Meme.

The texts are kept as they are, except that `[audio1]` becomes "Audio 1", as the sounds are named
between them in the prompt, and `[video1]` "the video".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, BeforeValidator

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.importing.options import letter_of, read_options
from aurelia_plugin.benchmark.sources.draft import (
    Draft,
    Reading,
    bad_file,
    media_place,
    parsed,
)
from aurelia_plugin.files.records import problem_of

__all__ = ["read"]

_WANTED: Final = (
    "av_odyssey.parquet of AV-Odyssey/AV_Odyssey_Bench_LMMs_Eval, or a folder of its parquet files"
)
_FIELDS: Final = (
    *("question_id", "question_type_id", "question", "options", "answer"),
    *("video_path", "audio_path"),
)


def _texts(value: object) -> object:
    return () if value is None else value


class _Row(BaseModel):
    question_id: Annotated[str, BeforeValidator(str)]
    question_type_id: int
    question: str
    options: list[str]
    answer: str
    video_path: Annotated[tuple[str, ...], BeforeValidator(_texts)]
    audio_path: Annotated[tuple[str, ...], BeforeValidator(_texts)]


class _Task(NamedTuple):
    number: int
    column: str
    category: str


_TASKS: Final = {
    "dm_match": _Task(16, "dm_match", "Dance performances"),
    "meme": _Task(13, "meme", "Meme and humor"),
}


def read(column: str, path: Path, licence: str) -> Reading:
    """Read the rows of the task that the column is made from.

    Raises:
        ConfigError: the file cannot be read, or has other columns.
    """
    task = _TASKS[column]
    drafts: dict[str, Draft] = {}
    notes = []
    for row in _rows(path, task.number):
        name, videos, sounds = row.question_id, row.video_path, row.audio_path
        if len(videos) != 1 or not sounds:
            notes.append(f"{name}: has {len(videos)} videos and {len(sounds)} sounds; left out")
        elif name in drafts:
            notes.append(f"{name}: comes twice; the first is kept")
        else:
            try:
                drafts[name] = _draft(task, row, licence)
            except ValueError as error:
                raise bad_file(path, f"question {name}: {problem_of(error)}", _WANTED) from error
    return Reading(tuple(drafts.values()), tuple(notes))


def _rows(path: Path, task: int) -> Iterator[_Row]:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise bad_file(path, "holds no parquet file", _WANTED)
    for file in files:
        try:
            absent = set(_FIELDS) - set(parquet.read_schema(file).names)
            if absent:
                raise bad_file(file, f"has no column {', '.join(sorted(absent))}", _WANTED)
            # Only these columns: others may hold gigabytes of media.
            rows = parquet.read_table(file, columns=list(_FIELDS)).to_pylist()
        except (OSError, arrow.ArrowException) as error:
            raise bad_file(file, str(error), _WANTED) from error
        for number, row in enumerate(rows):
            if row["question_type_id"] is not None and int(row["question_type_id"]) == task:
                yield parsed(_Row, row, file, f"row {number}", _WANTED)


def _plain(text: str) -> str:
    text = re.sub(r"\[audio(\d+)\]", r"Audio \1", text)
    return " ".join(re.sub(r"\[video\d+\]", "the video", text).split())


def _draft(task: _Task, row: _Row, licence: str) -> Draft:
    name = row.question_id
    # Names repeat between folders of the source, so the question's id leads.
    places = {
        media_place(task.column, f"{name}-{Path(path).name}"): path
        for path in (*row.video_path, *row.audio_path)
    }
    if len(places) != 1 + len(row.audio_path):
        raise ValueError("two of its media have the same name")
    first, *others = places
    single = len(others) == 1
    options = read_options(list(row.options))
    answer = row.answer.strip().strip("().").upper()
    item = Item(
        id=f"{task.column}-{name}",
        column=task.column,
        category=task.category,
        question=_plain(row.question),
        options=options.texts,
        answer=letter_of(answer, options) or answer,
        video=first,
        audio=others[0] if single else None,
        audios=() if single else tuple(others),
        source=Source(dataset="AV-Odyssey", id=name, licence=licence),
    )
    return Draft(item, places)
