"""The plugin's own record of a run, and what it and the traces say of each question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.calling.compute import Compute
from aurelia_plugin.calling.ledger import TARGET_ROLE
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.compare.inputs.logs import RunLog, read_json, read_rows
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.settings import AureliaSettings
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Account", "Record", "cost_of", "find_record"]

_NAME: Final = re.compile(r"(?P<time>\d{8}T\d{6}Z)_[^.]+\.json$")
_TELLING: Final = ("condition", "media", "inject", "without", "agents_media", "iteration")
"""Settings that tell the arms of a study apart, so that their defaults count, too."""

_SLACK: Final = timedelta(seconds=5)
_START_UP: Final = timedelta(minutes=30)  # loading a model, where the harness gives no duration


def cost_of(calls: Iterable[tuple[str, Usage, Evidence]], prices: Prices) -> float | None:
    """Return the US dollars of calls, each of one model; None if a model has no price."""
    total = 0.0
    for model, usage, evidence in calls:
        if not usage.total:
            continue
        price = prices.of_model(model)
        if price is None:
            return None
        total += price.cost(usage, evidence)
    return total


@dataclass(frozen=True)
class Account:
    """What became of one question, by the run's record and its trace.

    Attributes:
        trace: on which the answer builds.
        judged: calls of agents outside of a loop.
        target_compute, agents_compute: what calls took; None where the record does not say.
    """

    content: str | None
    media: tuple[str, ...]
    steps: tuple[str, ...]
    failed: str | None
    cause: str | None
    dropped: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    seconds: float
    trace: Trace | None
    model: str
    target_usage: Usage
    target_evidence: Evidence
    judged: tuple[tuple[str, Usage, Evidence], ...] = ()
    target_compute: Compute | None = None
    agents_compute: Compute | None = None

    def unread(self, answer: str, unparsed: bool | None) -> bool | None:
        """Return whether a reply could not be read; None where a failure left no reply."""
        return None if self.failed and not answer else unparsed

    @property
    def compute(self) -> Compute | None:
        """What the question's calls took in all; None where the record does not say."""
        if self.target_compute is None or self.agents_compute is None:
            return None
        return self.target_compute + self.agents_compute

    def cost(self, target: str, prices: Prices) -> float | None:
        """Return the US dollars of the question's calls; None if a model has no price.

        Args:
            target: the model that answered, where the record does not name it.
            prices: by model.
        """
        calls = [(self.model or target, self.target_usage, self.target_evidence)]
        calls += self.judged
        for turn in self.trace.iterations if self.trace is not None else ():
            calls += [(call.model, call.usage, call.evidence) for call in turn.calls]
        return cost_of(calls, prices)


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
    usual = {key: _written(fields[key].default) for key in _TELLING}
    given = {k: v for k, v in log.model_args.items() if k in fields}
    settings = values.get("settings") or {}
    for key, value in {**usual, **given}.items():
        if key in ("traces", "target", "prompts", "precomputed"):  # names that are resolved
            continue
        if key in settings and _written(settings[key]) != _written(value):
            return False
    return values.get("n") == sum(len(rows) for rows in log.rows.values())


def _written(value: object) -> str:
    """Return a setting as `--model_args` have it: a list in one order, with `|`."""
    parts = value.split("|") if isinstance(value, str) else value
    if isinstance(parts, (list, tuple)):
        return "|".join(sorted(str(part) for part in parts)).casefold()
    return str(value).casefold()


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
        target = Usage(
            input_tokens=row.get("input_tokens", 0), output_tokens=row.get("output_tokens", 0)
        )
        judged = tuple(_judged(row))
        read = Usage(
            input_tokens=_tokens(trace, "input_tokens"),
            output_tokens=_tokens(trace, "output_tokens"),
        )
        whole = sum((usage for _, usage, _ in judged), target + read)
        compute = row.get("compute") or {}
        if compute:
            target = _usage_of(compute["target"])
            whole = target + _usage_of(compute["agents"])
        accounts[task, document] = Account(
            content=row.get("content"),
            media=tuple(row.get("media") or (trace.media if trace else ())),
            steps=tuple(row.get("steps") or ()),
            failed=row.get("failed"),
            cause=row.get("cause"),
            dropped=(*row.get("dropped", ()), *_dropped(trace)),
            input_tokens=whole.input_tokens,
            output_tokens=whole.output_tokens,
            seconds=row.get("seconds", 0.0),
            trace=trace,
            model=row.get("model", ""),
            target_usage=target,
            target_evidence=Evidence(
                sound_seconds=compute["target"]["sound_seconds"]
                if compute
                else row.get("sound_seconds", 0.0)
            ),
            judged=judged,
            target_compute=Compute(**compute["target"]) if compute else None,
            agents_compute=Compute(**compute["agents"]) if compute else None,
        )
    return accounts


def _usage_of(compute: Mapping[str, Any]) -> Usage:
    return Usage(input_tokens=compute["input_tokens"], output_tokens=compute["output_tokens"])


def _judged(row: Mapping[str, Any]) -> Iterator[tuple[str, Usage, Evidence]]:
    """Yield the agents' calls outside of a loop: model, tokens, sound."""
    for turn in row.get("turns") or ():
        if turn["role"] != TARGET_ROLE:
            heard = Evidence(sound_seconds=turn["sound_seconds"])
            yield turn["model"], Usage(**turn["usage"]), heard


def _dropped(trace: Trace | None) -> list[str]:
    calls = [call for turn in trace.iterations for call in turn.calls] if trace else []
    return [f"{call.role}: {what}" for call in calls for what in call.evidence.dropped]


def _tokens(trace: Trace | None, which: str) -> int:
    calls = [call for turn in trace.iterations for call in turn.calls] if trace else []
    return sum(int(getattr(call.usage, which)) for call in calls)
