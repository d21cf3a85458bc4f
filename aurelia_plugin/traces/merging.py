"""Adding records to a traces folder: nothing finished is ever replaced."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aurelia_plugin.errors import StoreError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.integrity import Fault, Found, read_folder
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Merged", "merge_folders", "merge_records"]


@dataclass
class Merged:
    """What a merge did.

    Attributes:
        counts: `traces` and `calls` that were added; `finished`, unfinished traces that gave way
            to finished ones; `there`, records that the folder had.
        faults: what could not be used, and was left out.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)


def merge_folders(sources: Sequence[Path], to: Path) -> Merged:
    """Add the traces, calls and run records of folders to one that is made if it is not there.

    A second merge changes nothing. Of two finished traces of one key the one that is there stays;
    an unfinished one gives way to a finished one, never the other way round.

    Raises:
        StoreError: a source is not a traces folder, or `to` cannot be written.
    """
    for source in sources:
        if not (source / "traces").is_dir():
            raise StoreError(f"{source}: not a traces folder.", "Name one that holds traces/.")
    store = TraceStore(to)
    merged = Merged()
    for source in sources:
        if source.resolve() == store.folder:
            continue
        merge_records(read_folder(source), store, merged)
        _merge_runs(source, store)
    return merged


def merge_records(records: Iterable[Found | Fault], store: TraceStore, merged: Merged) -> None:
    """Add records to an open store, and count them in `merged`."""
    for found in records:
        if isinstance(found, Fault):
            merged.faults.append(found)
        elif isinstance(found.record, Trace):
            merged.counts[_add_trace(found.record, store)] += 1
        elif store.call(found.key) is None:
            store.put_call(found.key, found.record)
            merged.counts["calls"] += 1
        else:
            merged.counts["there"] += 1


def _add_trace(trace: Trace, store: TraceStore) -> str:
    if store.trace(trace.key) is not None:
        return "there"
    there = store.has_trace(trace.key)
    if there and not trace.finished:
        return "there"
    store.put_trace(trace)
    return "finished" if there else "traces"


def _merge_runs(source: Path, store: TraceStore) -> None:
    for path in sorted((source / "runs").glob("*.json")):
        content = path.read_bytes()
        place = store.folder / "runs" / path.name
        if place.is_file() and place.read_bytes() != content:
            # Two runs began in the same second, in two folders.
            digest = hashlib.sha256(content).hexdigest()[:8]
            place = place.with_name(f"{path.stem}-{digest}.json")
        if not place.is_file():
            write_atomically(place, content)
