"""Steps that were made before: a traces folder, a Hugging Face data set, a field of the items."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record, problem_of
from aurelia_plugin.files.storable import Plain
from aurelia_plugin.reasoning.injection import Reasoning
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import MadeBy, Trace
from aurelia_plugin.traces.datasets import parquet_files, read_table
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Place", "open_precomputed", "read_row", "reasoning_of"]

LookUp = Callable[[Question], "Reasoning | None"]

_UNFINISHED: Final = ("failed", "over_budget", "unreadable")

_FORMS: Final = "Set precomputed= to a traces folder, hf:DATASET or field:NAME."
_COLUMNS: Final = ("question_key", "steps", "step_answers", "stop")
_ROW_FIX: Final = (
    "Correct the row: question_key is a text; steps and step_answers are lists of as many texts, "
    "or texts with an entry per line."
)

Texts = list[Plain] | Plain | None
"""A list of texts, a text with an entry per line, or nothing."""

_TEXTS: Final = TypeAdapter[Texts](Texts, config=ConfigDict(strict=True))


class _Row(Record):
    """A row of a table of steps."""

    model_config = ConfigDict(strict=True, extra="ignore")

    question_key: str | None = None
    steps: Texts
    step_answers: Texts = None
    stop: str | None = None


class Place(NamedTuple):
    """Where a row stands in a table."""

    split: int
    row: int


def open_precomputed(source: str | None) -> LookUp:
    """Return what finds a question's steps.

    Args:
        source: `DIR` (a traces folder, or parquet files with the columns of a data set), `hf:ID`
            (a data set with the columns `question_key`, `steps` and, if there are any,
            `step_answers`), or `field:NAME` (a field of the items).
            Steps are a list of texts, or one text with a step per line.

    Raises:
        ConfigError: if the source does not exist, holds several answers for one question, or a
            row that is none; the message names it.
    """
    if not source:
        raise ConfigError("condition=precomputed, and precomputed is not set.", _FORMS)
    kind, _, name = source.partition(":")
    if kind == "field" and name:
        return lambda question: _from_field(question, name)
    return _from_table(source) if kind == "hf" and name else _from_folder(source)


def _from_field(question: Question, name: str) -> Reasoning | None:
    try:
        steps = _entries(_TEXTS.validate_python((question.fields or {}).get(name)))
    except ValidationError as error:
        raise ConfigError(
            f"precomputed=field:{name}: {question.id}: {problem_of(error)}",
            f"Correct the item's {name}: a list of texts, or a text with a step per line.",
        ) from error
    kept = tuple(step for step in steps if step)
    return Reasoning(kept) if kept else None


def _entries(value: Texts) -> tuple[str, ...]:
    """Return the entries of a list, or the lines of a text, without spaces around them."""
    lines = value.splitlines() if isinstance(value, str) else value or []
    return tuple(line.strip() for line in lines)


def _from_folder(source: str) -> LookUp:
    folder = Path(source).expanduser()
    if not (folder / "traces").is_dir():
        if folder.is_dir() and parquet_files(folder):
            return _from_table(source)
        raise ConfigError(f"precomputed={source}: not a traces folder.", _FORMS)
    store = TraceStore(folder, writable=False)
    sampled = list(store.sample())
    if sampled and all(
        trace.made_by == sampled[0].made_by
        and trace.key == trace.made_by.trace_key(trace.question_key)
        for trace in sampled
    ):
        return _by_name(store, sampled[0].made_by, source)
    return _all_read(store, source)


def _by_name(store: TraceStore, made_by: MadeBy, source: str) -> LookUp:
    """Open a trace when its question comes: the name of its file follows from what made it.

    Everything is read only if a question has no trace of that name.
    """

    @functools.cache
    def others() -> LookUp:
        return _all_read(store, source)

    def look_up(question: Question) -> Reasoning | None:
        trace = store.trace(made_by.trace_key(question.key))
        return others()(question) if trace is None else _reasoning(trace)

    return look_up


def _all_read(store: TraceStore, source: str) -> LookUp:
    rows = ((trace.question_key, _reasoning(trace)) for trace in store.traces())
    table = _unambiguous(rows, source)
    return lambda question: table.get(question.key)


def _reasoning(trace: Trace) -> Reasoning:
    return Reasoning(trace.steps, trace.step_answers)


def _from_table(source: str) -> LookUp:
    """Keep the rows where they are, and only where each question's row is in memory."""
    try:
        splits = read_table(source, _COLUMNS)
    except ConfigError as error:
        raise ConfigError(f"precomputed={error.what}", error.fix) from error

    def rows() -> Iterator[tuple[Place, _Row]]:
        for number, split in enumerate(splits):
            for index, row in enumerate(split):
                yield Place(number, index), read_row(row, Place(number, index), source)

    def reasoning(place: Place) -> Reasoning:
        row = read_row(splits[place.split][place.row], place, source)
        return reasoning_of(row, place, source)

    places: dict[str, Place] = {}
    for place, row in rows():
        if row.stop in _UNFINISHED:
            continue
        if row.question_key is None:
            raise _bad_row(source, place, "question_key: is missing")
        own = reasoning_of(row, place, source)
        first = places.setdefault(row.question_key, place)
        if first != place and reasoning(first) != own:
            raise _ambiguous(source)

    def look_up(question: Question) -> Reasoning | None:
        place = places.get(question.key)
        return None if place is None else reasoning(place)

    return look_up


def read_row(row: object, place: Place, source: str) -> _Row:
    """Return a row of a table.

    Raises:
        ConfigError: it is none; the message names the source and the row.
    """
    try:
        return _Row.model_validate(row)
    except ValidationError as error:
        raise _bad_row(source, place, problem_of(error)) from error


def reasoning_of(row: _Row, place: Place, source: str) -> Reasoning:
    """Return a row's steps that are not blank, with their answers.

    Raises:
        ConfigError: there are more or fewer answers than steps.
    """
    steps, answers = _entries(row.steps), _entries(row.step_answers)
    if answers and len(answers) != len(steps):
        raise _bad_row(source, place, f"{len(steps)} steps, and {len(answers)} answers to them")
    kept = [index for index, step in enumerate(steps) if step]
    return Reasoning(
        tuple(steps[index] for index in kept),
        tuple(answers[index] for index in kept) if answers else (),
    )


def _bad_row(source: str, place: Place, cause: str) -> ConfigError:
    return ConfigError(
        f"precomputed={source}, split {place.split}, row {place.row}: {cause}", _ROW_FIX
    )


def _unambiguous(rows: Iterable[tuple[str, Reasoning]], source: str) -> dict[str, Reasoning]:
    table: dict[str, Reasoning] = {}
    for key, reasoning in rows:
        if table.setdefault(key, reasoning) != reasoning:
            raise _ambiguous(source)
    return table


def _ambiguous(source: str) -> ConfigError:
    return ConfigError(
        f"precomputed={source}: different steps for one question (made with other agents, "
        "prompts or settings).",
        "Name a folder or data set that was made by one configuration.",
    )
