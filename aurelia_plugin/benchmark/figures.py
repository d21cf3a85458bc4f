"""A run's figures from the harness's log of samples: per column, per category, over items."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final, NamedTuple

from aurelia_plugin.benchmark.candidates import outcomes
from aurelia_plugin.benchmark.schema import CATEGORIES, COLUMNS
from aurelia_plugin.benchmark.text_table import table
from aurelia_plugin.errors import ConfigError

__all__ = ["Figure", "RunFigures", "Sample", "clustered_error", "read_run"]

_FILE: Final = re.compile(r"(?P<date>\d{8}_\d{6})_samples_(?P<task>.+)\.jsonl$")
_NORMAL_95: Final = 1.959964


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


@dataclass(frozen=True)
class Figure:
    """Figures over some items; `low` and `high` bound the mean score at 95%, None if unknown."""

    n: int
    videos: int
    score: float
    low: float | None
    high: float | None
    accuracy: float
    unparsed: float

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Figure | None:
        """Return the figures over the samples, or None without any."""
        if not samples:
            return None
        scores = [sample.score for sample in samples]
        videos = [sample.video for sample in samples]
        mean, error = fmean(scores), clustered_error(scores, videos)
        half = None if error is None else _NORMAL_95 * error
        return cls(
            n=len(samples),
            videos=len(set(videos)),
            score=mean,
            low=None if half is None else max(0.0, mean - half),
            high=None if half is None else min(1.0, mean + half),
            accuracy=fmean(sample.accuracy for sample in samples),
            unparsed=fmean(sample.unparsed for sample in samples),
        )


def clustered_error(scores: Sequence[float], clusters: Sequence[str]) -> float | None:
    """Return the standard error of the mean of scores that are dependent within clusters.

    The square root of the sum over clusters of the squared sums of deviations, over n, with the
    correction k / (k - 1) for k clusters; Liang and Zeger, 1986. None for a single cluster.
    """
    count = len(set(clusters))
    if count < 2:
        return None
    mean = fmean(scores)
    sums: dict[str, float] = defaultdict(float)
    for score, cluster in zip(scores, clusters, strict=True):
        sums[cluster] += score - mean
    squares = math.fsum(value * value for value in sums.values())
    return math.sqrt(squares * count / (count - 1)) / len(scores)


@dataclass(frozen=True)
class RunFigures:
    """What `aurelia summary` shows."""

    files: tuple[str, ...]
    columns: Mapping[str, Figure]
    categories: Mapping[str, Figure | None]
    items: Figure
    mean_over_columns: float
    ways: Mapping[str, int]
    judge: Mapping[str, Any] | None

    def json(self) -> str:
        """Return the figures as JSON."""
        return json.dumps(asdict(self), indent=1)

    def text(self) -> str:
        """Return the figures as tables."""
        head = ["", "n", "videos", "score", "95% interval", "accuracy", "unparsed"]
        rows = [_cells(name, figure) for name, figure in self.columns.items()]
        rows.append(_cells("all items", self.items))
        text = [*(f"from {name}" for name in self.files), "", table(["column", *head[1:]], rows)]
        text.append(f"mean over columns: score {100 * self.mean_over_columns:.1f}")
        rows = [_cells(name, figure) for name, figure in self.categories.items()]
        text += ["", table(["category", *head[1:]], rows)]
        text += [f"dm_match: {count} items, {way}" for way, count in self.ways.items()]
        if self.judge is not None:
            text.append(
                "judge ({models}): {right:.1f} of {n} judged right; {failures} failures, "
                "not scored".format(**self.judge)
            )
        note = "Scores and shares in percent; intervals are clustered by video."
        return "\n".join([*text, "", note])


def _cells(name: str, figure: Figure | None) -> list[str]:
    if figure is None:
        return [name, "0", *"-----"]
    bounds = "-"
    if figure.low is not None and figure.high is not None:
        bounds = f"{100 * figure.low:.1f} to {100 * figure.high:.1f}"
    shares = [f"{100 * share:.1f}" for share in (figure.accuracy, figure.unparsed)]
    return [name, str(figure.n), str(figure.videos), f"{100 * figure.score:.1f}", bounds, *shares]


def read_run(folder: Path) -> RunFigures:
    """Return the figures of the samples below the folder.

    Of each task the latest file counts; an item that several tasks hold counts once.

    Raises:
        ConfigError: there are no samples of this package's tasks, several models' samples, or a
            file cannot be read.
    """
    files = _latest(folder)
    samples: dict[tuple[str, str], Sample] = {}
    for path in files:
        for sample in _samples(path):
            samples.setdefault((sample.item, sample.way or ""), sample)
    if not samples:
        raise ConfigError(
            f"{folder}: holds no samples of an AVReasonBench task.",
            "Run lmms-eval with --log_samples --output_path FOLDER, then name that FOLDER.",
        )
    return _figures(files, list(samples.values()))


def _latest(folder: Path) -> list[Path]:
    latest: dict[str, tuple[str, Path]] = {}
    for path in sorted(folder.rglob("*_samples_*.jsonl")):
        match = _FILE.search(path.name)
        if match is not None and match["date"] >= latest.get(match["task"], ("", path))[0]:
            latest[match["task"]] = (match["date"], path)
    paths = [path for _, path in latest.values()]
    if len({path.parent for path in paths}) > 1:
        raise ConfigError(
            f"{folder}: holds the samples of several models or runs.",
            f"Name one of: {', '.join(sorted({str(path.parent) for path in paths}))}",
        )
    # Tasks of columns before those of categories, which hold the same items.
    return sorted(paths, key=lambda path: ("_category_" in path.name, path.name))


def _samples(path: Path) -> Iterator[Sample]:
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: cannot be read: {error}", "Name the folder of a run that was finished."
        ) from error
    rows = [row for row in rows if "item" in row and "category" in row]
    rated = {row["item"]: row for row in rows if isinstance(row["score"], dict)}
    results = outcomes(row["score"] for row in rows if isinstance(row["score"], dict))
    for item, outcome in results.items():
        yield _sample(rated[item], outcome.score, outcome.score, outcome.unparsed)
    for row in rows:
        if not isinstance(row["score"], dict):
            yield _sample(row, row["score"], row["accuracy"], row["unparsed"])


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


def _figures(files: Iterable[Path], samples: Sequence[Sample]) -> RunFigures:
    by_column: dict[str, list[Sample]] = defaultdict(list)
    by_category: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        ways = sample.way == "one_run_per_candidate"
        by_column[f"{sample.column} (per candidate)" if ways else sample.column].append(sample)
        by_category[sample.category].append(sample)
    columns = {name: Figure.of(by_column[name]) for name in sorted(by_column, key=_place)}
    known = {name: figure for name, figure in columns.items() if figure is not None}
    everything = Figure.of(samples)
    assert everything is not None
    return RunFigures(
        files=tuple(str(path) for path in files),
        columns=known,
        categories={name: Figure.of(by_category[name]) for name in CATEGORIES},
        items=everything,
        mean_over_columns=fmean(figure.score for figure in known.values()),
        ways=dict(Counter(sample.way for sample in samples if sample.way is not None)),
        judge=_judge(samples),
    )


def _place(column: str) -> tuple[int, str]:
    name = column.split(" ", maxsplit=1)[0]
    return (COLUMNS.index(name) if name in COLUMNS else len(COLUMNS), column)


def _judge(samples: Sequence[Sample]) -> dict[str, Any] | None:
    asked = [sample for sample in samples if sample.judge is not None]
    if not asked:
        return None
    judged = [sample.judged for sample in asked if sample.judged is not None]
    return {
        "models": ", ".join(sorted({str(sample.judge) for sample in asked})),
        "n": len(judged),
        "right": sum(judged),
        "failures": sum(sample.judge_failed for sample in asked),
    }
