"""Adding records to a traces folder: nothing finished is ever replaced."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.records import Fault, Found, KeyedVote, read_folder, require_traces
from aurelia_plugin.traces.run_records import RunFiles, read_runs
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Merged", "merge_folders", "merge_records"]


@dataclass
class Merged:
    """What a merge did.

    Attributes:
        counts: `traces`, `calls` and `votes` that were added; `finished`, unfinished traces that
            gave way to finished ones; `there`, records that the folder had.
        faults: what could not be used, and was left out.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)


def merge_folders(sources: Sequence[Path], to: Path) -> Merged:
    """Add the traces, calls, votes and run records of folders to one; it is made if need be.

    A second merge changes nothing. Of two finished traces of one key the one that is there stays;
    an unfinished one gives way to a finished one, never the other way round. Only what was read as
    a record is written; what a link outside a source points to never is.

    Raises:
        StoreError: a source is not a traces folder, or `to` cannot be written.
    """
    for source in sources:
        require_traces(source)
    store = TraceStore(to)
    merged = Merged()
    for source in sources:
        if source.resolve() == store.folder:
            continue
        merge_records(read_folder(source), store, merged)
        for run in read_runs(source):
            if isinstance(run, Fault):
                merged.faults.append(run)
            else:
                _add_run(run, store)
    return merged


def merge_records(records: Iterable[Found | Fault], store: TraceStore, merged: Merged) -> None:
    """Add records to an open store, and count them in `merged`."""
    for found in records:
        if isinstance(found, Fault):
            merged.faults.append(found)
        else:
            merged.counts[_add(found, store)] += 1


def _add(found: Found, store: TraceStore) -> str:
    """Add a record, and return under which word it counts."""
    record = found.record
    if isinstance(record, Trace):
        return _add_trace(record, store)
    if isinstance(record, Reply):
        if store.call(found.key) is not None:
            return "there"
        store.put_call(found.key, record)
        return "calls"
    if store.vote(found.key, KeyedVote) is not None:
        return "there"
    store.put_vote(found.key, record)
    return "votes"


def _add_trace(trace: Trace, store: TraceStore) -> str:
    if store.trace(trace.key) is not None:
        return "there"
    there = store.has_trace(trace.key)
    if there and not trace.finished:
        return "there"
    store.put_trace(trace)
    return "finished" if there else "traces"


def _add_run(run: RunFiles, store: TraceStore) -> None:
    place = store.folder / "runs" / run.path.name
    if place.is_file() and place.read_bytes() != run.record:
        # Two runs began in the same second, in two folders.
        digest = hashlib.sha256(run.record).hexdigest()[:8]
        place = place.with_name(f"{run.path.stem}-{digest}.json")
    if not place.is_file():
        write_atomically(place, run.record)
    questions = place.with_suffix(".items.jsonl")
    if run.items is not None and not questions.is_file():
        write_atomically(questions, run.items)
