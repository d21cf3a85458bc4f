"""What the wrapper adds to a target once the traces are there.

The target is the embedded model on clips with picture and sound. Alone it is given the very prompts
that the wrapper builds, as fast as it takes them; behind the wrapper it is asked through the
harness's own instances, with `condition=aurelia` and traces made before. Media are decoded anew in
every pass. Both alternate, and the fastest pass of each counts.

Keys: `overhead_ratio` and `overhead_ms` (per question; 0 where noise makes the wrapper faster),
`agent_calls` (of all wrapped passes).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from lmms_eval.api.instance import Instance
from questions import make_clips
from shared import note, report

from aurelia_plugin.calling.backend import Backend, Prompt, Reply
from aurelia_plugin.media.shared import forget_decoded
from aurelia_plugin.model_wrappers.aurelia import Aurelia
from aurelia_plugin.model_wrappers.delivery.encoding import forget_encoded
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend

_TOKENS = 16


class Recording:
    """The target, with the prompts that it was given."""

    def __init__(self, target: Backend) -> None:
        self._target = target
        self.prompts: list[Prompt] = []

    @property
    def identity(self) -> str:
        """The target's."""
        return self._target.identity

    @property
    def concurrency(self) -> int:
        """The target's."""
        return self._target.concurrency

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer, and keep the prompt."""
        self.prompts.append(prompt)
        return await self._target(prompt)

    async def close(self) -> None:
        """Leave the target open: it is used again."""


def agent(_: Prompt) -> str:
    """Answer for every role."""
    return json.dumps({"steps": ["Look.", "Listen."], "answers": ["a", "b"], "score": 9})


def wrapped(target: Backend, folder: Path, rows: list[dict[str, Any]]) -> Aurelia:
    """Return the lmms-eval model around a target."""
    agents: dict[str, Any] = {role: ScriptedBackend(agent, identity="agent") for role in _ROLES}
    model = Aurelia(
        target=target,
        traces=str(folder),
        answers="fresh",  # each pass asks the target
        **agents,
    )
    model.task_dict["benchmark"] = {"test": rows}
    return model


_ROLES = ("reasoner", "summarizer", "evaluator")


def instances(rows: list[dict[str, Any]]) -> list[Instance]:
    """Return the harness's requests."""

    def messages(row: dict[str, Any]) -> list[dict[str, Any]]:
        video = {"type": "video", "url": row["video"]}
        return [{"role": "user", "content": [video, {"type": "text", "text": row["question"]}]}]

    settings = {"max_new_tokens": _TOKENS, "until": []}
    return [
        Instance(
            "generate_until",
            (row["question"], messages, settings, index, "benchmark", "test"),
            0,
            {"task": "benchmark", "doc_id": index, "repeats": 1},
        )
        for index, row in enumerate(rows)
    ]


def pass_wrapped(target: Backend, folder: Path, rows: list[dict[str, Any]]) -> tuple[float, int]:
    """Return the seconds of a wrapped pass, and its agent calls."""
    model = wrapped(target, folder, rows)
    requests = instances(rows)
    forget_decoded()
    forget_encoded()
    begun = time.perf_counter()
    answers = model.generate_until(requests)
    seconds = time.perf_counter() - begun
    record = model.run.outcome.record()
    if record["failed"] or len(answers) != len(rows):
        raise SystemExit(f"questions failed: {record['problems']}")
    return seconds, sum(record["calls"].values())


def pass_alone(target: Backend, prompts: list[Prompt]) -> float:
    """Return the seconds that the target takes for the prompts."""

    async def work() -> None:
        await asyncio.gather(*(target(prompt) for prompt in prompts))

    forget_decoded()
    forget_encoded()
    begun = time.perf_counter()
    asyncio.run(work())
    return time.perf_counter() - begun


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="of the clips")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        clips = make_clips(folder, options.questions, options.seed)
        rows = [
            {"video": str(clip), "question": f"Which instrument is played in take {number}?"}
            for number, clip in enumerate(clips)
        ]
        target = BackendPool("embedded", {"reuse_gib": 0}).target
        recording = Recording(target)
        _, made = pass_wrapped(recording, folder / "traces", rows)  # makes the traces
        note(f"traces made with {made} agent calls")
        alone, behind, calls = [], [], 0
        for _ in range(options.rounds):
            alone.append(pass_alone(target, recording.prompts))
            seconds, made = pass_wrapped(target, folder / "traces", rows)
            behind.append(seconds)
            calls += made
    note(f"alone {[round(s, 2) for s in alone]} s, wrapped {[round(s, 2) for s in behind]} s")
    added = max(0.0, min(behind) - min(alone))
    report(
        {
            "overhead_ratio": added / min(alone),
            "overhead_ms": 1000 * added / options.questions,
            "agent_calls": calls,
        }
    )


if __name__ == "__main__":
    main()
