"""The harness's log of samples: which files belong to a run, and what they say of each item."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aurelia_plugin.benchmark.data.candidates import outcomes
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import problem_of
from aurelia_plugin.files.storable import Plain
from aurelia_plugin.files.text_lines import Line, LineError, read_lines

__all__ = ["Sample", "read_samples", "run_files"]

_FILE: Final = re.compile(r"(?P<date>\d{8}_\d{6})_samples_(?P<task>.+)\.jsonl$")


class Sample(NamedTuple):
    """One scored item."""

    item: str
    column: str
    category: str
    video: str
    score: float
    accuracy: float
    unparsed: float
    way: str | None = None
    judged: float | None = None
    judge_failed: bool = False
    judge: str | None = None


_Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class _Logged(BaseModel):
    """Part of a log's line; the harness and other metrics write more."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Rating(_Logged):
    """What one candidate's reply gives: see `data.candidates`."""

    question: Plain
    candidate: int
    rating: int | None
    right: bool


class _Judge(_Logged):
    service: Plain
    model: Plain


class _Kind(_Logged):
    """What tells the lines of this package's tasks from those of others."""

    item: object = None
    column: object = None
    category: object = None

    @property
    def is_ours(self) -> bool:
        """Whether two of the three are there, so that a damaged line is still known."""
        return [self.item, self.column, self.category].count(None) < 2


class _Row(_Logged):
    item: Plain
    column: Plain
    category: Plain
    video: Plain
    score: _Share | _Rating
    accuracy: _Share | _Rating
    unparsed: _Share | _Rating
    way: Plain | None = None
    judged: _Share | None = None
    judge_failures: _Share | None = None
    judge: _Judge | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> _Row:
        kinds = {isinstance(value, _Rating) for value in (self.score, self.accuracy, self.unparsed)}
        if len(kinds) > 1:
            raise ValueError("score, accuracy and unparsed are numbers and ratings")
        if isinstance(self.score, _Rating) and self.score.question != self.item:
            raise ValueError("the rating is of another question than the item")
        return self


def run_files(folder: Path, date: str | None) -> tuple[list[Path], list[str]]:
    """Return the files of a run, and the dates of the other runs in the folder.

    Args:
        date: of the run, as its files' names begin; the latest run if None.

    Raises:
        ConfigError: the folder holds several models' samples, or no run of that date.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*_samples_*.jsonl")):
        match = _FILE.search(path.name)
        if match is not None:
            found[match["date"]].append(path)
    parents = sorted({str(path.parent) for paths in found.values() for path in paths})
    if len(parents) > 1:
        raise ConfigError(
            f"{folder}: holds the samples of several models.", f"Name one of: {', '.join(parents)}"
        )
    if date is not None and date not in found:
        raise ConfigError(
            f"{folder}: holds no run {date}.", f"Choose from: {', '.join(found) or 'none'}"
        )
    chosen = max(found, default="") if date is None else date
    # Tasks of columns before those of categories, which hold the same items.
    files = sorted(found.get(chosen, ()), key=lambda path: ("_category_" in path.name, path.name))
    return files, [other for other in found if other != chosen]


def read_samples(path: Path) -> Iterator[Sample]:
    """Yield the items of a file that this package's tasks wrote; other tasks give none.

    Raises:
        ConfigError: the file cannot be read, or a line is no sample; names file and line.
    """
    rated: dict[str, _Row] = {}
    ratings: list[Mapping[str, str | int | bool | None]] = []
    for row in _rows(path):
        if isinstance(row.score, _Rating):
            rated[row.item] = row
            ratings.append(row.score.model_dump())
        else:
            yield _sample(row, row.score, _number(row.accuracy), _number(row.unparsed))
    for item, outcome in outcomes(ratings).items():
        yield _sample(rated[item], outcome.score, outcome.score, outcome.unparsed)


def _rows(path: Path) -> Iterator[_Row]:
    fix = "Correct the line, or name the folder of a run that was finished."
    try:
        for line in read_lines(path):
            row = _row(path, line, fix)
            if row is not None:
                yield row
    except LineError as error:
        raise ConfigError(f"{path}:{error.line}: {error.cause}", fix) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}", fix) from error


def _row(path: Path, line: Line, fix: str) -> _Row | None:
    """Return the row of a line, None if another package's task wrote it."""
    try:
        # Other metrics, and replies, may hold what is not JSON of the standard: NaN, surrogates.
        value: object = json.loads(line.text)
        return _Row.model_validate(value) if _Kind.model_validate(value).is_ours else None
    except (ValueError, RecursionError) as error:
        cause = problem_of(error)
        raise ConfigError(f"{path}:{line.number}: cannot be read: {cause}", fix) from error


def _number(value: float | _Rating) -> float:
    assert not isinstance(value, _Rating)  # `_Row` refuses a mixture
    return value


def _sample(row: _Row, score: float, accuracy: float, unparsed: float) -> Sample:
    return Sample(
        item=row.item,
        column=row.column,
        category=row.category,
        video=row.video,
        score=score,
        accuracy=accuracy,
        unparsed=unparsed,
        way=row.way,
        judged=row.judged,
        judge_failed=bool(row.judge_failures),
        judge=f"{row.judge.service}:{row.judge.model}" if row.judge is not None else None,
    )
