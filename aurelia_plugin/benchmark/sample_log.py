"""The harness's log of samples: which files belong to a run, and what they say of each item."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from aurelia_plugin.benchmark.data.candidates import outcomes
from aurelia_plugin.errors import ConfigError

__all__ = ["Sample", "read_samples", "run_files"]

_FILE: Final = re.compile(r"(?P<date>\d{8}_\d{6})_samples_(?P<task>.+)\.jsonl$")


_LARGEST: Final = 1e12


class Sample(NamedTuple):
    """One scored item."""

    item: str
    column: str
    category: str
    video: str
    score: float
    accuracy: float
    unparsed: float
    way: str | None = None
    judged: float | None = None
    judge_failed: bool = False
    judge: str | None = None


def run_files(folder: Path, date: str | None) -> tuple[list[Path], list[str]]:
    """Return the files of a run, and the dates of the other runs in the folder.

    Args:
        date: of the run, as its files' names begin; the latest run if None.

    Raises:
        ConfigError: the folder holds several models' samples, or no run of that date.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*_samples_*.jsonl")):
        match = _FILE.search(path.name)
        if match is not None:
            found[match["date"]].append(path)
    parents = sorted({str(path.parent) for paths in found.values() for path in paths})
    if len(parents) > 1:
        raise ConfigError(
            f"{folder}: holds the samples of several models.", f"Name one of: {', '.join(parents)}"
        )
    if date is not None and date not in found:
        raise ConfigError(
            f"{folder}: holds no run {date}.", f"Choose from: {', '.join(found) or 'none'}"
        )
    chosen = max(found, default="") if date is None else date
    # Tasks of columns before those of categories, which hold the same items.
    files = sorted(found.get(chosen, ()), key=lambda path: ("_category_" in path.name, path.name))
    return files, [other for other in found if other != chosen]


def read_samples(path: Path) -> Iterator[Sample]:
    """Yield the items of a file that this package's tasks wrote; other tasks give none.

    Raises:
        ConfigError: the file cannot be read, or a score is NaN or infinite.
    """
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{path}: cannot be read: {error}", "Name the folder of a run that was finished."
        ) from error
    for place, row in enumerate(rows, start=1):
        _require_finite(path, place, row)
    rows = [row for row in rows if "item" in row and "category" in row]
    rated = {row["item"]: row for row in rows if isinstance(row["score"], dict)}
    results = outcomes(row["score"] for row in rows if isinstance(row["score"], dict))
    for item, outcome in results.items():
        yield _sample(rated[item], outcome.score, outcome.score, outcome.unparsed)
    for row in rows:
        if not isinstance(row["score"], dict):
            yield _sample(row, row["score"], row["accuracy"], row["unparsed"])


def _require_finite(path: Path, place: int, row: Mapping[str, Any]) -> None:
    for key in ("score", "accuracy", "unparsed"):
        value = row.get(key)
        if isinstance(value, int | float) and not -_LARGEST <= value <= _LARGEST:
            raise ConfigError(
                f"{path}, row {place}: {key} of document {row.get('doc_id')} is {value}, which is "
                "no score.",
                "Correct what scores the answers (0 for one that cannot be scored) and run again.",
            )


def _sample(row: Mapping[str, Any], score: float, accuracy: float, unparsed: float) -> Sample:
    judge = row.get("judge") or {}
    return Sample(
        item=row["item"],
        column=row["column"],
        category=row["category"],
        video=row["video"],
        score=float(score),
        accuracy=float(accuracy),
        unparsed=float(unparsed),
        way=row.get("way"),
        judged=row.get("judged"),
        judge_failed=bool(row.get("judge_failures")),
        judge=f"{judge['service']}:{judge['model']}" if judge else None,
    )
