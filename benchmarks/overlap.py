"""Agents and target together against the slower of the two alone.

Agents ask a loopback server (200 ms, 16 slots); the target takes one question at a time, for a
fixed time, in a thread, as a model on this machine's GPU would. Two cases: a target that is slower
than the agents, and one that is faster. Each of the three parts of a case has a traces folder of
its own, and all run one after the other in this process.

Key: `ratio_to_slower`, the larger of the two cases.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loopback import serving
from questions import QuestionSource, agents
from shared import note, report

from aurelia_plugin.calling.backend import Prompt, Reply
from aurelia_plugin.model_wrappers.batching import MicroBatcher
from aurelia_plugin.model_wrappers.run.run import Run

_LATENCY = 0.2
_SLOTS = 16


class FixedTarget:
    """A target that takes the same time for every question, one after the other."""

    identity = "fixed"
    concurrency = 1

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._batcher: MicroBatcher[Prompt, Reply] = MicroBatcher(self._run, 1, lambda _: None)

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer after the time."""
        return await self._batcher(prompt)

    async def close(self) -> None:
        """Hold nothing."""

    def _run(self, prompts: Any) -> list[Reply]:
        time.sleep(self._seconds * len(prompts))
        return [Reply(text="a", model=self.identity) for _ in prompts]


class Silent:
    """A progress display that shows nothing."""

    def reasoned(self) -> None:
        """Show nothing."""

    def answered(self) -> None:
        """Show nothing."""


def timed(work: Callable[[], Any]) -> float:
    """Run async work and return the seconds it took."""
    begun = time.perf_counter()
    asyncio.run(work())
    return time.perf_counter() - begun


def case(address: str, folder: Path, questions: int, seconds: float) -> float:
    """Return the time of both together, divided by that of the slower alone."""
    sources = [QuestionSource(number, None) for number in range(questions)]
    spec = f"openai:m?server=sglang&base_url={address}&concurrency={_SLOTS}"

    def whole(name: str, condition: str) -> Run:
        traces = str(folder / name)
        return Run(
            {
                "target": FixedTarget(seconds),
                "agents": spec,
                "traces": traces,
                "condition": condition,
            }
        )

    stage = agents(address, folder / "agents", slots=_SLOTS)
    alone = timed(lambda: stage.distiller.run(sources, lambda source, trace: None))
    target = timed(lambda: whole("target", "none").answer(sources, Silent()))
    both = timed(lambda: whole("both", "aurelia").answer(sources, Silent()))
    ratio = both / max(alone, target)
    note(f"agents {alone:.2f} s, target {target:.2f} s, together {both:.2f} s: {ratio:.3f}")
    return ratio


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--slow", type=float, default=0.09, help="seconds of the slow target")
    parser.add_argument("--fast", type=float, default=0.03, help="seconds of the fast target")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, serving(_LATENCY, _SLOTS) as address:
        folder = Path(work)
        case(address, folder / "warm", 4, 0.001)
        ratios = [
            case(address, folder / str(seconds), options.questions, seconds)
            for seconds in (options.slow, options.fast)
        ]
    report({"ratio_to_slower": max(ratios)})


if __name__ == "__main__":
    main()
