"""The capacity model of docs/capacity.md: its formulas, and a simulation that tests them.

`python tools/capacity.py` prints the page's tables.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["CASES", "Load", "Service", "predicted", "simulated", "tables"]


@dataclass(frozen=True)
class Load:
    """What a job asks for.

    Attributes:
        questions: how many.
        accepted: the share of captions that is accepted, in each iteration alike.
        iterations: the most of them.
        asked_again: calls per call, because an unreadable reply is asked for once more.
        tokens: read and written by the three calls of one iteration.
    """

    questions: int
    accepted: float = 0.6
    iterations: int = 5
    asked_again: float = 1.0
    tokens: tuple[int, int] = (12_000, 900)


@dataclass(frozen=True)
class Service:
    """Who answers.

    Attributes:
        slots: calls that are served at once: replicas times calls that one bears.
        seconds: mean of a call; times vary by a factor that is log-normal with `spread`.
        prices: US dollars per million tokens read and written.
    """

    slots: int
    seconds: float
    spread: float = 0.5
    prices: tuple[float, float] = (0.0, 0.0)


class Outcome(NamedTuple):
    """Calls, tokens read and written, hours and US dollars."""

    calls: float
    read: float
    written: float
    hours: float
    cost: float


def mean_iterations(load: Load) -> float:
    """Return E[iterations] = (1 - (1 - a)^T) / a: each is accepted with probability a."""
    if load.accepted == 0:
        return float(load.iterations)
    return (1 - (1 - load.accepted) ** load.iterations) / load.accepted


def predicted(load: Load, service: Service) -> Outcome:
    """Return the model's figures.

    The time is that of all calls over all slots, plus that of the last questions, whose calls
    follow one another while slots fall idle: half of the longest loop's.
    """
    rounds = load.questions * mean_iterations(load)
    calls = 3 * rounds * load.asked_again
    read, written = (rounds * tokens * load.asked_again for tokens in load.tokens)
    tail = 0.5 * 3 * load.iterations * service.seconds
    seconds = calls * service.seconds / service.slots + tail
    cost = (read * service.prices[0] + written * service.prices[1]) / 1e6
    return Outcome(calls, read, written, seconds / 3600, cost)


def simulated(load: Load, service: Service, seed: int = 0) -> Outcome:
    """Return the figures of a simulated run, event by event.

    As in the pipeline, twice as many questions are under way as there are slots; a call takes the
    first slot that is free, in the order in which calls are asked.
    """
    rng = random.Random(seed)
    shift = -(service.spread**2) / 2  # makes the mean of the factor 1
    free = [0.0] * service.slots
    ready = [(0.0, number, 0, 0) for number in range(min(load.questions, 2 * service.slots))]
    heapq.heapify(ready)
    begun, calls, rounds, end = len(ready), 0, 0, 0.0
    while ready:
        moment, number, iteration, step = heapq.heappop(ready)
        again = 1 + (rng.random() < load.asked_again - 1)
        for _ in range(again):
            start = max(moment, heapq.heappop(free))
            moment = start + service.seconds * rng.lognormvariate(shift, service.spread)
            heapq.heappush(free, moment)
            calls += 1
        end = max(end, moment)
        if step < 2:
            heapq.heappush(ready, (moment, number, iteration, step + 1))
            continue
        rounds += 1
        if rng.random() >= load.accepted and iteration + 1 < load.iterations:
            heapq.heappush(ready, (moment, number, iteration + 1, 0))
        elif begun < load.questions:
            heapq.heappush(ready, (moment, begun, 0, 0))
            begun += 1
    scale = calls / (3 * rounds)
    read, written = (rounds * tokens * scale for tokens in load.tokens)
    cost = (read * service.prices[0] + written * service.prices[1]) / 1e6
    return Outcome(calls, read, written, end / 3600, cost)


CASES = {
    "a service, 32 calls at once": Service(32, 4.0, prices=(0.30, 2.50)),
    "one GPU, one vLLM server": Service(16, 3.0),
    "one node of 8, eight servers": Service(128, 3.0),
    "32 nodes of 8": Service(4096, 3.0),
}
_SIZES = (4_500, 100_000, 10_000_000)
_SIMULATED = 100_000
"""Questions up to which every call is simulated."""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _hours(hours: float) -> str:
    return f"{hours:,.2f}" if hours < 100 else f"{hours:,.0f}"


def tables() -> str:
    """Return the page's two tables."""
    lines = [
        _row("questions", "who answers", "calls", "tokens read", "tokens written", "hours", "US$"),
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for size in _SIZES:
        for name, service in CASES.items():
            found = predicted(Load(size), service)
            cost = f"{found.cost:,.0f}" if found.cost else "own machines"
            cells = (found.calls, found.read, found.written)
            amounts = [f"{cell / 1e6:,.2f} M" for cell in cells]
            lines.append(_row(f"{size:,}", name, *amounts, _hours(found.hours), cost))
    lines += [
        "",
        _row("questions", "who answers", "calls simulated", "hours", "the model's", "difference"),
        "|---:|---|---:|---:|---:|---:|",
    ]
    for size in (size for size in _SIZES if size <= _SIMULATED):
        for name, service in CASES.items():
            run, model = simulated(Load(size), service), predicted(Load(size), service)
            off = model.hours / run.hours - 1
            simulation = [
                f"{run.calls:,.0f}",
                f"{run.hours:,.3f}",
                f"{model.hours:,.3f}",
                f"{off:+.1%}",
            ]
            lines.append(_row(f"{size:,}", name, *simulation))
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables())
