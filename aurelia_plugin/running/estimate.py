"""What a whole run will take, from real traces of a few of its questions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.calling.prices import Price
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES, Role
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.running.agents import Agents

__all__ = ["Estimate", "Range", "Sampled", "estimate", "sample"]

_RESAMPLES = 2_000
_ASKS = 2
"""How often an agent is asked at most in one iteration."""


class Sampled(NamedTuple):
    """One question of the sample.

    Attributes:
        trace: as its agents made it.
        seconds: that this took; None if the trace came from the store.
    """

    trace: Trace
    seconds: float | None


class Range(NamedTuple):
    """An expected value and the interval that holds it, low to high."""

    expected: float
    low: float
    high: float


class Estimate(NamedTuple):
    """What the agents of a whole run will take.

    Attributes:
        questions: of the whole run.
        sampled: how many of them the estimate stands on.
        unfinished: sampled questions whose loop failed or was ended by the budget; they count with
            the calls that they made.
        level: the confidence of the ranges.
        calls: agent calls.
        input_tokens: tokens read.
        output_tokens: tokens written.
        cost: US dollars; None if a model has no price.
        hours: None if the whole sample came from the store.
        most_calls: no run can make more, retries not counted.
    """

    questions: int
    sampled: int
    unfinished: int
    level: float
    calls: Range
    input_tokens: Range
    output_tokens: Range
    cost: Range | None
    hours: Range | None
    most_calls: int

    def record(self) -> dict[str, object]:
        """Return the estimate for JSON."""
        return {
            key: value._asdict() if isinstance(value, Range) else value
            for key, value in self._asdict().items()
        }

    def text(self) -> str:
        """Return the estimate for the screen."""
        money = _shown(self.cost, ",.2f") if self.cost else "a price is not known"
        hours = _shown(self.hours, ",.2f") if self.hours else "not known: all traces were there"
        lines = [
            f"{self.questions} questions, estimated from {self.sampled} "
            f"({self.level:.0%} interval in brackets):",
            f"  agent calls    {_shown(self.calls, ',.0f')}, at most {self.most_calls:,}",
            f"  tokens read    {_shown(self.input_tokens, ',.0f')}",
            f"  tokens written {_shown(self.output_tokens, ',.0f')}",
            f"  US dollars     {money}",
            f"  hours          {hours}",
        ]
        if self.unfinished:
            lines.append(f"  {self.unfinished} of the sample did not finish: look at their traces")
        return "\n".join(lines)


def _shown(value: Range, form: str) -> str:
    return f"{value.expected:{form}} [{value.low:{form}}, {value.high:{form}}]"


async def sample(agents: Agents, questions: Iterable[Question]) -> list[Sampled]:
    """Make the traces of a few questions, all at once; they are kept like any others.

    Raises:
        StoreError: the traces folder cannot be written.
    """

    async def one(question: Question) -> Sampled:
        stored = agents.stored(question)
        if stored is not None:
            return Sampled(stored, None)
        begun = time.monotonic()
        trace = await agents.trace(question)
        return Sampled(trace, time.monotonic() - begun)

    return list(await asyncio.gather(*map(one, questions)))


def estimate(
    sampled: Sequence[Sampled],
    questions: int,
    *,
    models: Mapping[Role, Price | None],
    parallel: int,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return what the agents will take over all questions.

    Totals are the sample's mean times the number of questions. The ranges are percentile bootstrap
    intervals over questions; with one question in the sample they go from the fewest calls that a
    loop can make to the most, in proportion.

    Args:
        sampled: questions of the run, drawn at random.
        questions: of the whole run, the sample included.
        models: the price of each role's model; None if it is not known.
        parallel: questions under way at once.
        level: of the ranges.
        seed: of the resampling.

    Raises:
        ConfigError: the sample is empty, or larger than the run.
    """
    if not 0 < len(sampled) <= questions:
        raise ConfigError(
            f"An estimate for {questions} questions from {len(sampled)} of them.",
            "Sample at least one question, and no more than there are.",
        )
    traces = [one.trace for one in sampled]
    scale = _Scale(questions, level, seed, traces)
    lanes = 3600 * max(1, min(parallel, questions))
    hours = [one.seconds / lanes for one in sampled if one.seconds is not None]
    costs = [_cost(trace, models) for trace in traces]
    known = [cost for cost in costs if cost is not None]
    return Estimate(
        questions=questions,
        sampled=len(sampled),
        unfinished=sum(not trace.finished for trace in traces),
        level=level,
        calls=scale([_sum(trace, lambda call: 1) for trace in traces]),
        input_tokens=scale([_sum(trace, lambda call: call.usage.input_tokens) for trace in traces]),
        output_tokens=scale(
            [_sum(trace, lambda call: call.usage.output_tokens) for trace in traces]
        ),
        cost=scale(known) if len(known) == len(costs) else None,
        hours=scale(hours) if hours else None,
        most_calls=questions * _most_calls(traces[0]),
    )


class _Scale:
    """From a quantity of each sampled question to that of the whole run."""

    def __init__(self, questions: int, level: float, seed: int, traces: Sequence[Trace]) -> None:
        self._questions = questions
        self._tails = [(1 - level) / 2, (1 + level) / 2]
        self._seed = seed
        self._calls = max(1.0, _sum(traces[0], lambda call: 1))
        self._most = _most_calls(traces[0])

    def __call__(self, values: Sequence[float]) -> Range:
        each: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
        mean = float(each.mean())
        if len(each) == 1:
            low, high = mean * len(ROLES) / self._calls, mean * self._most / self._calls
            low, high = min(low, mean), max(high, mean)
        else:
            rng = np.random.default_rng(self._seed)
            means = each[rng.integers(0, len(each), (_RESAMPLES, len(each)))].mean(axis=1)
            low, high = (float(tail) for tail in np.quantile(means, self._tails))
        return Range(*(self._questions * value for value in (mean, low, high)))


def _most_calls(trace: Trace) -> int:
    return trace.max_iterations * len(ROLES) * _ASKS


def _sum(trace: Trace, value: Callable[[Any], float]) -> float:
    return float(sum(value(call) for iteration in trace.iterations for call in iteration.calls))


def _cost(trace: Trace, models: Mapping[Role, Price | None]) -> float | None:
    total = 0.0
    for iteration in trace.iterations:
        for call in iteration.calls:
            price = models.get(call.role)
            if price is None:
                return None
            total += price.cost(call.usage, call.evidence)
    return total
