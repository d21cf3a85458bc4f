"""Steps that were made before: a traces folder, a Hugging Face data set, a field of the items."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from itertools import repeat
from pathlib import Path
from typing import Any

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.injection import Reasoning
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import MadeBy, Trace
from aurelia_plugin.traces.datasets import parquet_files, read_table
from aurelia_plugin.traces.store import TraceStore

__all__ = ["open_precomputed"]

LookUp = Callable[[Question], "Reasoning | None"]

_UNFINISHED = ("failed", "over_budget", "unreadable")

_FORMS = "Set precomputed= to a traces folder, hf:DATASET or field:NAME."


def open_precomputed(source: str | None) -> LookUp:
    """Return what finds a question's steps.

    Args:
        source: `DIR` (a traces folder, or parquet files with the columns of a data set), `hf:ID`
            (a data set with the columns `question_key`, `steps` and, if there are any,
            `step_answers`), or `field:NAME` (a field of the items).
            Steps are a list of texts, or one text with a step per line.

    Raises:
        ConfigError: if the source does not exist, or holds several answers for one question.
    """
    if not source:
        raise ConfigError("condition=precomputed, and precomputed is not set.", _FORMS)
    kind, _, name = source.partition(":")
    if kind == "field" and name:
        return lambda question: _from_field(question, name)
    return _from_table(source) if kind == "hf" and name else _from_folder(source)


def _from_field(question: Question, name: str) -> Reasoning | None:
    steps = _texts((question.fields or {}).get(name))
    return Reasoning(steps) if steps else None


def _texts(value: Any) -> tuple[str, ...]:
    """Return the entries of a list, or the lines of a text, that are not blank."""
    lines = value.splitlines() if isinstance(value, str) else list(value or [])
    return tuple(str(line).strip() for line in lines if str(line).strip())


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
        splits = read_table(source, ("question_key", "steps", "step_answers", "stop"))
    except ConfigError as error:
        raise ConfigError(f"precomputed={error.what}", error.fix) from error
    places: dict[str, tuple[int, int]] = {}

    def reasoning(number: int, index: int) -> Reasoning:
        row = splits[number][index]
        return Reasoning(_texts(row["steps"]), tuple(row.get("step_answers") or ()))

    for number, split in enumerate(splits):
        stops = split["stop"] if "stop" in split.column_names else repeat("")
        for index, (key, stop) in enumerate(zip(split["question_key"], stops, strict=False)):
            if stop in _UNFINISHED or key is None:
                continue
            first = places.setdefault(key, (number, index))
            if first != (number, index) and reasoning(*first) != reasoning(number, index):
                raise _ambiguous(source)

    def look_up(question: Question) -> Reasoning | None:
        place = places.get(question.key)
        return None if place is None else reasoning(*place)

    return look_up


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
