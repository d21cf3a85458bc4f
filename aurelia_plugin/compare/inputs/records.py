"""The plugin's own record of a run, and what it and the traces say of each question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from aurelia_plugin.compare.inputs.logs import RunLog, read_json, read_rows
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.settings import AureliaSettings
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Account", "Record", "find_record"]

_NAME: Final = re.compile(r"(?P<time>\d{8}T\d{6}Z)_[^.]+\.json$")
_SLACK: Final = timedelta(seconds=5)
_START_UP: Final = timedelta(minutes=30)  # loading a model, where the harness gives no duration


@dataclass(frozen=True)
class Account:
    """What became of one question, by the run's record and its trace."""

    content: str | None
    media: tuple[str, ...]
    steps: tuple[str, ...]
    failed: str | None
    dropped: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    seconds: float
    trace: Trace | None
    target_tokens: tuple[int, int]

    def by_model(self, target: str) -> dict[str, tuple[int, int]]:
        """Return the tokens read and written by each model, the target under the name given."""
        spent = {target: self.target_tokens}
        for turn in self.trace.iterations if self.trace is not None else ():
            for call in turn.calls:
                read, written = spent.get(call.model, (0, 0))
                usage = call.usage
                spent[call.model] = (read + usage.input_tokens, written + usage.output_tokens)
        return spent


@dataclass(frozen=True)
class Record:
    """A run's record.

    Attributes:
        values: the record itself.
        accounts: (task, doc_id) to what became of the question.
    """

    path: Path
    traces: Path
    values: Mapping[str, Any]
    accounts: Mapping[tuple[str, str], Account] = field(default_factory=dict)


def find_record(log: RunLog, traces: Path | None = None) -> Record | None:
    """Return the record of a run of this plugin, or None.

    It is looked for in the traces folder that the run named (or `traces`, if that has moved), by
    condition, settings, number of questions and the time at which it started.
    """
    model = f"{log.config.get('model')} {log.config.get('model_backend')}"
    if log.harness != "lmms-eval" or "aurelia" not in model:
        return None
    folder = traces or Path(log.model_args.get("traces") or cache_dir() / "traces")
    fitting = [
        (match["time"], path)
        for path in sorted((folder / "runs").glob("*.json"))
        if (match := _NAME.search(path.name)) is not None and _in_time(log, match["time"])
    ]
    for _, path in sorted(fitting):
        values = read_json(path)
        if _fits(log, values):
            return Record(path, folder, values, _accounts(path, folder))
    return None


def _in_time(log: RunLog, stamp: str) -> bool:
    started = log.started
    if started is None:
        return True
    at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    lasted = timedelta(seconds=log.seconds) if log.seconds is not None else _START_UP
    return started - _SLACK <= at <= started + lasted + _SLACK


def _fits(log: RunLog, values: Mapping[str, Any]) -> bool:
    fields = AureliaSettings.model_fields
    usual = {key: str(fields[key].default) for key in ("condition", "media", "inject")}
    given = {k: v for k, v in log.model_args.items() if k in fields}
    settings = values.get("settings") or {}
    for key, value in {**usual, **given}.items():
        if key in ("traces", "target", "prompts", "precomputed"):  # names that are resolved
            continue
        if key in settings and str(settings[key]).casefold() != value.casefold():
            return False
    return values.get("n") == sum(len(rows) for rows in log.rows.values())


def _accounts(path: Path, folder: Path) -> dict[tuple[str, str], Account]:
    items = path.with_suffix(".items.jsonl")
    if not items.is_file():
        return {}
    store = TraceStore(folder, writable=False)
    accounts = {}
    for row in read_rows(items):
        task, _, document = row["id"].rpartition("/")
        task = task.rpartition("/")[0]
        trace = store.trace(row["trace"]) if row.get("trace") else None
        accounts[task, document] = Account(
            content=row.get("content"),
            media=tuple(row.get("media") or (trace.media if trace else ())),
            steps=tuple(row.get("steps") or ()),
            failed=row.get("failed"),
            dropped=(*row.get("dropped", ()), *_dropped(trace)),
            input_tokens=row.get("input_tokens", 0) + _tokens(trace, "input_tokens"),
            output_tokens=row.get("output_tokens", 0) + _tokens(trace, "output_tokens"),
            seconds=row.get("seconds", 0.0),
            trace=trace,
            target_tokens=(row.get("input_tokens", 0), row.get("output_tokens", 0)),
        )
    return accounts


def _dropped(trace: Trace | None) -> list[str]:
    calls = [call for turn in trace.iterations for call in turn.calls] if trace else []
    return [f"{call.role}: {what}" for call in calls for what in call.evidence.dropped]


def _tokens(trace: Trace | None, which: str) -> int:
    calls = [call for turn in trace.iterations for call in turn.calls] if trace else []
    return sum(int(getattr(call.usage, which)) for call in calls)
