"""What a run did, counted: calls, tokens, evidence, outcomes. Counts of several processes add."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.calling.prices import Price
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.reasoning.trace import StopReason, Trace

__all__ = ["CallCount", "ItemCount", "OutcomeCount", "RunCount", "Spent", "UsageCount"]

_ENDS: tuple[StopReason, ...] = ("accepted", "exhausted", "unscored")
_EXAMPLES = 5

Self = TypeVar("Self", bound="_Count")


@dataclass
class _Count:
    """Numbers and tallies that add up over processes."""

    def merge(self: Self, other: Self) -> None:
        """Add another process's count, field by field."""
        for spec in fields(self):
            mine, theirs = getattr(self, spec.name), getattr(other, spec.name)
            setattr(self, spec.name, mine + theirs)


@dataclass
class CallCount(_Count):
    """Calls of one role (or of the target); replies taken from the store count as `reused`."""

    calls: int = 0
    reused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    frames: int = 0
    images: int = 0
    sound_seconds: float = 0.0
    clips: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)

    def add(self, reply: Reply) -> None:
        """Count one call that was made."""
        self.calls += 1
        self.input_tokens += reply.usage.input_tokens
        self.output_tokens += reply.usage.output_tokens
        self.frames += reply.evidence.frames
        self.images += reply.evidence.images
        self.sound_seconds += reply.evidence.sound_seconds
        self.clips += reply.evidence.clips
        self.dropped.update(reply.evidence.dropped)
        self.models[reply.model] += 1

    def evidence(self) -> dict[str, Any]:
        """Return what was delivered and what was dropped."""
        return {
            "calls": self.calls,
            "frames": self.frames,
            "images": self.images,
            "sound_seconds": round(self.sound_seconds, 3),
            "clips": self.clips,
            "dropped": dict(self.dropped),
        }


@dataclass
class Spent(_Count):
    """What was used of the budget: calls, tokens and US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass
class _Used(_Count):
    """Calls, their tokens and what these cost; `unpriced` calls have no price."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0

    def record(self) -> dict[str, Any]:
        """Return the row; a cost that is not wholly known is None."""
        return {
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": None if self.unpriced else round(self.cost, 6),
        }


class UsageCount:
    """Calls that were made, by who was asked, in which iteration, for which column."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int | None, str], _Used] = {}

    def add(
        self, role: str, iteration: int | None, column: str, reply: Reply, price: Price | None
    ) -> None:
        """Count one call.

        Args:
            role: an agent's, or `target`.
            iteration: 0 for the first; None for the target.
            column: the question's.
            reply: what came back.
            price: None if it is not known.
        """
        row = self._rows.setdefault((role, iteration, column), _Used())
        row.calls += 1
        row.input_tokens += reply.usage.input_tokens
        row.output_tokens += reply.usage.output_tokens
        row.cost += 0.0 if price is None else price.cost(reply.usage, reply.evidence)
        row.unpriced += price is None

    def merge(self, other: UsageCount) -> None:
        """Add another process's count."""
        for key, row in other._rows.items():
            self._rows.setdefault(key, _Used()).merge(row)

    def record(self) -> dict[str, Any]:
        """Return the sums as they stand in a run's summary; iterations count from 1."""
        return {
            "total": self._sums(lambda role, iteration, column: "total").get("total")
            or _Used().record(),
            "by_role": self._sums(lambda role, iteration, column: role),
            "by_iteration": self._sums(
                lambda role, iteration, column: "target" if iteration is None else iteration + 1
            ),
            "by_column": self._sums(lambda role, iteration, column: column),
        }

    def _sums(self, group: Callable[[str, int | None, str], str | int]) -> dict[str, Any]:
        sums: dict[str, _Used] = {}
        for key, row in sorted(self._rows.items(), key=lambda entry: str(entry[0])):
            sums.setdefault(str(group(*key)), _Used()).merge(row)
        return {name: used.record() for name, used in sums.items()}


@dataclass
class OutcomeCount(_Count):
    """How the questions of one category, or of the whole run, went.

    Attributes:
        agent_failures: questions whose loop failed.
        over_budget: questions whose loop the budget ended.
        target_failures: questions that the target could not be asked or did not answer.
        target_over_budget: questions that the budget did not allow the target to be asked.
        unanswered: questions whose answer is empty because of a failure or of the budget.
    """

    n: int = 0
    stops: Counter[str] = field(default_factory=Counter)
    iterations: int = 0
    traces: int = 0
    without_steps: int = 0
    agent_failures: int = 0
    over_budget: int = 0
    target_failures: int = 0
    target_over_budget: int = 0
    unanswered: int = 0

    def add_trace(self, trace: Trace) -> None:
        """Count a question's trace."""
        self.traces += 1
        self.stops[trace.stop] += 1
        self.iterations += len(trace.iterations)

    def record(self) -> dict[str, Any]:
        """Return the counts as they stand in a run's summary."""
        return {
            "n": self.n,
            **{stop: self.stops[stop] for stop in _ENDS},
            "over_budget": self.over_budget,
            "target_over_budget": self.target_over_budget,
            "failed": self.agent_failures + self.target_failures,
            "agent_failures": self.agent_failures,
            "target_failures": self.target_failures,
            "unanswered": self.unanswered,
            "without_steps": self.without_steps,
            "mean_iterations": round(self.iterations / self.traces, 4) if self.traces else 0.0,
        }


@dataclass
class ItemCount:
    """What became of one question.

    Attributes:
        id: `task/split/doc_id`.
        content: digest of clip and text as the task gives them, before `media=` changes them.
        media: names of its media, as a trace gives them.
        trace: key of the question's own trace, where the answer builds on it.
        vote: key of the vote, where several answers were sampled.
        steps: what stood in front of the question.
        preface: the words that stood there.
        failed: `agents`, `target` or None.
        dropped: evidence that did not reach the target.
        seconds: from taking up the question to its answer.
    """

    id: str
    content: str | None = None
    media: tuple[str, ...] = ()
    trace: str | None = None
    vote: str | None = None
    steps: tuple[str, ...] = ()
    preface: str = ""
    failed: str | None = None
    dropped: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


@dataclass
class RunCount:
    """Everything that is counted over a run."""

    total: OutcomeCount = field(default_factory=OutcomeCount)
    by_category: dict[str, OutcomeCount] = field(default_factory=dict)
    calls: dict[str, CallCount] = field(default_factory=dict)
    usage: UsageCount = field(default_factory=UsageCount)
    spent: Spent = field(default_factory=Spent)
    problems: list[str] = field(default_factory=list)
    items: list[ItemCount] = field(default_factory=list)

    def of(self, category: str) -> tuple[OutcomeCount, OutcomeCount]:
        """Return the two counts that a question of this category belongs to."""
        return self.total, self.by_category.setdefault(category, OutcomeCount())

    def problem(self, text: str) -> None:
        """Keep the first few failures' messages, to be shown."""
        if len(self.problems) < _EXAMPLES:
            self.problems.append(text)

    def merged(self, others: Iterable[RunCount]) -> RunCount:
        """Return the sum over processes, this one included."""
        whole = RunCount()
        for count in (self, *others):
            whole.total.merge(count.total)
            for category, outcome in count.by_category.items():
                whole.of(category)[1].merge(outcome)
            for name, calls in count.calls.items():
                whole.calls.setdefault(name, CallCount()).merge(calls)
            whole.usage.merge(count.usage)
            whole.spent.merge(count.spent)
            for text in count.problems:
                whole.problem(text)
            whole.items += count.items
        return whole

    def record(self) -> dict[str, Any]:
        """Return the counts as they stand in a run's summary."""
        calls = {name: self.calls.get(name, CallCount()) for name in (*ROLES, "target")}
        return {
            "calls": {role: calls[role].calls for role in ROLES},
            "calls_reused": {role: calls[role].reused for role in ROLES},
            "tokens": {
                name: {"input": count.input_tokens, "output": count.output_tokens}
                for name, count in calls.items()
            },
            "usage": self.usage.record(),
            "spent": {
                "calls": self.spent.calls,
                "tokens": self.spent.tokens,
                "cost_usd": round(self.spent.cost, 6),
            },
            **self.total.record(),
            "evidence": {name: count.evidence() for name, count in calls.items()},
            "models": {name: sorted(count.models) for name, count in calls.items()},
            "by_category": {
                category: outcome.record() for category, outcome in sorted(self.by_category.items())
            },
            "problems": self.problems,
        }
