"""Read what the official pipeline and common variants write, as items of a manifest.

The official code writes `{"query", "video_path", "audio_path", "reasoning_steps"}` per question:
no answer, no column, no category. What is missing is never guessed: it is asked for.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_uppercase
from typing import Final, get_args

from aurelia_plugin.benchmark.data.items import CUSTOM, Item, OpenAnswer, Source
from aurelia_plugin.benchmark.importing.options import letter_of
from aurelia_plugin.benchmark.importing.own_data import UNCATEGORISED, open_answer
from aurelia_plugin.benchmark.importing.rows import Row, read_rows
from aurelia_plugin.benchmark.reading import as_choice
from aurelia_plugin.benchmark.sources.draft import Draft, unique_place
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.escaping import for_csv
from aurelia_plugin.files.records import problem_of
from aurelia_plugin.files.shown import shown

__all__ = [
    "Row",
    "as_own_data",
    "drafts_of",
    "lost_options",
    "missing_fields",
    "read_rows",
    "write_form",
]

_REQUIRED: Final = ("question", "answer", "column", "category")
_SHOWN: Final = 20
_FORM: Final = ("id", "question", "answer", "options", "column", "category")


def as_own_data(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with the column `custom` where no row names a column and nothing is missing.

    What the official pipeline writes has no answers, and is asked for its columns. Questions of
    the column `custom` without a category are given one that says so.
    """
    named = any(row.column for row in rows)
    whole = all(row.question and row.answer for row in rows)
    if not named and whole:
        rows = [replace(row, column=CUSTOM) for row in rows]
    return [
        replace(row, category=UNCATEGORISED) if row.column == CUSTOM and not row.category else row
        for row in rows
    ]


def lost_options(row: Row) -> bool:
    """Return whether an own question without options is answered by a letter, as choices are."""
    return row.column == CUSTOM and not row.options.texts and row.answer in set(ascii_uppercase[:8])


def missing_fields(rows: Iterable[Row]) -> Counter[str]:
    """Return how many rows lack each field that an item must have."""
    return Counter(field for row in rows for field in _REQUIRED if not getattr(row, field))


def write_form(path: Path, rows: Iterable[Row]) -> None:
    """Write a CSV file to fill in: one row per question, with what is known."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _FORM)
        writer.writeheader()
        for row in rows:
            known = {field: str(getattr(row, field)) for field in _FORM}
            known["options"] = "|".join(row.options.texts)
            writer.writerow({field: for_csv(value) for field, value in known.items()})


def drafts_of(rows: Iterable[Row], dataset: str) -> list[Draft]:
    """Return items whose media are still to be found.

    Raises:
        ConfigError: rows are no items; the message names file, row and id of each.
    """
    drafts: list[Draft] = []
    faults: list[str] = []
    for row in rows:
        try:
            drafts.append(_draft(row, dataset))
        except ValueError as error:
            faults.append(f"{row.place}: question {shown(row.id)}: {problem_of(error)}")
    if faults:
        if len(faults) > _SHOWN:
            faults[_SHOWN:] = [f"and {len(faults) - _SHOWN} more"]
        raise ConfigError(
            "\n".join(faults), "Correct the question there, or in the file given with --fill."
        )
    return drafts


def _draft(row: Row, dataset: str) -> Draft:
    places: dict[str, str] = {}

    def place(name: str) -> str:
        name = name.replace("\\", "/")
        target = unique_place(row.column, row.id, name)
        places[target] = name
        return target

    item = Item(
        id=row.id,
        column=row.column,
        category=row.category,
        question=row.question,
        options=row.options.texts or None,
        answer=_answer(row),
        references=row.references,
        video=place(row.video) if row.video else None,
        audio=place(row.audio) if row.audio else None,
        audios=tuple(place(name) for name in row.audios),
        source=Source(dataset=dataset, id=row.id),
        reasoning_steps=row.reasoning_steps or None,
        answer_kind=_answer_kind(row),
    )
    return Draft(item, places)


def _answer_kind(row: Row) -> OpenAnswer | None:
    if row.column != CUSTOM or row.options.texts:
        return None
    given = row.answer_kind.strip().lower().replace("/", "_").replace(" ", "_").replace("-", "_")
    if not given:
        return open_answer(row.answer)
    kinds: tuple[OpenAnswer, ...] = get_args(OpenAnswer)
    if given not in kinds:
        raise ValueError(f"answer_kind {shown(given)!r} is not one of {', '.join(kinds)}")
    return next(kind for kind in kinds if kind == given)


def _answer(row: Row) -> str:
    """Return the letter of the right option, or the answer itself where there are none."""
    options, answer = row.options.texts, row.answer
    letter = letter_of(answer, row.options) if options else None
    if options and letter is None:
        lettered = zip(ascii_uppercase, options, strict=False)
        letters = {letter: text for letter, text in lettered if text}
        answer = as_choice(answer, letters).value or answer
        letter = letter_of(answer, row.options)  # it may be one of which the option is not sure
    return letter or answer
