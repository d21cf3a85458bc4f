"""What is in a traces folder, and every file of it that is not as it should be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.errors import StoreError
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA, Trace, best_of

__all__ = ["Fault", "Found", "TracesReport", "check_traces", "read_folder", "trace_fault"]

_MOST_BYTES = 64 * 2**20
"""No record is nearly as large; a file that is may have been made to fill the memory."""

_OWN = (".unreadable",)


class Fault(NamedTuple):
    """A file that cannot be used, and why."""

    path: Path
    cause: str

    def __str__(self) -> str:
        return f"{self.path}: {self.cause}"


class Found(NamedTuple):
    """A record of a folder: a trace, or the reply of an agent call under its key."""

    path: Path
    key: str
    record: Trace | Reply


@dataclass
class TracesReport:
    """What a folder holds.

    Attributes:
        stops: traces by how their loops ended.
        calls: finished agent calls.
        runs: records of runs.
        aside: files that were put aside or left over by a killed process; harmless.
        faults: files that cannot be used.
    """

    stops: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    runs: int = 0
    aside: list[Path] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every file can be used."""
        return not self.faults


def check_traces(folder: Path) -> TracesReport:
    """Read every file of a traces folder; nothing is changed.

    Raises:
        StoreError: it is not a traces folder.
    """
    report = TracesReport()
    for found in read_folder(folder):
        if isinstance(found, Fault):
            report.faults.append(found)
        elif isinstance(found.record, Trace):
            report.stops[found.record.stop] += 1
        else:
            report.calls += 1
    for path in sorted((folder / "runs").glob("*.json")):
        try:
            json.loads(path.read_bytes())
            report.runs += 1
        except (OSError, ValueError) as error:
            report.faults.append(Fault(path, f"not a run's record: {error}"))
    report.aside = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (path.suffix in _OWN or path.name.startswith(".part-"))
    ]
    return report


def read_folder(folder: Path) -> Iterator[Found | Fault]:
    """Yield every trace and call of a traces folder, and a fault for each file that is none.

    Raises:
        StoreError: it is not a traces folder.
    """
    if not (folder / "traces").is_dir():
        raise StoreError(f"{folder}: not a traces folder.", "Name one that holds traces/.")
    root = folder.resolve()
    for kind, form in (("traces", Trace), ("calls", Reply)):
        for path in sorted((folder / kind).rglob("*")):
            if path.is_dir() or path.suffix in _OWN or path.name.startswith(".part-"):
                continue
            yield _read(path, root, form)


def _read(path: Path, root: Path, form: type[Trace] | type[Reply]) -> Found | Fault:
    key = path.stem
    if not path.resolve().is_relative_to(root):
        return Fault(path, "a link that leads out of the folder")
    if path.suffix != ".json" or path.parent.name != key[:2]:
        return Fault(path, "it does not lie where its name says: ab/ab….json")
    try:
        if path.stat().st_size > _MOST_BYTES:
            return Fault(path, f"larger than {_MOST_BYTES >> 20} MB")
        record = form.model_validate_json(path.read_bytes())
    except OSError as error:
        return Fault(path, f"cannot be read: {error.strerror or error}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Fault(path, f"{where + ': ' if where else ''}{first['msg']}")
    if isinstance(record, Trace):
        cause = trace_fault(record, key)
        if cause is not None:
            return Fault(path, cause)
    return Found(path, key, record)


def trace_fault(trace: Trace, key: str) -> str | None:
    """Return what contradicts itself in a trace, None if nothing does.

    Args:
        trace: the record.
        key: the key under which it was found.
    """
    scores = [iteration.score for iteration in trace.iterations]
    last = (scores[-1] or 0) if scores else 0
    if trace.key != key:
        return f"it is the trace of another key, {trace.key}"
    if trace.schema_version != TRACE_SCHEMA:
        return f"its form is version {trace.schema_version}; this version reads {TRACE_SCHEMA}"
    if trace.best != best_of(trace.iterations):
        return f"best is {trace.best}, and its scores are {scores}"
    if (trace.stop == "accepted") != (last >= trace.threshold) and trace.finished:
        return f"stop is {trace.stop}, and the last score is {last} of {trace.threshold}"
    if len(trace.iterations) > trace.max_iterations:
        return f"{len(scores)} iterations, and at most {trace.max_iterations} are allowed"
    return None
