"""The arms of a comparison: what stands in front of a question, and where it comes from.

Every arm asks the same target the same question through the same path; only the preface differs.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple, Protocol

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import StopReason, Trace

__all__ = [
    "Arm",
    "AureliaArm",
    "ConsistencyArm",
    "CotArm",
    "Gather",
    "Injector",
    "PlaceboArm",
    "Posed",
    "PrecomputedArm",
    "Reasoning",
    "ZeroShotArm",
    "shifted",
]

Gather = Callable[[list[Any]], list[Any]]
"""Joins the lists of all processes of a run; the identity where there is one process."""


class Reasoning(NamedTuple):
    """Steps to be followed, with their answers where they are given along."""

    steps: tuple[str, ...]
    step_answers: tuple[str, ...] = ()


class Posed(NamedTuple):
    """A question as one arm poses it.

    Attributes:
        question: what the target is asked, or None when the arm has nothing to pose.
        trace: the question's own trace, in the arms that make one.
        problem: why there is nothing to pose.
        steps: what stands in front of the question, its own or another's.
        preface: the words that stand there.
        samples: how many sampled answers are voted on; None for one answer, as the task wants it.
        over_budget: whether that is because the budget was used up.
    """

    question: Question | None
    trace: Trace | None = None
    problem: str | None = None
    steps: tuple[str, ...] = ()
    preface: str = ""
    samples: int | None = None
    over_budget: bool = False


class Arm(Protocol):
    """Turns a question into what the target is asked."""

    @property
    def surveys(self) -> bool:
        """Whether `survey` must see every question of the run before any is posed."""

    async def survey(self, question: Question) -> Trace | None:
        """Look at one question of this process; return its trace if one was made."""

    def settle(self, gather: Gather) -> None:
        """End the survey; `gather` joins what the processes of the run have seen."""

    async def pose(self, question: Question) -> Posed:
        """Return the question as this arm poses it."""


class ZeroShotArm:
    """`condition=none`: the question as it is."""

    surveys = False

    async def survey(self, question: Question) -> Trace | None:
        """Need nothing."""
        return None

    def settle(self, gather: Gather) -> None:
        """Need nothing."""

    async def pose(self, question: Question) -> Posed:
        """Return the question unchanged."""
        return Posed(question)


class CotArm(ZeroShotArm):
    """`condition=cot`: the model is told to think step by step; the answer's form stays."""

    def __init__(self, prompts: PromptSet) -> None:
        self._preface = prompts.render("cot", {})

    async def pose(self, question: Question) -> Posed:
        """Return the question behind the instruction."""
        return Posed(question.with_preface(self._preface), preface=self._preface)


class Injector:
    """Puts reasoning in front of a question.

    Args:
        with_answers: `inject=steps_and_answers`.
    """

    def __init__(self, prompts: PromptSet, *, with_answers: bool) -> None:
        self._prompts = prompts
        self._with_answers = with_answers

    def __call__(
        self, question: Question, reasoning: Reasoning, trace: Trace | None = None
    ) -> Posed:
        """Return the question behind the steps; unchanged if there are no steps."""
        if not reasoning.steps:
            return Posed(question, trace)
        fewer = [self._render(reasoning, count) for count in range(len(reasoning.steps) - 1, 0, -1)]
        preface = self._render(reasoning, len(reasoning.steps))
        return Posed(
            question.with_preface(preface, fewer),
            trace,
            steps=self._shown(reasoning),
            preface=preface,
        )

    def _render(self, reasoning: Reasoning, count: int) -> str:
        """Return the first `count` steps as they are put in front of a question."""
        answers = reasoning.step_answers[:count] if self._with_answers else ()
        values: Mapping[str, Any] = {"steps": reasoning.steps[:count], "step_answers": answers}
        return self._prompts.render("inject", values)

    def _shown(self, reasoning: Reasoning) -> tuple[str, ...]:
        """Return what the target reads: the steps, with their answers where those go along."""
        if not self._with_answers:
            return reasoning.steps
        return tuple(
            f"{step} {answer}".strip()
            for step, answer in zip_longest(reasoning.steps, reasoning.step_answers, fillvalue="")
        )


class AureliaArm(ZeroShotArm):
    """`condition=aurelia`: r* of this question."""

    def __init__(
        self, trace: Callable[[Question], Awaitable[Trace]], prompts: PromptSet, inject: str
    ) -> None:
        self._trace = trace
        self._inject = Injector(prompts, with_answers=inject == "steps_and_answers")

    async def pose(self, question: Question) -> Posed:
        """Return the question behind its own best steps."""
        trace = await self._trace(question)
        if not trace.finished:
            return Posed(None, trace, trace.error, over_budget=trace.stop == "over_budget")
        return self._inject(question, Reasoning(trace.steps, trace.step_answers), trace)


class PlaceboArm(AureliaArm):
    """`condition=placebo`: r* of another question, which looks right and helps nothing.

    The donor is found by a seeded cyclic shift over the questions of the whole run.
    """

    surveys = True

    def __init__(
        self,
        trace: Callable[[Question], Awaitable[Trace]],
        prompts: PromptSet,
        inject: str,
        seed: int,
    ) -> None:
        super().__init__(trace, prompts, inject)
        self._seed = seed
        self._seen: list[tuple[str, str, Reasoning | StopReason]] = []
        self._donors: dict[str, Reasoning | StopReason] = {}

    async def survey(self, question: Question) -> Trace | None:
        """Make this question's trace, so that another question can borrow it."""
        trace = await self._trace(question)
        own = Reasoning(trace.steps, trace.step_answers) if trace.finished else trace.stop
        self._seen.append((question.id, question.key, own))
        return trace

    def settle(self, gather: Gather) -> None:
        """Find every question's donor."""
        seen = gather(self._seen)
        donors = shifted([(identity, key) for identity, key, _ in seen], self._seed)
        if donors is None:
            raise ConfigError(
                "condition=placebo needs the steps of another question, and this run has only one.",
                "Raise --limit, or choose more tasks.",
            )
        own = {key: reasoning for _, key, reasoning in seen}
        self._donors = {key: own[donor] for key, donor in donors.items()}
        self._seen.clear()

    async def pose(self, question: Question) -> Posed:
        """Return the question behind its donor's steps."""
        donated = self._donors[question.key]
        if isinstance(donated, str):
            problem = f"the loop of the question that lends its steps ended: {donated}"
            return Posed(None, None, problem, over_budget=donated == "over_budget")
        return self._inject(question, donated)


class ConsistencyArm(ZeroShotArm):
    """`condition=consistency`: the question as it is, asked once for each call that the loop made.

    The control of equal compute. The trace is needed to know how many calls that were, and is made
    if it is not in the store.
    """

    def __init__(self, trace: Callable[[Question], Awaitable[Trace]]) -> None:
        self._trace = trace

    async def pose(self, question: Question) -> Posed:
        """Return the question unchanged, with the number of answers to sample."""
        trace = await self._trace(question)
        if not trace.finished:
            return Posed(None, trace, trace.error, over_budget=trace.stop == "over_budget")
        calls = sum(len(iteration.calls) for iteration in trace.iterations)
        return Posed(question, trace, samples=max(1, calls))


class PrecomputedArm(ZeroShotArm):
    """`condition=precomputed`: steps that were made before, or that the data set carries."""

    def __init__(
        self, look_up: Callable[[Question], Reasoning | None], prompts: PromptSet, inject: str
    ) -> None:
        self._look_up = look_up
        self._inject = Injector(prompts, with_answers=inject == "steps_and_answers")

    async def pose(self, question: Question) -> Posed:
        """Return the question behind the steps that were found for it."""
        found = self._look_up(question)
        if found is None:
            return Posed(None, None, f"no precomputed steps for {question.id}")
        return self._inject(question, found)


def shifted(items: Iterable[tuple[str, str]], seed: int) -> dict[str, str] | None:
    """Return for each key the key of its donor, None if there are fewer than two.

    Args:
        items: (id, key); items with equal keys are the same question. The order comes from the
            ids alone, so any number of processes finds the same donors.
        seed: chooses how far the keys are shifted, in a circle.
    """
    keys = list(dict.fromkeys(key for _, key in sorted(items)))
    if len(keys) < 2:
        return None
    by = random.Random(seed).randrange(1, len(keys))
    return {key: keys[(i + by) % len(keys)] for i, key in enumerate(keys)}
