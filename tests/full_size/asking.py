"""The public columns asked through the harness: by who reads the gold, and by text alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.stub import Stub, manager
from benchmark.text_alone import chance

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.statistics.proportions import proportion_bounds
from full_size.building import items_of

__all__ = ["Outcome", "embedded", "oracle"]


class Outcome(NamedTuple):
    """What one model made of one column.

    Attributes:
        model: a name.
        column: of the benchmark.
        n: questions.
        score: share of right answers.
        unparsed: share of replies without an answer.
        low, high: 95% interval of the score.
        chance: expected share of right guesses.
    """

    model: str
    column: str
    n: int
    score: float
    unparsed: float
    low: float
    high: float
    chance: float

    @property
    def is_chance(self) -> bool:
        """Whether guessing lies in the interval."""
        return self.low <= self.chance <= self.high

    def __str__(self) -> str:
        numbers = f"{100 * self.score:5.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"
        return (
            f"{self.model:32} {self.column:14} n {self.n:4}  {numbers:20}  "
            f"chance {100 * self.chance:.1f}  unparsed {100 * self.unparsed:.1f}"
        )


def oracle(home: Path, columns: Sequence[str]) -> list[Outcome]:
    """Ask a model that reads the gold answer."""
    return _asked("oracle", Stub(lambda doc: f"Answer: {doc['answer']}"), home, columns)


def embedded(home: Path, columns: Sequence[str], media: str, traces: Path) -> list[Outcome]:
    """Ask the packaged model, without reasoning steps.

    Args:
        home: the benchmark's folder.
        columns: of it.
        media: `text` (none is sent), `muted`, `blanked` or `full`.
        traces: where its record goes.
    """
    from aurelia_plugin.model_wrappers.aurelia import Aurelia

    model = Aurelia(
        target="embedded", condition="none", media=media, batch_size=32, traces=str(traces)
    )
    return _asked(f"embedded, media={media}", model, home, columns)


def _asked(name: str, model: Any, home: Path, columns: Sequence[str]) -> list[Outcome]:
    from lmms_eval import evaluator

    os.environ["AVREASONBENCH_PUBLIC_HOME"] = str(home)
    tasks = [f"avreasonbench_public_{column}" for column in columns]
    results = evaluator.simple_evaluate(
        model=model, tasks=tasks, task_manager=manager(), bootstrap_iters=0, log_samples=True
    )
    if not isinstance(results, dict):
        raise TypeError("the harness gave no results")
    return [
        _outcome(name, column, results["results"][task], items_of(home, column))
        for column, task in zip(columns, tasks, strict=True)
        if len(results["samples"][task]) == len(items_of(home, column))
    ]


def _outcome(name: str, column: str, row: dict[str, float], items: Sequence[Item]) -> Outcome:
    score = row["score,none"]
    bounds = proportion_bounds(score, len(items))
    return Outcome(
        name,
        column,
        len(items),
        score,
        row["unparsed,none"],
        float(bounds.low),
        float(bounds.high),
        chance(items),
    )
