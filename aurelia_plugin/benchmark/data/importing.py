"""Read what the official pipeline and common variants write, as items of a manifest.

The official code writes `{"query", "video_path", "audio_path", "reasoning_steps"}` per question:
no answer, no column, no category. What is missing is never guessed: it is asked for.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from aurelia_plugin.benchmark.data.items import COLUMNS, Item, Source
from aurelia_plugin.benchmark.reading import as_choice
from aurelia_plugin.benchmark.sources.draft import Draft, cause_of
from aurelia_plugin.errors import ConfigError

__all__ = ["Raw", "drafts_of", "missing_fields", "read_rows", "write_form"]

Raw = dict[str, Any]

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
    "reasoning_steps": ("reasoning_steps", "reasoning", "steps"),
}
_LISTS: Final = ("options", "references", "audios", "reasoning_steps")
_REQUIRED: Final = ("question", "answer", "column", "category")
_FORM: Final = ("id", "question", "answer", "options", "column", "category")
_COLUMNS: Final = {
    **{column.replace("_", ""): column for column in COLUMNS},
    **{"avcaptioning": "captioning", "valor": "captioning", "avgeoiq": "geoiq"},
    **{"avcompositional": "compositional", "avcomp": "compositional", "avmeme": "meme"},
    **{"dmmatch": "dm_match", "avdancematch": "dm_match", "dancematch": "dm_match"},
}
_FIX: Final = "Name a .json, .jsonl or .csv file, or a folder of .json files."


def read_rows(path: Path) -> list[Raw]:
    """Return the rows of a file or folder under this package's names of the fields.

    Raises:
        ConfigError: it cannot be read or holds no rows; the message names the file.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    rows = [_named(row, file, n) for file in files for n, row in enumerate(_content(file), 1)]
    if not rows:
        raise ConfigError(f"{path}: holds no questions.", _FIX)
    counts = Counter(row["id"] for row in rows)
    if path.is_dir():  # the same id in two files: the files' names tell them apart
        for row in rows:
            if counts[row["id"]] > 1:
                row["id"] = f"{row['file'].stem}-{row['id']}"
    return rows


def _content(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                return [dict(row) for row in csv.DictReader(file)]
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".jsonl":
            value: Any = [json.loads(line) for line in text.split("\n") if line.strip()]
        else:
            value = json.loads(text)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", _FIX) from error
    if isinstance(value, dict) and not any(name in value for name in _NAMES["question"]):
        # A dictionary of id -> row, or one list under a name of its own.
        inner = list(value.values())
        if len(inner) == 1 and isinstance(inner[0], list):
            value = inner[0]
        else:
            value = [{"id": key, **row} for key, row in value.items() if isinstance(row, dict)]
    value = [value] if isinstance(value, dict) else value
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ConfigError(f"{path}: is not a list of questions.", _FIX)
    return value


def _named(row: Mapping[str, Any], file: Path, number: int) -> Raw:
    found: Raw = {"file": file}
    for field, names in _NAMES.items():
        value = next((row[name] for name in names if row.get(name) not in (None, "", [])), None)
        if value is not None:
            found[field] = _list(value) if field in _LISTS else str(value).strip()
    column = re.sub(r"[^a-z]", "", found.get("column", "").lower())
    if column:
        found["column"] = _COLUMNS.get(column, found["column"])
    found.setdefault("id", f"{file.stem}-{number:04d}")
    return found


def _list(value: Any) -> list[str]:
    """Return a list of texts from a list, dictionary, its text, or lines or `|` in a text."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("[", "{"):
            try:
                value = ast.literal_eval(value)
            except (ValueError, SyntaxError, RecursionError, MemoryError):  # too deeply nested
                value = [value]
        else:
            value = value.split("|") if "|" in value else value.splitlines()
    if isinstance(value, Mapping):
        value = list(value.values())
    texts = [str(text).strip() for text in (value if isinstance(value, list | tuple) else [value])]
    return [text for text in texts if text]


def missing_fields(rows: Iterable[Raw]) -> Counter[str]:
    """Return how many rows lack each field that an item must have."""
    return Counter(field for row in rows for field in _REQUIRED if not row.get(field))


def write_form(path: Path, rows: Iterable[Raw]) -> None:
    """Write a CSV file to fill in: one row per question, with what is known."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _FORM)
        writer.writeheader()
        for row in rows:
            known = {field: row.get(field, "") for field in _FORM}
            writer.writerow({**known, "options": "|".join(known["options"] or ())})


def drafts_of(rows: Iterable[Raw], dataset: str) -> list[Draft]:
    """Return items whose media are still to be found.

    Raises:
        ConfigError: a row is no item; the message names file and id.
    """
    return [_draft(row, dataset) for row in rows]


def _draft(row: Raw, dataset: str) -> Draft:
    places: dict[str, str] = {}

    def place(name: str) -> str:
        target = f"media/{row['column']}/{re.sub(r'[^A-Za-z0-9_.-]', '_', row['id'])}-"
        target += Path(name.replace("\\", "/")).name
        places[target] = name.replace("\\", "/")
        return target

    options = tuple(re.sub(r"^\(?[A-Z][.):]\s+", "", text) for text in row.get("options", ()))
    answer = row["answer"]
    if options:
        letters = {chr(ord("A") + place): text for place, text in enumerate(options)}
        answer = as_choice(answer, letters).value or answer
    sounds = row.get("audios", [])
    if row.get("audio") and len(_list(row["audio"])) > 1:
        sounds = _list(row.pop("audio"))
    try:
        item = Item(
            id=row["id"],
            column=row["column"],
            category=row["category"],
            question=row["question"],
            options=options or None,
            answer=answer,
            references=tuple(row.get("references", ())),
            video=place(row["video"]) if row.get("video") else None,
            audio=place(row["audio"]) if row.get("audio") else None,
            audios=tuple(place(name) for name in sounds),
            source=Source(dataset=dataset, id=row["id"]),
            reasoning_steps=tuple(row["reasoning_steps"]) if row.get("reasoning_steps") else None,
        )
    except ValidationError as error:
        raise ConfigError(
            f"{row['file']}: question {row['id']}: {cause_of(error)}",
            "Correct the question there, or in the file given with --fill.",
        ) from error
    return Draft(item, places)
