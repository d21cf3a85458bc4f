"""From a run's folder to one submission."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import JsonValue

from aurelia_plugin.compare.inputs.arms import ComparedArm, read_arms
from aurelia_plugin.compare.inputs.logs import read_log
from aurelia_plugin.compare.inputs.records import find_record
from aurelia_plugin.compare.submissions.record import (
    Submission,
    SubmittedFigure,
    SubmittedItem,
    SubmittedTask,
    digest_of_submission,
    text_digest,
)
from aurelia_plugin.compare.submissions.standing import figures_of
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.redaction import without_secrets

__all__ = ["Publisher", "export_submission", "submission_of"]

_LOCAL: Final = frozenset(("traces", "precomputed", "prompts", "prices"))
"""Settings that name folders and files of whoever ran it."""

_PATH: Final = re.compile(r"(?<![\w./])/(?:[^\s/?&=,|]+/)+(?=[^\s/?&=,|])")


class Publisher(NamedTuple):
    """What whoever hands a run in says of it; the target's name and no address by default."""

    name: str | None = None
    url: str | None = None


def export_submission(run: Path, to: Path, publisher: Publisher, traces: Path | None) -> Submission:
    """Write a run's submission to a file and return it. The arguments are those of `submission_of`.

    Raises:
        ConfigError: the run is not one of this package's tasks, or a file cannot be read.
        OSError: the file cannot be written.
    """
    made = submission_of(run, publisher, traces)
    write_atomically(to, (made.model_dump_json(indent=1) + "\n").encode("utf-8"))
    return made


def submission_of(run: Path, publisher: Publisher, traces: Path | None = None) -> Submission:
    """Return the submission of a run.

    Args:
        run: the folder that its `--output_path` named.
        publisher: what is said of it.
        traces: its traces folder, if that has moved.

    Raises:
        ConfigError: the run is not one of this package's tasks, or a file cannot be read.
    """
    (arm, *more) = read_arms(run.resolve().name, run, traces=traces)
    foreign = sorted({q.task for q in arm.questions.values() if "options" not in q.extra})
    if more or foreign:
        raise ConfigError(
            f"{run}: {', '.join(foreign) or 'a text-only run'} is no task of this package.",
            "Name a run of avreasonbench, avreasonbench_public, avreasonbench_mini or a board.",
        )
    items = tuple(_items(arm))
    info = arm.info
    log = read_log(run)
    record = find_record(log, traces)
    evidence: Mapping[str, Any] = (record.values.get("evidence") or {}) if record else {}
    fields: dict[str, Any] = {
        "name": publisher.name or _public(info.target),
        "url": publisher.url,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "benchmark": _benchmark(task.name for task in info.tasks),
        "target": _public(info.target),
        "models": info.models,
        "condition": info.condition,
        "media": info.media,
        "agents": {role: _public(identity) for role, identity in info.agents.items()},
        "settings": _plain(info.settings),
        "model_args": {
            key: _public(value) for key, value in info.model_args.items() if key not in _LOCAL
        },
        "prompts": info.prompts,
        "versions": info.versions,
        "seeds": info.seeds,
        "evidence": {role: _plain(values) for role, values in evidence.items()},
        "tasks": tuple(
            SubmittedTask(
                name=task.name,
                version=task.version,
                metric=task.metric,
                parser=task.parser,
                generation=_plain(task.generation),
                n=task.n,
            )
            for task in info.tasks
        ),
        "figures": tuple(
            SubmittedFigure(name=name, n=one.n, score=one.score, low=one.low, high=one.high)
            for name, one in figures_of(items).items()
        ),
        "items": items,
    }
    made = Submission(**fields, digest="0" * 64)
    digest = digest_of_submission(json.loads(made.model_dump_json()))
    return made.model_copy(update={"digest": digest})


def _items(arm: ComparedArm) -> Iterator[SubmittedItem]:
    for key, question in arm.questions.items():
        account, unparsed = arm.accounts.get(key), question.unparsed
        yield SubmittedItem(
            id=key.item,
            task=question.task,
            column=key.column,
            category=question.category,
            text=text_digest(question.question, question.target),
            content=account.content if account is not None else None,
            cluster=sha256(question.cluster.encode("utf-8", "replace")).hexdigest(),
            answer=without_secrets(question.answer),
            score=question.score,
            unparsed=account.unread(question.answer, unparsed) if account is not None else unparsed,
            failed=account.failed if account is not None else None,
            dropped=account.dropped if account is not None else (),
        )


def _benchmark(tasks: Iterable[str]) -> str:
    """Return what the names of the tasks begin with, up to a whole word."""
    names = [name.split("_") for name in tasks]
    common: list[str] = []
    for parts in zip(*names, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "_".join(common) or ", ".join("_".join(name) for name in names)


def _public(text: str) -> str:
    """Return a text without keys and without the folders of whoever ran it."""
    return _PATH.sub("", without_secrets(text))


def _plain(values: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return settings as JSON, without those that name local files."""
    kept = {key: value for key, value in values.items() if key not in _LOCAL}
    text = json.dumps(kept, default=str)
    cleaned: dict[str, JsonValue] = json.loads(text)
    return {key: _cleaned(value) for key, value in cleaned.items()}


def _cleaned(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _public(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {key: _cleaned(one) for key, one in value.items()}
    return value
