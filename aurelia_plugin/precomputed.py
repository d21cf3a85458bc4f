"""Steps that were made before: a traces folder, a Hugging Face data set, a field of the items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.conditions import Reasoning
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.store import TraceStore

__all__ = ["open_precomputed"]

LookUp = Callable[[Question], "Reasoning | None"]

_FORMS = "Set precomputed= to a traces folder, hf:DATASET or field:NAME."


def open_precomputed(source: str | None) -> LookUp:
    """Return what finds a question's steps.

    Args:
        source: `DIR` (a traces folder), `hf:ID` (a data set with the columns `question_key`,
            `steps` and, if there are any, `step_answers`), or `field:NAME` (a field of the items).
            Steps are a list of texts, or one text with a step per line.

    Raises:
        ConfigError: if the source does not exist, or holds several answers for one question.
    """
    if not source:
        raise ConfigError("condition=precomputed, and precomputed is not set.", _FORMS)
    kind, _, name = source.partition(":")
    if kind == "field" and name:
        return lambda question: _from_field(question, name)
    table = _from_dataset(name) if kind == "hf" and name else _from_folder(source)
    return lambda question: table.get(question.key)


def _from_field(question: Question, name: str) -> Reasoning | None:
    steps = _texts((question.fields or {}).get(name))
    return Reasoning(steps) if steps else None


def _texts(value: Any) -> tuple[str, ...]:
    """Return the entries of a list, or the lines of a text, that are not blank."""
    lines = value.splitlines() if isinstance(value, str) else list(value or [])
    return tuple(str(line).strip() for line in lines if str(line).strip())


def _from_folder(source: str) -> dict[str, Reasoning]:
    folder = Path(source).expanduser()
    if not (folder / "traces").is_dir():
        raise ConfigError(f"precomputed={source}: not a traces folder.", _FORMS)
    rows = (
        (trace.question_key, Reasoning(trace.steps, trace.step_answers))
        for trace in TraceStore(folder, writable=False).traces()
    )
    return _unambiguous(rows, source)


def _from_dataset(name: str) -> dict[str, Reasoning]:
    import datasets

    try:
        loaded: Any = datasets.load_dataset(name)
    except (OSError, ValueError) as error:
        raise ConfigError(f"precomputed=hf:{name}: {error}", _FORMS) from error
    splits = list(loaded.values())
    missing = {"question_key", "steps"} - set(splits[0].column_names)
    if missing:
        raise ConfigError(
            f"precomputed=hf:{name}: the data set lacks {', '.join(sorted(missing))}.",
            "It needs the columns question_key and steps.",
        )
    rows = (
        (row["question_key"], Reasoning(_texts(row["steps"]), tuple(row.get("step_answers") or ())))
        for split in splits
        for row in split
    )
    return _unambiguous(rows, f"hf:{name}")


def _unambiguous(rows: Iterable[tuple[str, Reasoning]], source: str) -> dict[str, Reasoning]:
    table: dict[str, Reasoning] = {}
    for key, reasoning in rows:
        if table.setdefault(key, reasoning) != reasoning:
            raise ConfigError(
                f"precomputed={source}: different steps for one question (made with other agents, "
                "prompts or settings).",
                "Name a folder or data set that was made by one configuration.",
            )
    return table
