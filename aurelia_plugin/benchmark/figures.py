"""A run's figures from the harness's log of samples: per column, per category, over items."""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS
from aurelia_plugin.benchmark.sample_log import Sample, read_samples, run_files
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.statistics.estimates import score_estimate

__all__ = ["RunFigures", "ScoreSummary", "column_of", "plain_table", "read_run"]

_WIDE: Final = 400  # characters: no line is broken, whatever the terminal's width


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as aligned text; the first column to the left, others to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    file = io.StringIO()
    Console(file=file, width=_WIDE, markup=False, highlight=False).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).strip("\n")


@dataclass(frozen=True)
class ScoreSummary:
    """Figures over some items.

    Attributes:
        low, high: bounds of the mean score at 95%; None where there are none.
        missing: why there are no bounds, in words.
    """

    n: int
    videos: int
    score: float
    low: float | None
    high: float | None
    accuracy: float
    unparsed: float
    missing: str = ""

    @classmethod
    def of(cls, samples: Sequence[Sample], *, by_column: bool = False) -> ScoreSummary | None:
        """Return the figures over the samples, or None without any.

        Args:
            by_column: whether every column has the same weight, instead of every item.
        """
        if not samples:
            return None
        scores = [sample.score for sample in samples]
        videos = [sample.video for sample in samples]
        columns = [column_of(sample) for sample in samples] if by_column else None
        found = score_estimate(scores, videos, columns)
        return cls(
            n=len(samples),
            videos=found.clusters,
            score=found.mean,
            low=found.low,
            high=found.high,
            accuracy=fmean(sample.accuracy for sample in samples),
            unparsed=fmean(sample.unparsed for sample in samples),
            missing=found.missing,
        )


@dataclass(frozen=True)
class RunFigures:
    """What `aurelia summary` shows."""

    files: tuple[str, ...]
    other_runs: tuple[str, ...]
    columns: Mapping[str, ScoreSummary]
    categories: Mapping[str, ScoreSummary | None]
    items: ScoreSummary
    mean_over_columns: float
    mean_over_columns_low: float | None
    mean_over_columns_high: float | None
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
        text = [
            *(f"from {name}" for name in self.files),
            "",
            plain_table(["column", *head[1:]], rows),
        ]
        bounds = _bounds(self.mean_over_columns_low, self.mean_over_columns_high)
        text.append(
            f"mean over columns: score {100 * self.mean_over_columns:.1f} {bounds}".rstrip()
        )
        rows = [_cells(name, figure) for name, figure in self.categories.items()]
        text += ["", plain_table(["category", *head[1:]], rows)]
        text += [f"dm_match: {count} items, {way}" for way, count in self.ways.items()]
        if self.judge is not None:
            text.append(
                "judge ({models}): {right:.1f} of {n} judged right; {failures} failures, "
                "not scored ({share:.1f}% of what it was asked)".format(**self.judge)
            )
        if self.other_runs:
            text.append(f"other runs here (--run DATE): {', '.join(self.other_runs)}")
        note = "Scores and shares in percent; intervals are clustered by video."
        return "\n".join([*text, "", note])


def _cells(name: str, figure: ScoreSummary | None) -> list[str]:
    if figure is None:
        return [name, "0", *"-----"]
    bounds = _bounds(figure.low, figure.high) or figure.missing
    shares = [f"{100 * share:.1f}" for share in (figure.accuracy, figure.unparsed)]
    return [name, str(figure.n), str(figure.videos), f"{100 * figure.score:.1f}", bounds, *shares]


def _bounds(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def read_run(folder: Path, date: str | None = None) -> RunFigures:
    """Return the figures of one run, from the samples below the folder.

    An item that several tasks of the run hold counts once.

    Args:
        date: of the run, as its files' names begin; the latest run if not given.

    Raises:
        ConfigError: there are no samples of this package's tasks, or those of several models, or a
            file cannot be read.
    """
    files, others = run_files(folder, date)
    samples: dict[tuple[str, str], Sample] = {}
    for path in files:
        for sample in read_samples(path):
            samples.setdefault((sample.item, sample.way or ""), sample)
    if not samples:
        raise ConfigError(
            f"{folder}: holds no samples of an AVReasonBench task.",
            "Run lmms-eval with --log_samples --output_path FOLDER, then name that FOLDER.",
        )
    return _figures(files, others, list(samples.values()))


def _figures(files: Iterable[Path], others: Sequence[str], samples: Sequence[Sample]) -> RunFigures:
    by_column: dict[str, list[Sample]] = defaultdict(list)
    by_category: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_column[column_of(sample)].append(sample)
        by_category[sample.category].append(sample)
    columns = {name: ScoreSummary.of(by_column[name]) for name in sorted(by_column, key=_place)}
    known = {name: figure for name, figure in columns.items() if figure is not None}
    everything, mean = ScoreSummary.of(samples), ScoreSummary.of(samples, by_column=True)
    assert everything is not None
    assert mean is not None
    return RunFigures(
        files=tuple(str(path) for path in files),
        other_runs=tuple(others),
        columns=known,
        categories={name: ScoreSummary.of(by_category[name]) for name in _categories(samples)},
        items=everything,
        mean_over_columns=mean.score,
        mean_over_columns_low=mean.low,
        mean_over_columns_high=mean.high,
        ways=dict(Counter(sample.way for sample in samples if sample.way is not None)),
        judge=_judge(samples),
    )


def _categories(samples: Sequence[Sample]) -> list[str]:
    """Return the paper's categories, if its columns are there, and then all others."""
    own = any(sample.column in COLUMNS for sample in samples)
    found = dict.fromkeys(sample.category for sample in samples)
    paper = [name for name in CATEGORIES if own or name in found]
    return [*paper, *sorted(found.keys() - set(CATEGORIES))]


def column_of(sample: Sample) -> str:
    """Return the column of a sample; candidates asked one by one have a column of their own."""
    one_by_one = sample.way == "one_run_per_candidate"
    return f"{sample.column} (per candidate)" if one_by_one else sample.column


def _place(column: str) -> tuple[int, str]:
    name = column.split(" ", maxsplit=1)[0]
    return (COLUMNS.index(name) if name in COLUMNS else len(COLUMNS), column)


def _judge(samples: Sequence[Sample]) -> dict[str, object] | None:
    asked = [sample for sample in samples if sample.judge is not None]
    if not asked:
        return None
    judged = [sample.judged for sample in asked if sample.judged is not None]
    failures = sum(sample.judge_failed for sample in asked)
    return {
        "models": ", ".join(sorted({str(sample.judge) for sample in asked})),
        "n": len(judged),
        "right": sum(judged),
        "failures": failures,
        "share": 100 * failures / len(asked),
    }
