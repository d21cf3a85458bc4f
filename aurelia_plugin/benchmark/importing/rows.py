"""Rows of questions as the official pipeline and common variants write them: JSON or CSV.

A value is taken as it stands. What is no text where one has to be, or comes twice, is refused with
its file and place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from aurelia_plugin.benchmark.data.csv_rows import CSV_ENDINGS
from aurelia_plugin.benchmark.data.items import COLUMNS, CUSTOM
from aurelia_plugin.benchmark.importing.options import (
    NO_OPTIONS,
    Options,
    parsed_text,
    read_options,
    scalar_text,
)
from aurelia_plugin.benchmark.importing.own_data import clip_of, option_cells
from aurelia_plugin.benchmark.importing.row_files import RawRow, read_raw
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.shown import shown

__all__ = ["Row", "column_of", "read_rows"]

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "question_id", "qid", "sample_id"),
    "question": ("query", "question", "prompt"),
    "answer": ("answer", "gt_answer", "gt", "ground_truth", "label", "anser"),
    "options": ("options", "choices"),
    "references": ("references", "answers"),
    "video": ("video_path", "video"),
    "audio": ("audio_path", "audio"),
    "audios": ("audio_paths", "audios"),
    "column": ("column", "task", "task_name", "subset"),
    "category": ("category", "question_category"),
    "answer_kind": ("answer_kind", "answer_type"),
    "reasoning_steps": ("reasoning_steps", "reasoning", "steps"),
}
_COLUMNS: Final = {
    **{column.replace("_", ""): column for column in COLUMNS},
    **{"avcaptioning": "captioning", "valor": "captioning", "avgeoiq": "geoiq"},
    **{"avcompositional": "compositional", "avcomp": "compositional", "avmeme": "meme"},
    **dict.fromkeys(("custom", "own", "owndata"), CUSTOM),
    **{"dmmatch": "dm_match", "avdancematch": "dm_match", "dancematch": "dm_match"},
}


@dataclass(frozen=True)
class Row:
    """One question as a source has it; what is empty is not there.

    Attributes:
        file: where it stands.
        number: of the line (JSON lines, CSV) or of the entry (JSON), from 1.
        id: the source's, else made of the file's name and the number.
        audio: one separate sound.
        audios: several.
    """

    file: Path
    number: int
    id: str
    question: str = ""
    answer: str = ""
    column: str = ""
    category: str = ""
    options: Options = NO_OPTIONS
    references: tuple[str, ...] = ()
    video: str = ""
    audio: str = ""
    audios: tuple[str, ...] = ()
    reasoning_steps: tuple[str, ...] = ()
    answer_kind: str = ""

    @property
    def place(self) -> str:
        """Where the question stands: the file, and its line or entry."""
        return f"{self.file}:{self.number}"

    @property
    def media(self) -> tuple[str, ...]:
        """The names of all media, with forward slashes."""
        names = (self.video, self.audio, *self.audios)
        return tuple(name.replace("\\", "/") for name in names if name)

    def filled(self, other: Row | None) -> Row:
        """Return the row with the other's fields where it has none itself."""
        if other is None:
            return self
        return replace(
            self,
            question=self.question or other.question,
            answer=self.answer or other.answer,
            column=self.column or other.column,
            category=self.category or other.category,
            options=self.options if self.options.texts else other.options,
            references=self.references or other.references,
            video=self.video or other.video,
            audio=self.audio or other.audio,
            audios=self.audios or other.audios,
            reasoning_steps=self.reasoning_steps or other.reasoning_steps,
            answer_kind=self.answer_kind or other.answer_kind,
        )

    def placed(self, column: str | None, category: str | None) -> Row:
        """Return the row with this column and category where it has none itself."""
        return replace(
            self,
            column=self.column or column_of(column or ""),
            category=self.category or category or "",
        )


def column_of(text: str) -> str:
    """Return a benchmark's column by one of its names; another text stays as it is."""
    return _COLUMNS.get(re.sub(r"[^a-z]", "", text.lower()), text)


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a file, or of the files of a folder, with ids that differ.

    In a folder the JSON files count, at any depth; if there are none, tables (CSV, JSON lines)
    that lie in it.

    Raises:
        ConfigError: it cannot be read, holds no rows, or an id twice; the message names the file
            and, where there is one, the row.
    """
    folder = path if path.is_dir() else None
    files = [path] if folder is None else _files(folder)
    rows = [_row(file, raw) for file in files for raw in read_raw(file, folder, _NAMES["question"])]
    if not rows:
        raise _no_questions(path, files)
    if folder is not None:  # the same id in two files: the files' names tell them apart
        counts = Counter(row.id for row in rows)
        rows = [
            replace(row, id=f"{_name_below(folder, row.file)}-{row.id}")
            if counts[row.id] > 1
            else row
            for row in rows
        ]
    _require_ids(rows)
    return rows


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.json"))
    endings = {*CSV_ENDINGS, ".jsonl"}
    tables = (path for path in folder.iterdir() if path.suffix.lower() in endings)
    return found or sorted(tables)


def _no_questions(path: Path, files: Sequence[Path]) -> ConfigError:
    if not files:
        return ConfigError(
            f"{path}: holds no questions: no .json file, and no table (.csv, .tsv, .jsonl) beside "
            "its folders.",
            "Put a questions.csv with the columns question, file and answer into it.",
        )
    names = ", ".join(map(str, files[:3]))
    return ConfigError(
        f"{names}: holds no questions.",
        "Write a head (question,file,A,B,answer,category) and a line for each question.",
    )


def _name_below(folder: Path, file: Path) -> str:
    return "-".join(file.relative_to(folder).with_suffix("").parts)


def _require_ids(rows: Iterable[Row]) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.id, row)
        if other is not row:
            raise ConfigError(
                f"{row.place}: id {shown(row.id)!r} is that of {other.place} already: which "
                "question is meant cannot be told.",
                "Give every question an id of its own.",
            )


def _row(file: Path, raw: RawRow) -> Row:
    named = _by_name(raw.fields)
    found = {
        field: next((named[name] for name in names if _there(named.get(name))), None)
        for field, names in _NAMES.items()
    }
    field = ""
    try:
        texts = {}
        for field in ("id", "question", "answer", "column", "category", "video", "answer_kind"):
            texts[field] = scalar_text(_single(found[field]))
        lists = {}
        for field in ("references", "reasoning_steps", "audio", "audios"):
            lists[field] = _texts(found[field], in_order=field.startswith("audio"))
        field = "options"
        options = read_options(found["options"] or option_cells(raw.fields))
    except ValueError as error:
        raise ConfigError(
            f"{file}:{raw.number}: {field}: {shown(error)}", f"Correct {field} there."
        ) from error
    sounds, audio = lists["audios"], lists["audio"]
    clip = clip_of(named)
    if not (texts["video"] or audio or sounds):
        texts["video"], audio = clip.video, tuple(filter(None, (clip.audio,)))
    return Row(
        file=file,
        number=raw.number,
        id=texts["id"] or f"{file.stem}-{raw.number:04d}",
        question=texts["question"],
        answer=texts["answer"],
        column=column_of(texts["column"]),
        category=texts["category"],
        options=options,
        references=lists["references"],
        video=texts["video"],
        audio=audio[0] if len(audio) == 1 else "",
        audios=audio if len(audio) > 1 else sounds,
        reasoning_steps=lists["reasoning_steps"],
        answer_kind=texts["answer_kind"],
    )


def _by_name(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the fields by their names in small letters; a name that is so written comes first."""
    folded = {key.strip().lower().replace(" ", "_"): value for key, value in fields.items()}
    return {**folded, **fields}


def _there(value: JsonValue) -> bool:
    return value not in (None, "", [], {})


def _single(value: JsonValue) -> JsonValue:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _texts(value: JsonValue, *, in_order: bool) -> tuple[str, ...]:
    """Return the texts of a list, an object's values, a text's parts between `|`, or its lines.

    Args:
        value: of a field.
        in_order: whether an empty text has a place of its own, and is refused.
    """
    value = parsed_text(value) if isinstance(value, str) else value
    parts: Sequence[JsonValue]
    if isinstance(value, str):
        parts = value.split("|") if "|" in value else value.splitlines()
    elif isinstance(value, dict):
        parts = list(value.values())
    else:
        parts = value if isinstance(value, list) else [value]
    texts = [scalar_text(part) for part in parts]
    if in_order and len(texts) > 1 and not all(texts):
        raise ValueError(f"entry {texts.index('') + 1} is empty")
    return tuple(text for text in texts if text)
