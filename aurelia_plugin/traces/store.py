"""Traces, agent calls and run records on disk.

Layout of a traces folder::

    traces/ab/<key>.json    one trace, whole
    calls/cd/<key>.json     one finished agent call, or sampled answer: the reply
    votes/ef/<key>.json     the sampled answers to one question, and the majority's
    runs/<time>_<arm>.json  what a run did
    runs/<time>_<arm>.items.jsonl  what became of each question

Every file is written beside its place and renamed into it, so a process killed at any moment
leaves either the whole file or none, and many processes may share a folder. Every record is
checked whenever it is read (see `traces.records`); a bad one counts as not there.
"""

from __future__ import annotations

import functools
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

from loguru import logger
from pydantic import BaseModel

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.errors import MediaError, StoreError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.places import inside
from aurelia_plugin.files.shown import shown
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.aside import put_aside
from aurelia_plugin.traces.records import (
    Fault,
    UnusableError,
    is_key,
    key_fault,
    read_record,
    record_files,
    trace_fault,
)

__all__ = ["TraceStore"]


_FEW: Final = 64
_KINDS: Final = ("traces", "calls", "votes", "runs")

R = TypeVar("R", bound=BaseModel)


@functools.lru_cache(maxsize=4096)
def _name_once(path: Path, cause: str) -> None:
    """Warn that a file is not used: once in a process, however often it is read."""
    logger.warning("{} is not used: {}.", shown(path), cause)


class TraceStore:
    """A traces folder.

    Args:
        folder: made if it does not exist.
        writable: False to read a folder that others made, published read-only perhaps.

    Raises:
        StoreError: if the folder cannot be made or written to.
    """

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self.folder = folder.expanduser().resolve()
        self._writable = writable
        if not writable:
            return
        try:
            for name in _KINDS:
                (self.folder / name).mkdir(parents=True, exist_ok=True)
                inside(self.folder, name)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise StoreError(
                f"traces={self.folder}: {error.strerror or error}.",
                "Set traces=DIR to a folder that can be written to.",
            ) from error
        except MediaError as error:
            raise StoreError(
                f"traces={self.folder}: {error.what}.", "Set traces=DIR to the folder itself."
            ) from error

    def trace(self, key: str) -> Trace | None:
        """Return the stored trace, or None if there is none or its loop did not finish."""
        trace = self._read_trace(self._place("traces", key), key)
        return trace if trace is not None and trace.finished else None

    def has_trace(self, key: str) -> bool:
        """Whether there is a trace of this key, finished or not."""
        return self._place("traces", key).is_file()

    def put_trace(self, trace: Trace) -> None:
        """Store a trace. An unfinished one is kept for reading, and made again by the next run."""
        place = self._place("traces", trace.key)
        if not trace.finished and self.trace(trace.key) is not None:
            return  # another process finished it in the meantime
        self._write(place, trace.model_dump_json(indent=1))

    def traces(self) -> Iterator[Trace]:
        """Yield every stored trace whose loop finished, in the order of their keys."""
        for path in record_files(self.folder, "traces"):
            if isinstance(path, Fault):
                _name_once(path.path, path.cause)
            # A killed process may leave a hidden file that it was about to rename.
            elif path.suffix == ".json" and not path.name.startswith("."):
                trace = self._read_trace(path, path.stem)
                if trace is not None and trace.finished:
                    yield trace

    def sample(self) -> Iterator[Trace]:
        """Yield a finished trace of every fourth of the folders that hold them (of all, if few)."""
        folders = sorted((self.folder / "traces").glob("*/"))
        for folder in folders[:: 4 if len(folders) > _FEW else 1]:
            for path in folder.glob("[!.]*.json"):
                trace = self._read_trace(path, path.stem)
                if trace is not None and trace.finished:
                    yield trace
                    break

    def call(self, key: str) -> Reply | None:
        """Return the reply of a finished agent call, or None."""
        return self._read(self._place("calls", key), Reply)

    def put_call(self, key: str, reply: Reply) -> None:
        """Store the reply of a finished agent call."""
        self._write(self._place("calls", key), reply.model_dump_json(indent=1))

    def put_vote(self, key: str, vote: BaseModel) -> None:
        """Store the sampled answers to one question (`voting.Vote`)."""
        self._write(self._place("votes", key), vote.model_dump_json(indent=1))

    def vote(self, key: str, form: type[R]) -> R | None:
        """Return the stored vote in its form (`voting.Vote`), or None."""
        return self._read(
            self._place("votes", key),
            form,
            lambda vote: key_fault(str(getattr(vote, "key", key)), key),
        )

    def put_run(self, name: str, record: Mapping[str, object]) -> Path:
        """Write a run's record and return its path; an existing one is never replaced."""
        text = json.dumps(record, indent=1, ensure_ascii=False)
        base = re.sub(r"[^\w.-]", "-", name)
        for attempt in range(10_000):
            path = self.folder / "runs" / f"{base}{f'-{attempt}' if attempt else ''}.json"
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                continue
            except OSError as error:
                raise self._unwritable(path, error) from error
            self._write(path, text)
            return path
        raise StoreError(f"{self.folder / 'runs'}: no free name for {base}.", "Empty the folder.")

    def put_items(self, record: Path, items: Iterable[Mapping[str, object]]) -> Path:
        """Write what became of each question beside a run's record, one line each."""
        path = record.with_suffix(".items.jsonl")
        self._write(path, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))
        return path

    def _place(self, kind: str, key: str) -> Path:
        if not is_key(key):  # it may come from a folder or data set of others
            raise StoreError(f"{shown(key)!r} is not a key.", "Leave out the trace that has it.")
        return self.folder / kind / key[:2] / f"{key}.json"

    def _read_trace(self, path: Path, key: str) -> Trace | None:
        return self._read(path, Trace, lambda trace: trace_fault(trace, key))

    def _read(
        self, path: Path, form: type[R], fault: Callable[[R], str | None] = lambda _: None
    ) -> R | None:
        """Return the record in a file, None if there is none that can be used."""
        if not os.path.lexists(path):  # the usual case, told by one look
            return None
        try:
            return read_record(self.folder, path, form, fault)
        except FileNotFoundError:
            return None
        except UnusableError as error:
            if self._writable and error.damaged:
                self._put_aside(path, error.cause)
            else:
                _name_once(path, error.cause)
            return None
        except OSError as error:
            raise StoreError(
                f"{path}: {error.strerror or error}.", "Make the traces folder readable."
            ) from error

    def _put_aside(self, path: Path, cause: str) -> None:
        try:
            put_aside(path, cause)
        except OSError as error:
            raise self._unwritable(path, error) from error

    def _write(self, path: Path, text: str) -> None:
        self._clear_way(path)
        try:
            write_atomically(path, text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise self._unwritable(path, error) from error

    def _clear_way(self, path: Path) -> None:
        """Put aside what keeps a record from its place: a folder there, or no folder around it."""
        parent = path.parent
        if path.is_dir():
            self._put_aside(path, "a folder in the place of a file")
        if parent.is_dir() and not parent.is_symlink():
            return
        if os.path.lexists(parent):
            try:
                inside(self.folder, parent.relative_to(self.folder).as_posix())
                cause = None if parent.is_dir() else "not a folder"
            except MediaError as error:
                cause = error.cause
            if cause is not None:
                self._put_aside(parent, cause)

    def _unwritable(self, path: Path, error: OSError) -> StoreError:
        return StoreError(
            f"{path}: {error.strerror or error}. Everything finished before it is kept.",
            "Free space or set traces=DIR to a writable folder, then start the same command again.",
        )
