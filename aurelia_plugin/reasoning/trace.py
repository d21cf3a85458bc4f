"""The record of the loop for one question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import Field

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.records import Record
from aurelia_plugin.files.storable import Storable
from aurelia_plugin.reasoning.roles import Role
from aurelia_plugin.reasoning.variant import LoopVariant

__all__ = ["TRACE_SCHEMA", "AgentCall", "Iteration", "MadeBy", "StopReason", "Trace", "best_of"]

TRACE_SCHEMA = 1
"""Part of every key: raised when the loop or the stored form changes."""

StopReason = Literal["accepted", "exhausted", "unscored", "failed", "over_budget"]


class AgentCall(Record):
    """One call of one agent.

    Attributes:
        ask: 0 for the first time, 1 when an unreadable reply was asked for again.
        read: how the reply was read: `json`, `embedded`, `repaired`, `text`, `lines`, or
            `unreadable`.
        passes: forward passes of the model; None where its backend does not know.
    """

    role: Role
    ask: int
    text: str
    read: str = ""
    model: str
    usage: Usage
    evidence: Evidence
    passes: int | None = None


class Iteration(Record):
    """One round: steps, caption, score.

    Attributes:
        score: 1 to 10, or None when no score could be read.
        feedback: what the evaluator said beside the score.
    """

    steps: tuple[str, ...]
    step_answers: tuple[str, ...] = ()
    final_answer: str | None = None
    caption: str | None = None
    score: int | None = Field(None, ge=1, le=10)
    feedback: str | None = None
    calls: tuple[AgentCall, ...] = ()


class MadeBy(NamedTuple):
    """What a trace depends on beside its question."""

    roles: Mapping[Role, str]
    prompts_digest: str
    threshold: int
    max_iterations: int
    seed: int
    variant: LoopVariant | None = None

    def trace_key(self, question_key: str) -> str:
        """Return the key under which the trace of a question is stored."""
        variant = [] if self.variant is None else [self.variant.model_dump(mode="json")]
        return digest_of([TRACE_SCHEMA, question_key, dict(self.roles), *self[1:5], *variant])


class Trace(Record):
    """The loop's whole record for one question.

    Attributes:
        key: digest of all that the loop depends on.
        question_key: digest of clip and text alone.
        roles: the identity of each agent's backend.
        best: index of the iteration whose steps are r*, or None if there is none.
        stop: why the loop ended.
        variant: what the loop went without; None for the whole loop.
        error: what failed, or which limit was reached, when `stop` is `failed` or `over_budget`.
    """

    schema_version: int = TRACE_SCHEMA
    key: str
    question_key: str
    question: Storable
    clip_digest: str
    media: tuple[Storable, ...]
    roles: dict[Role, str]
    prompts_digest: str
    threshold: int = Field(ge=1, le=10)
    max_iterations: int = Field(ge=1)
    seed: int
    variant: LoopVariant | None = None
    iterations: tuple[Iteration, ...] = ()
    best: int | None = None
    stop: StopReason
    error: Storable | None = None

    @property
    def made_by(self) -> MadeBy:
        """What it depends on beside its question."""
        return MadeBy(
            self.roles,
            self.prompts_digest,
            self.threshold,
            self.max_iterations,
            self.seed,
            self.variant,
        )

    @property
    def judged(self) -> int:
        """The score that decides on acceptance: the last, the highest of independent sets; or 0."""
        scores = [iteration.score or 0 for iteration in self.iterations]
        if self.variant is not None and self.variant.independent:
            return max(scores, default=0)
        return scores[-1] if scores else 0

    @property
    def finished(self) -> bool:
        """Whether the loop came to its own end; one that did not is made again."""
        return self.stop not in ("failed", "over_budget")

    def iteration(self, number: int | None) -> Iteration | None:
        """Return an iteration, counted from 1; the last where there are fewer, None for the best.

        None is returned where there is no such iteration at all.
        """
        if not self.iterations:
            return None
        if number is not None:
            return self.iterations[min(number, len(self.iterations)) - 1]
        return None if self.best is None else self.iterations[self.best]

    @property
    def steps(self) -> tuple[str, ...]:
        """r*: the steps of the best iteration."""
        return () if self.best is None else self.iterations[self.best].steps

    @property
    def step_answers(self) -> tuple[str, ...]:
        """The step answers that go with r*."""
        return () if self.best is None else self.iterations[self.best].step_answers


def best_of(iterations: tuple[Iteration, ...]) -> int | None:
    """Return the index of the highest score, the earliest on a tie.

    If none has a score, the first iteration with steps is the best.
    """

    def rank(index: int) -> tuple[int, bool, int]:
        iteration = iterations[index]
        return iteration.score or 0, bool(iteration.steps), -index

    return max(range(len(iterations)), key=rank, default=None)
