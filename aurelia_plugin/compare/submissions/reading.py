"""Submissions of strangers: read as data, and refused for what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.data.documents import question_text
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.compare.submissions.record import (
    Submission,
    SubmittedItem,
    digest_of_submission,
    text_digest,
)
from aurelia_plugin.compare.submissions.standing import same_figures
from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.files.records import parse_record, problem_of
from aurelia_plugin.files.regular import read_regular
from aurelia_plugin.files.shown import shown

__all__ = ["Entry", "Refusal", "gold_items", "read_submissions"]

_MOST_BYTES: Final = 256 * 2**20
_SMALL: Final = 1e-6


class Entry(NamedTuple):
    """One submission and its file's name."""

    file: str
    submission: Submission


class Refusal(NamedTuple):
    """A file that is not on the board, and why."""

    file: str
    reason: str


def gold_items(folder: Path) -> dict[str, Item]:
    """Return the items of a benchmark's folder by id.

    Raises:
        ConfigError: it holds no manifest that can be read.
    """
    return {item.id: item for item in read_items(folder / MANIFEST)}


def read_submissions(
    folder: Path, gold: Mapping[str, Item] | None = None
) -> tuple[list[Entry], list[Refusal]]:
    """Return the submissions in a folder, in the order of their files' names.

    Args:
        folder: its `.json` files are looked at, not those of folders in it.
        gold: items by id, if answers are to be read and scored again.

    Raises:
        ConfigError: there is no such folder, or no file in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: is no folder.", "Name the folder with the submissions.")
    files = sorted(folder.glob("*.json"))
    if not files:
        raise ConfigError(
            f"{folder}: holds no submission.",
            "Make one with: aurelia export submission RUN --to FOLDER/NAME.json",
        )
    entries: list[Entry] = []
    refusals: list[Refusal] = []
    known: dict[str, str] = {}
    for path in files:
        try:
            submission = _read(path, gold)
        except ValueError as error:
            refusals.append(Refusal(shown(path.name), problem_of(error)))
            continue
        first = known.setdefault(submission.digest, path.name)
        if first != path.name:
            refusals.append(Refusal(shown(path.name), f"is {shown(first)} once more"))
            continue
        entries.append(Entry(shown(path.name), submission))
    return entries, refusals


def _read(path: Path, gold: Mapping[str, Item] | None) -> Submission:
    """Return the submission in a file; ValueError says why it is none."""
    try:
        content = read_regular(path, _MOST_BYTES)
    except MediaError as error:
        raise ValueError(f"cannot be read: {error.cause}") from error
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error
    submission = parse_record(Submission, content)
    if digest_of_submission(json.loads(content)) != submission.digest:
        raise ValueError("was changed after it was exported: its digest is another one")
    names = [(item.id, item.column) for item in submission.items]
    if len(set(names)) < len(names):
        raise ValueError("answers a question twice")
    if not same_figures(submission):
        raise ValueError("states figures that are not those of its answers")
    for item in submission.items:
        if item.failed == "target" and item.score > 0:  # agents may fail, and the target answer
            raise ValueError(f"item {shown(item.id)} was not answered and has a score")
        if gold is not None:
            _require_score(item, gold)
    return submission


def _require_score(item: SubmittedItem, gold: Mapping[str, Item]) -> None:
    """Raise ValueError where an answer, read again, does not give the score that is stated."""
    if "(per candidate)" in item.column:
        return  # its ratings are not one reply that could be read again
    own = gold.get(item.id)
    if own is None:
        raise ValueError(f"item {shown(item.id)} is none of the benchmark's")
    if text_digest(question_text(own), own.answer) != item.text:
        raise ValueError(f"item {shown(item.id)} asks something else than the benchmark")
    again = score_item(own, item.answer)["score"]
    if abs(again - item.score) > _SMALL:
        raise ValueError(
            f"item {shown(item.id)} states a score of {item.score:g}, and its answer has {again:g}"
        )
