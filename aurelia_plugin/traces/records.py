"""Records of a traces folder as they are read: whole, valid, and lying where their names say.

All that reads a trace, a call or a vote reads it here, so that what is bad is bad everywhere.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.errors import MediaError, StoreError
from aurelia_plugin.files.places import inside
from aurelia_plugin.files.records import parse_record, problem_of
from aurelia_plugin.files.regular import read_regular
from aurelia_plugin.files.shown import shown
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA, Trace, best_of
from aurelia_plugin.traces.aside import is_left_over

__all__ = [
    "MOST_BYTES",
    "Fault",
    "Found",
    "KeyedVote",
    "UnusableError",
    "is_key",
    "key_fault",
    "read_folder",
    "read_record",
    "record_files",
    "require_traces",
    "trace_fault",
]

MOST_BYTES: Final = 32 * 2**20
"""No record is nearly as large; a file that is may have been made to fill the memory."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")

# What is wrong with one file. Anything else (no memory, too many open files, a disk that fails) is
# wrong with the machine, and would be wrong with the next file, too.
_OF_ONE_FILE: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO, errno.EISDIR, errno.ENOTDIR}
    | {errno.EINVAL, errno.EFBIG, errno.ENAMETOOLONG, errno.ENODEV}
)

R = TypeVar("R", bound=BaseModel)


class Fault(NamedTuple):
    """A file that cannot be used, and why."""

    path: Path
    cause: str

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.cause}"


class KeyedVote(BaseModel):
    """The key of a stored vote; what else stands there, `running.voting` knows."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    key: str


class Found(NamedTuple):
    """A record of a folder under its key: a trace, the reply of an agent call, or a vote."""

    path: Path
    key: str
    record: Trace | Reply | KeyedVote


class UnusableError(ValueError):
    """A file that holds no record that can be used.

    Args:
        cause: why, in one line.
        damaged: whether its content is at fault; False where it only may not be read.
    """

    def __init__(self, cause: str, *, damaged: bool = True) -> None:
        super().__init__(cause)
        self.cause = cause
        self.damaged = damaged


def is_key(text: str) -> bool:
    """Whether a text can be a key: it may come from a folder or data set of others."""
    return _KEY.fullmatch(text) is not None


def require_traces(folder: Path) -> None:
    """Raise StoreError unless the folder is a traces folder."""
    if not (folder / "traces").is_dir():
        raise StoreError(f"{shown(folder)}: not a traces folder.", "Name one that holds traces/.")


def read_record(
    folder: Path, path: Path, form: type[R], fault: Callable[[R], str | None] = lambda _: None
) -> R:
    """Return the record in a file of a traces folder.

    Args:
        folder: the traces folder, out of which no link may lead.
        path: the file, below it.
        form: the record's class.
        fault: returns what contradicts itself in a record of that class, None if nothing does.

    Raises:
        UnusableError: it is no record of that class, or contradicts itself.
        OSError: it is gone, or the machine cannot read files just now.
    """
    try:
        inside(folder, path.relative_to(folder).as_posix())
        record = parse_record(form, read_regular(path, MOST_BYTES))
    except MediaError as error:
        raise UnusableError(error.cause) from error
    except OSError as error:
        if error.errno not in _OF_ONE_FILE:
            raise
        damaged = error.errno not in (errno.EACCES, errno.EPERM)
        cause = f"cannot be read: {error.strerror or error}"
        raise UnusableError(cause, damaged=damaged) from error
    except ValueError as error:
        raise UnusableError(problem_of(error)) from error
    cause_of = fault(record)
    if cause_of is not None:
        raise UnusableError(cause_of)
    return record


def record_files(folder: Path, kind: str) -> Iterator[Path | Fault]:
    """Yield the files of one kind (`traces`, `calls`, `votes`) in the order of their names.

    Files that were put aside or left over are not among them. A fault stands for an entry that
    cannot be looked into.
    """
    for shard in _entries(folder / kind):
        if isinstance(shard, Fault):
            yield shard
        elif not shard.is_dir():
            yield Fault(shard, "it does not lie where its name says: ab/ab….json")
        else:
            try:
                inside(folder, shard.relative_to(folder).as_posix())
            except MediaError as error:
                yield Fault(shard, error.cause)
            else:
                yield from _entries(shard)


def _entries(folder: Path) -> Iterator[Path | Fault]:
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    except OSError as error:
        yield Fault(folder, f"cannot be read: {error.strerror or error}")
        return
    for name in names:
        path = folder / name
        if not is_left_over(path):
            yield path


def read_folder(folder: Path) -> Iterator[Found | Fault]:
    """Yield every trace, call and vote of a traces folder, and a fault for each file that is none.

    Raises:
        StoreError: it is not a traces folder.
        OSError: the machine cannot read files just now.
    """
    require_traces(folder)
    for kind in ("traces", "calls", "votes"):
        for path in record_files(folder, kind):
            yield path if isinstance(path, Fault) else _found(folder, kind, path)


def _found(folder: Path, kind: str, path: Path) -> Found | Fault:
    key = path.stem
    if path.suffix != ".json" or path.parent.name != key[:2] or not is_key(key):
        return Fault(path, "it does not lie where its name says: ab/ab….json")
    record: Trace | Reply | KeyedVote
    try:
        if kind == "traces":
            record = read_record(folder, path, Trace, lambda trace: trace_fault(trace, key))
        elif kind == "calls":
            record = read_record(folder, path, Reply)
        else:
            record = read_record(folder, path, KeyedVote, lambda vote: key_fault(vote.key, key))
    except UnusableError as error:
        return Fault(path, error.cause)
    except FileNotFoundError:
        return Fault(path, "a link that leads nowhere, or deleted while it was read")
    return Found(path, key, record)


def key_fault(own: str, key: str) -> str | None:
    """Return what is wrong with a record that was found under a key, None if nothing is."""
    return None if own == key else f"it belongs to another key, {shown(own, 80)}"


def trace_fault(trace: Trace, key: str) -> str | None:
    """Return what contradicts itself in a trace, None if nothing does.

    Args:
        trace: the record.
        key: the key under which it was found.
    """
    scores = [iteration.score for iteration in trace.iterations]
    if trace.key != key:
        return key_fault(trace.key, key)
    if not is_key(key):
        return f"its key is none: {shown(key, 80)}"
    if trace.schema_version != TRACE_SCHEMA:
        return f"its form is version {trace.schema_version}; this version reads {TRACE_SCHEMA}"
    if trace.best != best_of(trace.iterations):
        return f"best is {trace.best}, and its scores are {shown(scores)}"
    if (trace.stop == "accepted") != (trace.judged >= trace.threshold) and trace.finished:
        return f"stop is {trace.stop}, and its score is {trace.judged} of {trace.threshold}"
    if len(trace.iterations) > trace.max_iterations:
        return f"{len(scores)} iterations, and at most {trace.max_iterations} are allowed"
    return None
