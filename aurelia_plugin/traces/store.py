"""Traces, agent calls and run records on disk.

Layout of a traces folder::

    traces/ab/<key>.json    one trace, whole
    calls/cd/<key>.json     one finished agent call, or sampled answer: the reply
    votes/ef/<key>.json     the sampled answers to one question, and the majority's
    runs/<time>_<arm>.json  what a run did
    runs/<time>_<arm>.items.jsonl  what became of each question

Every file is written beside its place and renamed into it, so a process killed at any moment
leaves either the whole file or none, and many processes may share a folder.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from loguru import logger
from pydantic import BaseModel, ValidationError

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.errors import MediaError, StoreError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.places import inside
from aurelia_plugin.reasoning.trace import Trace

__all__ = ["TraceStore"]


_FEW = 64

R = TypeVar("R", bound=BaseModel)


def _any(record: BaseModel) -> bool:
    return True


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
            for name in ("traces", "calls", "votes", "runs"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise StoreError(
                f"traces={self.folder}: {error.strerror or error}.",
                "Set traces=DIR to a folder that can be written to.",
            ) from error

    def trace(self, key: str) -> Trace | None:
        """Return the stored trace, or None if there is none or its loop did not finish."""
        trace = self._read(self._place("traces", key), Trace, lambda trace: trace.key == key)
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
        # A killed process may leave a hidden file that it was about to rename.
        for path in sorted((self.folder / "traces").glob("*/[!.]*.json")):
            trace = self._read(path, Trace)
            if trace is not None and trace.finished:
                yield trace

    def sample(self) -> Iterator[Trace]:
        """Yield a finished trace of every fourth of the folders that hold them (of all, if few)."""
        folders = sorted((self.folder / "traces").glob("*/"))
        for folder in folders[:: 4 if len(folders) > _FEW else 1]:
            for path in folder.glob("[!.]*.json"):
                trace = self._read(path, Trace)
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
        return self._read(self._place("votes", key), form)

    def put_run(self, name: str, record: Mapping[str, Any]) -> Path:
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

    def put_items(self, record: Path, items: Iterable[Mapping[str, Any]]) -> Path:
        """Write what became of each question beside a run's record, one line each."""
        path = record.with_suffix(".items.jsonl")
        self._write(path, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))
        return path

    def _place(self, kind: str, key: str) -> Path:
        if not re.fullmatch(r"[\w-]+", key):  # it may come from a folder or data set of others
            raise StoreError(f"{key!r} is not a key.", "Leave out the trace that has it.")
        return self.folder / kind / key[:2] / f"{key}.json"

    def _read(self, path: Path, form: type[R], is_it: Callable[[R], bool] = _any) -> R | None:
        """Return the record in a file; one that is damaged, or another's, is put aside."""
        try:
            if not path.exists():  # the usual case, told by one look
                return None
            inside(self.folder, path.relative_to(self.folder).as_posix())
            record = form.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except MediaError as error:
            self._put_aside(path, error.cause)
            return None
        except OSError as error:
            raise StoreError(
                f"{path}: {error.strerror or error}.", "Make the traces folder readable."
            ) from error
        except ValidationError as error:
            self._put_aside(path, error.errors()[0]["msg"])
            return None
        if not is_it(record):
            self._put_aside(path, "it belongs to another key")
            return None
        return record

    def _put_aside(self, path: Path, cause: str) -> None:
        """Keep what is not ours to delete under another name; its work is done again."""
        aside = path.with_suffix(".unreadable")
        logger.warning(
            "{} cannot be read ({}); it is kept as {} and made again.", path, cause, aside.name
        )
        if not self._writable:
            return
        try:
            path.replace(aside)
        except FileNotFoundError:
            pass  # another process has done it
        except OSError as error:
            raise self._unwritable(path, error) from error

    def _write(self, path: Path, text: str) -> None:
        try:
            write_atomically(path, text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise self._unwritable(path, error) from error

    def _unwritable(self, path: Path, error: OSError) -> StoreError:
        return StoreError(
            f"{path}: {error.strerror or error}. Everything finished before it is kept.",
            "Free space or set traces=DIR to a writable folder, then start the same command again.",
        )
