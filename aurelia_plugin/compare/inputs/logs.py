"""What a harness wrote about one run: its files, its settings, one row per question."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aurelia_plugin.arguments import split_list
from aurelia_plugin.benchmark.sample_log import run_files
from aurelia_plugin.errors import ConfigError

__all__ = ["RunLog", "read_log", "read_rows"]

_LM_EVAL: Final = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.:-]+)\.jsonl$")
_LMMS_EVAL: Final = re.compile(r"(?P<date>\d{8}_\d{6})_samples_(?P<task>.+)\.jsonl$")

Row = dict[str, Any]


@dataclass(frozen=True)
class RunLog:
    """One run of a harness.

    Attributes:
        results: its results file, empty if there is none.
        rows: task to the rows of its log of samples.
        others: dates of other runs in the folder.
    """

    harness: Literal["lmms-eval", "lm-eval"]
    folder: Path
    date: str
    files: tuple[Path, ...]
    results: Mapping[str, Any]
    rows: Mapping[str, list[Row]]
    others: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def config(self) -> Mapping[str, Any]:
        """The harness's settings of the run."""
        return self.results.get("config") or {}

    @property
    def model_args(self) -> dict[str, str]:
        """`--model_args`, taken apart."""
        given = self.config.get("model_args") or {}
        if isinstance(given, Mapping):
            return {str(key): str(value) for key, value in given.items()}
        pairs = (pair.partition("=") for pair in split_list(str(given)))
        return {key.strip(): value for key, _, value in pairs}

    def place(self, task: str, row: Row) -> str:
        """Return the file and line at which a row of a task stands, in words."""
        ends = (f"_samples_{task}.jsonl", f"samples_{task}_{self.date}.jsonl")
        path = next(file for file in self.files if file.name.endswith(ends))
        lines = path.read_text("utf-8").split("\n")
        shown = json.dumps(row, sort_keys=True)
        for number, line in enumerate(lines, start=1):
            if line.strip() and json.dumps(json.loads(line), sort_keys=True) == shown:
                return f"{path}, line {number}"
        return str(path)

    def task_config(self, task: str) -> Mapping[str, Any]:
        """Return how a task was configured; empty if unknown."""
        return (self.results.get("configs") or {}).get(task) or {}

    @property
    def started(self) -> datetime | None:
        """When the harness started, in UTC; None if the log does not say."""
        zone = (self.config.get("resolved_cli_args") or {}).get("timezone") or "Asia/Singapore"
        try:
            local = datetime.strptime(self.date, "%Y%m%d_%H%M%S")
            return local.replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
        except (ValueError, ZoneInfoNotFoundError):
            return None

    @property
    def seconds(self) -> float | None:
        """How long the run took, by the harness."""
        try:
            return float(self.results.get("total_evaluation_time_seconds") or "")
        except ValueError:
            return None


def read_log(path: Path) -> RunLog:
    """Read the run in a folder: the latest one, or the one whose results or samples file is named.

    Raises:
        ConfigError: there is no log of samples, several models' logs, or a file cannot be read.
    """
    folder, date = path, None
    if path.is_file():
        match = re.search(r"\d{8}_\d{6}|\d{4}-\d\d-\d\dT[\d.:-]*\d", path.name)
        folder, date = path.parent, match.group() if match else None
    if not folder.is_dir():
        raise ConfigError(
            f"{path}: there is no such file or folder.",
            "Name the folder that --output_path of the run named.",
        )
    files, others = run_files(folder, date) if _has(folder, _LMMS_EVAL) else ([], [])
    if files:
        named = ((match["task"], file) for file in files if (match := _LMMS_EVAL.search(file.name)))
        return _log("lmms-eval", folder, files[0].name[:15], dict(named), tuple(others))
    if _has(folder, _LM_EVAL):
        return _read_lm_eval(folder, date)
    raise ConfigError(
        f"{path}: holds no log of samples.",
        "Run lmms-eval with --log_samples --output_path FOLDER, then name that FOLDER.",
    )


def _has(folder: Path, form: re.Pattern[str]) -> bool:
    return any(form.search(file.name) for file in folder.rglob("*.jsonl"))


def _read_lm_eval(folder: Path, date: str | None) -> RunLog:
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for file in sorted(folder.rglob("samples_*.jsonl")):
        match = _LM_EVAL.search(file.name)
        if match is not None:
            found[match["date"]][match["task"]] = file
    parents = {file.parent for tasks in found.values() for file in tasks.values()}
    if len(parents) > 1:
        raise ConfigError(
            f"{folder}: holds the samples of several models.",
            f"Name one of: {', '.join(sorted(map(str, parents)))}",
        )
    chosen = max(found) if date is None else date
    if chosen not in found:
        raise ConfigError(f"{folder}: holds no run {chosen}.", f"Choose from: {', '.join(found)}")
    others = tuple(other for other in found if other != chosen)
    return _log("lm-eval", folder, chosen, found[chosen], others)


def _log(
    harness: Literal["lmms-eval", "lm-eval"],
    folder: Path,
    date: str,
    files: Mapping[str, Path],
    others: tuple[str, ...],
) -> RunLog:
    first = next(iter(files.values()))
    name = f"{date}_results.json" if harness == "lmms-eval" else f"results_{date}.json"
    path, notes = first.parent / name, []
    if path.is_file():
        results = read_json(path)
    else:
        results = {}
        notes.append(f"{path.name} is missing: the run's settings are not known or checked.")
    if others:
        notes.append(f"{folder}: run {date} was read; others there: {', '.join(others)}.")
    rows = {task: _one_filter(file, list(read_rows(file))) for task, file in files.items()}
    return RunLog(harness, folder, date, tuple(files.values()), results, rows, others, notes)


def read_json(path: Path) -> Any:
    """Return a JSON file's content.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: cannot be read: {error}", "Name the folder of a run that was finished."
        ) from error


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a JSON-lines file.

    Raises:
        ConfigError: the file cannot be read; the line is named.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", "Copy the file anew.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(
                f"{path}, line {number}: not JSON ({error}).",
                "Name the folder of a run that was finished.",
            ) from error
        if not isinstance(row, dict):
            raise ConfigError(f"{path}, line {number}: not an object.", "Name a log of samples.")
        yield row


def _one_filter(path: Path, rows: Iterable[Row]) -> list[Row]:
    """Return the rows of the first filter, each document once.

    Raises:
        ConfigError: a document has several rows that differ, so that no score is its own.
    """
    kept: dict[str, Row] = {}
    first: str | None = None
    for row in rows:
        if row.get("filter") is not None:
            first = first or row["filter"]
            if row["filter"] != first:
                continue
        identity = str(row.get("doc_id"))
        if kept.setdefault(identity, row) != row:
            raise ConfigError(
                f"{path}: document {identity} has several rows that differ.",
                "Two runs were written to one file, or the task is run with repeats; run again "
                "into an empty folder, with one answer per document.",
            )
    return list(kept.values())
