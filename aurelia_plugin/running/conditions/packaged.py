"""The conditions of this package: reasoning, and its controls."""

from __future__ import annotations

from collections.abc import Callable

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.injection import Injector, Reasoning
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import StopReason, Trace
from aurelia_plugin.running.conditions.base import (
    Answered,
    AskTarget,
    Condition,
    MakeTrace,
    Prepared,
    calls_of,
    unfinished,
)
from aurelia_plugin.running.conditions.donors import Gather, donors
from aurelia_plugin.running.conditions.voting import Poll
from aurelia_plugin.running.outcomes import Failure

__all__ = ["Aurelia", "ChainOfThought", "Consistency", "Placebo", "Precomputed", "ZeroShot"]


class ZeroShot(Condition):
    """`condition=none`: the question as it is."""

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question unchanged."""
        return Prepared(question)


class ChainOfThought(Condition):
    """`condition=cot`: the model is told to think step by step; the answer's form stays."""

    def __init__(self, prompts: PromptSet) -> None:
        self._preface = prompts.render("cot", {})

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question behind the instruction."""
        return Prepared(question.with_preface(self._preface), preface=self._preface)


class Aurelia(Condition):
    """`condition=aurelia`: r* of this question.

    Args:
        trace: makes traces.
        injector: puts steps in front of the question.
        iteration: whose steps are used, counted from 1; by default the best one's.
    """

    def __init__(self, trace: MakeTrace, injector: Injector, iteration: int | None = None) -> None:
        self._trace = trace
        self._inject = injector
        self._iteration = iteration

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question behind its own best steps."""
        trace = await self._trace(question, priority=priority)
        if not trace.finished:
            return unfinished(trace)
        injected = self._inject(question, Reasoning.of(trace, self._iteration))
        return Prepared(
            injected.question, trace=trace, steps=injected.steps, preface=injected.preface
        )


class Placebo(Condition):
    """`condition=placebo`: r* of another question, which looks right and helps nothing.

    The donor is found by a seeded cyclic shift over the questions of the whole run.
    """

    collects = True

    def __init__(
        self, trace: MakeTrace, injector: Injector, seed: int, iteration: int | None = None
    ) -> None:
        self._trace = trace
        self._inject = injector
        self._seed = seed
        self._iteration = iteration
        self._seen: list[tuple[str, str, Reasoning | StopReason]] = []
        self._donated: dict[str, Reasoning | StopReason] = {}

    async def collect(self, question: Question, *, priority: int = 0) -> Trace | None:
        """Make this question's trace, so that another question can borrow it."""
        trace = await self._trace(question, priority=priority)
        own = Reasoning.of(trace, self._iteration) if trace.finished else trace.stop
        self._seen.append((question.id, question.key, own))
        return trace

    def finish_collecting(self, gather: Gather[tuple[str, str, Reasoning | StopReason]]) -> None:
        """Find every question's donor.

        Raises:
            ConfigError: if the run has only one question.
        """
        seen = gather(self._seen)
        found = donors([(identity, key) for identity, key, _ in seen], self._seed)
        if found is None:
            raise ConfigError(
                "condition=placebo needs the steps of another question, and this run has only one.",
                "Raise --limit, or choose more tasks.",
            )
        own = {key: reasoning for _, key, reasoning in seen}
        self._donated = {key: own[donor] for key, donor in found.items()}
        self._seen.clear()

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question behind its donor's steps."""
        donated = self._donated[question.key]
        if isinstance(donated, str):
            cause = f"the loop of the question that lends its steps ended: {donated}"
            return Prepared(None, Failure(cause, over_budget=donated == "over_budget"))
        injected = self._inject(question, donated)
        return Prepared(injected.question, steps=injected.steps, preface=injected.preface)


class Consistency(Condition):
    """`condition=consistency`: the question as it is, asked once for each call that the loop made.

    The control of equal compute. The trace is needed to know how many calls that were, and is made
    if it is not in the store.
    """

    def __init__(self, trace: MakeTrace, poll: Poll) -> None:
        self._trace = trace
        self._poll = poll

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question unchanged, with the number of answers to sample."""
        trace = await self._trace(question, priority=priority)
        if not trace.finished:
            return unfinished(trace)
        return Prepared(question, trace=trace, uses_trace=False, samples=max(1, calls_of(trace)))

    async def answer(self, question: Question, prepared: Prepared, ask: AskTarget) -> Answered:
        """Return the majority's answer; one plain answer where the loop failed."""
        if prepared.question is None:
            return await super().answer(question, prepared, ask)
        polled = await self._poll(question, prepared.samples, ask)
        return Answered(polled.reply, polled.key)


class Precomputed(Condition):
    """`condition=precomputed`: steps that were made before, or that the data set carries."""

    def __init__(
        self, look_up: Callable[[Question], Reasoning | None], injector: Injector, source: str
    ) -> None:
        self._look_up = look_up
        self._source = source
        self._inject = injector

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question behind the steps that were found for it."""
        found = self._look_up(question)
        if found is None:
            cause = f"precomputed={self._source} has no steps for {question.id}"
            return Prepared(None, Failure(cause))
        injected = self._inject(question, found)
        return Prepared(injected.question, steps=injected.steps, preface=injected.preface)
