"""The results of a run or a study, as tables and as questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from aurelia_plugin.compare.result import Comparison, Figure
from aurelia_plugin.compare.result.parts import Change, ScopeKind
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.notebooks.questions import Question
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.store import TraceStore

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Cell", "Results", "TableName"]

Cell: TypeAlias = str | int | float | bool | None
TableName = Literal["arms", "columns", "categories", "questions"]

_SCOPES: dict[str, tuple[ScopeKind, ...]] = {
    "arms": ("all",),
    "columns": ("column",),
    "categories": ("category",),
}


class Results:
    """What runs have given, side by side.

    Args:
        comparison: their comparison; `comparison` gives access to everything in it.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._stores: dict[Path, TraceStore] = {}

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms' labels, in the order of the tables."""
        return tuple(run.label for run in self.comparison.runs)

    @property
    def verdict(self) -> str:
        """What follows, in a sentence for each arm that was tested; empty for a single run."""
        return "\n".join(verdict.sentence for verdict in self.comparison.verdicts)

    def rows(self, name: TableName = "arms") -> list[dict[str, Cell]]:
        """Return a table as a list of rows.

        Scores, gains and their bounds are fractions: 0.1 is ten points.

        Args:
            name: one row per arm (`arms`), per arm and column (`columns`), per arm and category
                (`categories`), or per question and arm (`questions`).

        Raises:
            ConfigError: there is no such table.
        """
        if name == "questions":
            return [row for question in self.questions() for row in _answers(question)]
        if name not in _SCOPES:
            raise ConfigError(
                f"There is no table {name!r}.", f"Choose from: {', '.join((*_SCOPES, 'questions'))}"
            )
        return [
            self._row(figure) for figure in self.comparison.figures if figure.kind in _SCOPES[name]
        ]

    def table(self, name: TableName = "arms") -> DataFrame | list[dict[str, Cell]]:
        """Return a table as a pandas DataFrame; without pandas as a list of rows (see `rows`)."""
        rows = self.rows(name)
        if find_spec("pandas") is None:
            return rows
        from pandas import DataFrame

        return DataFrame(rows)

    def questions(
        self,
        *,
        arm: str | None = None,
        change: Change | None = None,
        column: str | None = None,
        right: bool | None = None,
    ) -> Iterator[Question]:
        """Yield the questions, those that fit all that is given.

        Args:
            arm: the arm that `change` and `right` are about.
            change: beside the reference arm: `wrong_to_right`, `right_to_wrong`, `right`, `wrong`.
            column: a subtask.
            right: whether the arm's answer is right.

        Raises:
            ConfigError: there is no such arm, or `change` or `right` is given without one.
        """
        if arm is None and (change is not None or right is not None):
            raise ConfigError("change and right are about an arm.", "Give arm as well.")
        if arm is not None and arm not in self.arms:
            raise ConfigError(f"There is no arm {arm!r}.", f"Choose from: {', '.join(self.arms)}")
        return self._chosen(arm, change, column, right)

    def _chosen(
        self, arm: str | None, change: Change | None, column: str | None, right: bool | None
    ) -> Iterator[Question]:
        for item in self.comparison.items:
            answer = None if arm is None else item.arms.get(arm)
            if column not in (None, item.column):
                continue
            if arm is not None and answer is None:
                continue
            if answer is not None and change not in (None, answer.change):
                continue
            if answer is not None and right is not None and answer.right is not right:
                continue
            yield Question.of(item, self._trace)

    def _trace(self, arm: str, key: str) -> Trace | None:
        folder = self.comparison.run(arm).traces
        if folder is None or not Path(folder).is_dir():
            return None
        place = Path(folder)
        store = self._stores.setdefault(place, TraceStore(place, writable=False))
        return store.trace(key)

    def _row(self, figure: Figure) -> dict[str, Cell]:
        contrast = self.comparison.contrast(figure.arm, figure.kind, figure.name)
        gain = contrast.interval if contrast else None
        return {
            "arm": figure.arm,
            "scope": figure.name,
            "n": figure.n,
            "score": figure.score,
            "score_low": figure.interval.low if figure.interval else None,
            "score_high": figure.interval.high if figure.interval else None,
            "gain": contrast.gain if contrast else None,
            "gain_low": gain.low if gain else None,
            "gain_high": gain.high if gain else None,
            "p": contrast.p if contrast else None,
            "unparsed": figure.unparsed,
            "failed": figure.failed,
            "iterations": figure.mean_iterations,
            "input_tokens": figure.input_tokens,
            "output_tokens": figure.output_tokens,
            "cost": figure.cost,
            "latency": figure.seconds,
        }


def _answers(question: Question) -> Iterator[dict[str, Cell]]:
    about: Mapping[str, Cell] = {
        "id": question.id,
        "column": question.column,
        "category": question.category,
        "question": question.text,
        "gold": question.gold,
    }
    for answer in question.answers.values():
        yield {
            **about,
            "arm": answer.arm,
            "answer": answer.text,
            "read": answer.read,
            "right": answer.right,
            "score": answer.score,
            "change": answer.change,
            "failed": answer.failed,
            "leak": answer.leak,
        }
