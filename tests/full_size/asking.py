"""Tasks asked through the harness: by who reads the gold answers, and with the text alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.stub import Stub, manager
from benchmark.text_alone import by_text, chance, first_letter, longest_option

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.statistics.proportions import proportion_bounds

__all__ = ["Outcome", "adversaries", "embedded", "oracle"]


class Outcome(NamedTuple):
    """What one model made of one task.

    Attributes:
        model: a name.
        task: of the harness.
        n: questions.
        score: share of right answers.
        unparsed: share of replies without an answer.
        low, high: 95% interval of the score.
        chance: expected share of right guesses.
    """

    model: str
    task: str
    n: int
    score: float
    unparsed: float
    low: float
    high: float
    chance: float

    @property
    def is_perfect(self) -> bool:
        """Whether every answer was right."""
        return self.n > 0 and self.score == 1.0 and self.unparsed == 0.0

    @property
    def beats_chance(self) -> bool:
        """Whether the whole interval lies above guessing."""
        return self.low > self.chance

    def __str__(self) -> str:
        numbers = f"{100 * self.score:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"
        return (
            f"{self.model:20} {self.task:35} n {self.n:4}  {numbers:20}  "
            f"chance {100 * self.chance:.1f}  unparsed {100 * self.unparsed:.1f}"
        )


def oracle(tasks: Mapping[str, Sequence[Item]]) -> list[Outcome]:
    """Ask a model that reads the gold answer: the harness's tasks, and the items that each has."""
    return _asked("oracle", Stub(lambda doc: doc["answer"]), tasks)


def embedded(tasks: Mapping[str, Sequence[Item]], media: str, traces: Path) -> list[Outcome]:
    """Ask the packaged model, without reasoning steps.

    Args:
        tasks: as for `oracle`.
        media: `text` (none is sent), `muted`, `blanked` or `full`.
        traces: where its record goes.
    """
    from aurelia_plugin.model_wrappers.aurelia import Aurelia

    model = Aurelia(
        target="embedded", condition="none", media=media, batch_size=32, traces=str(traces)
    )
    return _asked(f"embedded, {media}", model, tasks)


def adversaries(task: str, items: Sequence[Item]) -> list[Outcome]:
    """Answer by the text alone, without a model: by rules, and by what was learned of other items.

    What is learned is learned of nine tenths of the items and asked of the tenth.
    """
    learned: list[bool] = []
    for fold in range(10):
        others = [item for place, item in enumerate(items) if place % 10 != fold]
        learned += by_text(others, items[fold::10])
    answers = {"learned": learned, "first": first_letter(items), "longest": longest_option(items)}
    outcomes = []
    for name, right in answers.items():
        score = sum(right) / len(right)
        bounds = proportion_bounds(score, len(right))
        numbers = (len(right), score, 0.0, float(bounds.low), float(bounds.high), chance(items))
        outcomes.append(Outcome(f"{name}, text", task, *numbers))
    return outcomes


def _asked(name: str, model: Any, tasks: Mapping[str, Sequence[Item]]) -> list[Outcome]:
    from lmms_eval import evaluator

    results = evaluator.simple_evaluate(
        model=model, tasks=list(tasks), task_manager=manager(), bootstrap_iters=0, log_samples=True
    )
    if not isinstance(results, dict):
        raise TypeError("the harness gave no results")
    outcomes = []
    for task, items in tasks.items():
        n = len(results["samples"][task])
        if n != len(items):
            raise ValueError(f"{task}: {n} of {len(items)} questions were asked")
        row = results["results"][task]
        bounds = proportion_bounds(row["score,none"], n)
        low, high = float(bounds.low), float(bounds.high)
        numbers = (n, row["score,none"], row["unparsed,none"], low, high, chance(items))
        outcomes.append(Outcome(name, task, *numbers))
    return outcomes
