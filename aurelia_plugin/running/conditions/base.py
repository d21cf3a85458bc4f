"""Conditions: what stands in front of a question, and how often and how the target is asked.

Every condition asks the same target through the same path. A new one is a class with one method,
`prepare`; the other hooks have defaults.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from aurelia_plugin.calling.backend import Prompt, Reply
from aurelia_plugin.reasoning.injection import Reasoning
from aurelia_plugin.reasoning.parsing import ReadVerdict
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.rounds import Parsed
from aurelia_plugin.reasoning.trace import AgentCall, StopReason, Trace
from aurelia_plugin.running.conditions.donors import Gather
from aurelia_plugin.running.outcomes import Failure
from aurelia_plugin.running.turns import Turn

__all__ = [
    "Answered",
    "AskTarget",
    "Condition",
    "MakeTrace",
    "Prepared",
    "RateAnswer",
    "calls_of",
    "unfinished",
]

AskTarget = Callable[[Prompt], Awaitable[Reply]]
"""Puts a prompt to the target."""


class MakeTrace(Protocol):
    """Makes a question's trace, or finds it where it was made before."""

    async def __call__(self, question: Question, *, priority: int = 0) -> Trace:
        """Return the trace; `priority` as for `Caller.answer`."""


class RateAnswer(Protocol):
    """Has the evaluator score an answer against the clip, 1 to 10.

    Raises `BackendError` or `MediaError` when a call failed after its retries, and
    `OverBudgetError` when it was not made.
    """

    async def __call__(
        self, question: Question, answer: str, *, priority: int = 0
    ) -> Parsed[ReadVerdict | None]:
        """Return the verdict, None where no score could be read, with its calls."""


class Prepared(NamedTuple):
    """A question as a condition puts it to the target.

    Attributes:
        question: what the target is asked, or None when there is nothing to ask.
        failure: why there is nothing to ask.
        trace: the question's own trace, under conditions that make one.
        uses_trace: whether the answer builds on that trace (else its calls are only counted).
        steps: what stands in front of the question, its own or another's.
        preface: the words that stand there.
        samples: how many answers are to be sampled, where several are.
        rounds: how often an answer is to be criticised, where it is.
        priority: of the calls of agents that `answer` makes; see `Caller.answer`.
    """

    question: Question | None
    failure: Failure | None = None
    trace: Trace | None = None
    uses_trace: bool = True
    steps: tuple[str, ...] = ()
    preface: str = ""
    samples: int = 1
    rounds: int = 0
    priority: int = 0


class Answered(NamedTuple):
    """The answer under a condition.

    Attributes:
        reply: the target's, or None where an agent that it depends on failed.
        vote: key of the vote, where answers were counted.
        turns: what was said on the way, the answer included; empty where it took one turn.
        calls: of agents that took part after the target was asked.
        failure: why there is no reply.
    """

    reply: Reply | None
    vote: str | None = None
    turns: tuple[Turn, ...] = ()
    calls: tuple[AgentCall, ...] = ()
    failure: Failure | None = None


class Condition(ABC):
    """What becomes of a question before the target is asked, and how it is asked.

    Attributes:
        collects: whether `collect` must see every question of the run before any is prepared.
    """

    collects = False

    async def collect(self, question: Question, *, priority: int = 0) -> Trace | None:
        """Look at one question of this process; return its trace if one was made."""
        return None

    def finish_collecting(self, gather: Gather[tuple[str, str, Reasoning | StopReason]]) -> None:
        """Use what was collected; `gather` joins what the processes of the run have seen."""
        return None

    @abstractmethod
    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question as it is put: behind words, decoded otherwise, or unchanged.

        Args:
            question: as the task and the media mode give it.
            priority: of the calls that this makes; see `Caller.answer`.
        """

    async def answer(self, question: Question, prepared: Prepared, ask: AskTarget) -> Answered:
        """Return the target's answer to the prepared question.

        Args:
            question: what the target is asked: `prepared.question`, or the task's own question
                where that is None and `on_agent_failure=zero_shot`.
            prepared: by this condition.
            ask: puts a prompt to the target; raises what the target raises.
        """
        return Answered(await ask(question.prompt()))


def calls_of(trace: Trace) -> int:
    """Return how many calls the loop of a trace made."""
    return sum(len(iteration.calls) for iteration in trace.iterations)


def unfinished(trace: Trace) -> Prepared:
    """Return the outcome of a question whose loop failed or was ended by the budget."""
    failure = Failure(str(trace.error), over_budget=trace.stop == "over_budget")
    return Prepared(None, failure, trace)
