"""What runs left in a traces folder: their records, and what became of each of their questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.places import inside
from aurelia_plugin.files.records import problem_of
from aurelia_plugin.files.regular import read_regular
from aurelia_plugin.files.strict_json import parse_object
from aurelia_plugin.files.text_lines import Line, LineError, read_lines
from aurelia_plugin.traces.aside import is_left_over
from aurelia_plugin.traces.records import Fault

__all__ = ["RunFiles", "read_runs"]

_MOST_BYTES: Final = 256 * 2**20


class RunFiles(NamedTuple):
    """A run's record and, if it is there and whole, the file of its questions."""

    path: Path
    record: bytes
    items: bytes | None


class _Question(BaseModel):
    """What a line of a run's questions has at least; see `running.outcomes`."""

    model_config = ConfigDict(extra="allow")

    id: str


def read_runs(folder: Path) -> Iterator[RunFiles | Fault]:
    """Yield the runs of a traces folder, and a fault for each file that cannot be used."""
    try:
        inside(folder, "runs")
    except MediaError as error:
        yield Fault(folder / "runs", error.cause)
        return
    items = {path.name: path for path in sorted((folder / "runs").glob("*.items.jsonl"))}
    for path in sorted((folder / "runs").glob("*.json")):
        if is_left_over(path):
            continue
        beside = items.pop(path.with_suffix(".items.jsonl").name, None)
        record = _checked(folder, path)
        questions = None if beside is None else _checked_lines(folder, beside)
        if isinstance(questions, Fault):
            yield questions
        if isinstance(record, Fault):
            yield record
        else:
            yield RunFiles(path, record, questions if isinstance(questions, bytes) else None)
    for path in items.values():
        if not is_left_over(path):
            yield Fault(path, "the run's record is not beside it")


def _checked(folder: Path, path: Path) -> bytes | Fault:
    try:
        inside(folder, path.relative_to(folder).as_posix())
        content = read_regular(path, _MOST_BYTES)
        parse_object(content)
    except MediaError as error:
        return Fault(path, error.cause)
    except OSError as error:
        return Fault(path, f"cannot be read: {error.strerror or error}")
    except ValueError as error:
        return Fault(path, f"not a run's record: {problem_of(error)}")
    return content


def _checked_lines(folder: Path, path: Path) -> bytes | Fault:
    try:
        inside(folder, path.relative_to(folder).as_posix())
        for line in read_lines(path):
            _check_line(line)
        return read_regular(path, _MOST_BYTES)
    except MediaError as error:
        return Fault(path, error.cause)
    except OSError as error:
        return Fault(path, f"cannot be read: {error.strerror or error}")
    except LineError as error:
        return Fault(path, f"line {error.line}: {error.cause}")


def _check_line(line: Line) -> None:
    try:
        _Question.model_validate(parse_object(line.text))
    except ValueError as error:
        raise LineError(line.number, problem_of(error)) from error
