"""Small real things that the tests of the method share: questions, replies, agents, runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aurelia_plugin.calling.backend import Backend, Generation, Message, Prompt, Reply, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.ledger import Ledger
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.media.clip import Media, Waveform
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import Iteration, Trace, best_of
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.running.conditions.base import Condition
from aurelia_plugin.running.kept_replies import KeptReplies
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.outcomes import RunOutcome
from aurelia_plugin.running.pipeline import Answer, Pipeline, Progress, Source
from aurelia_plugin.running.target import Target
from aurelia_plugin.settings import MediaMode
from aurelia_plugin.traces.store import TraceStore

QUICK = RetryPolicy(attempts=3, first_wait=0.0, longest_wait=0.0)

Script = Callable[[Prompt], "str | Reply | Awaitable[str | Reply]"] | Sequence[Any]


def beep(hertz: float = 440.0, seconds: float = 0.5) -> Media:
    moments = np.arange(round(seconds * 16_000)) / 16_000
    wave = np.sin(2 * np.pi * hertz * moments).astype(np.float32)
    return Media("audio", data=Waveform(wave, 16_000))


def question(text: str = "What rings?", *media: Media, id: str = "q/0", **fields: Any) -> Question:
    message = Message("user", (*media, Text(text)))
    return Question(id, (message,), Generation(max_new_tokens=16), **fields)


def text_of(prompt: Prompt) -> str:
    return "\n".join(part.text for part in prompt.parts() if isinstance(part, Text))


def steps(*texts: str, answers: Sequence[str] = (), final: str | None = None) -> str:
    value: dict[str, Any] = {"steps": texts, "answers": answers, "final_answer": final}
    return json.dumps(value)


def score(value: Any, feedback: str = "") -> str:
    return json.dumps({"score": value, "feedback": feedback})


class Made:
    """A source that makes its question anew each time."""

    def __init__(
        self,
        number: int,
        make: Callable[[int], Question] | None = None,
        before: Callable[[int], None] | None = None,
    ) -> None:
        self.id, self.category = f"q/{number}", "even" if number % 2 == 0 else "odd"
        self._number, self._make, self._before = number, make or numbered, before

    def __call__(self) -> Question:
        if self._before is not None:
            self._before(self._number)
        return self._make(self._number)


def numbered(number: int) -> Question:
    return question(f"Question {number}?", id=f"q/{number}")


class Silent:
    """Progress that nobody looks at."""

    def reasoned(self) -> None:
        pass

    def answered(self) -> None:
        pass


class Line:
    """A pipeline with what became of its questions, as a run has them."""

    def __init__(
        self,
        target: Backend,
        condition: Condition,
        media: MediaMode = "full",
        *,
        caller: Caller | None = None,
        store: TraceStore | None = None,
        fresh: bool = False,
        **how: Any,
    ) -> None:
        caller = caller or Caller(QUICK)
        self.outcome = RunOutcome(caller.ledger)
        self._pipeline = Pipeline(
            Target(target, KeptReplies(caller, store, fresh=fresh)),
            condition,
            MediaChange(media, seed=0),
            items=self.outcome.items,
            **how,
        )

    async def run(self, sources: Sequence[Source], progress: Progress) -> list[Answer]:
        return await self._pipeline.run(sources, progress)


def answers(line: Line, sources: Sequence[Source], progress: Progress | None = None) -> list[str]:
    """The texts that a line answers."""
    return [answer.text for answer in asyncio.run(line.run(sources, progress or Silent()))]


class Team(NamedTuple):
    """Three scripted agents behind a store."""

    agents: Agents
    reasoner: ScriptedBackend
    summarizer: ScriptedBackend
    evaluator: ScriptedBackend
    ledger: Ledger

    @property
    def asked(self) -> tuple[int, int, int]:
        """How many prompts each of the three was given."""
        return len(self.reasoner.prompts), len(self.summarizer.prompts), len(self.evaluator.prompts)


def team(
    folder: Path,
    reasoner: Script = lambda prompt: steps("Listen.", answers=["A bell."]),
    summarizer: Script = lambda prompt: "A bell rings.",
    evaluator: Script = lambda prompt: score(9),
    *,
    prompts: PromptSet | None = None,
    identities: Mapping[str, str] | None = None,
    caller: Caller | None = None,
    **plan: Any,
) -> Team:
    names: dict[Any, str] = {
        "reasoner": "r-1",
        "summarizer": "s-1",
        "evaluator": "e-1",
        **(identities or {}),
    }
    scripts = {"reasoner": reasoner, "summarizer": summarizer, "evaluator": evaluator}
    backends: dict[Any, ScriptedBackend] = {
        role: ScriptedBackend(scripts[role], identity=names[role]) for role in scripts
    }
    settings: dict[str, Any] = {"threshold": 6, "max_iterations": 3, **plan}
    loop = LoopPlan(prompts or PromptSet(), names, **settings)
    caller = caller or Caller(QUICK)
    agents = Agents(backends, loop, TraceStore(folder), caller)
    one, two, three = backends.values()
    return Team(agents, one, two, three, caller.ledger)


def trace(key: str, *iterations: Iteration, stop: str | None = None, **fields: Any) -> Trace:
    """Return a trace that agrees with itself, unless the fields say otherwise."""
    threshold = fields.get("threshold", 6)
    scores = [iteration.score for iteration in iterations]
    if stop is None and scores and (scores[-1] or 0) >= threshold:
        stop = "accepted"
    elif stop is None:
        stop = "exhausted" if any(scores) else "unscored"
    values: dict[str, Any] = {
        "key": key,
        "question_key": f"question of {key}",
        "question": "What rings?",
        "clip_digest": "0" * 64,
        "media": (),
        "roles": {},
        "prompts_digest": "1" * 64,
        "threshold": 6,
        "max_iterations": 5,
        "seed": 0,
        "best": best_of(iterations),
    }
    return Trace(**{**values, **fields}, iterations=iterations, stop=stop)
