"""Best of N: the target answers several times with sampling, and the evaluator picks one answer.

Known as best-of-N or rejection sampling (Cobbe et al., "Training Verifiers to Solve Math Word
Problems", 2021, arXiv 2110.14168, section 4.2): a verifier scores N sampled solutions, and the
highest score counts. The verifier here is the loop's evaluator, so that what is compared is search
over answers beside search over steps. A control of equal compute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.calling.seeds import sample_seed
from aurelia_plugin.errors import BackendError, MediaError, OverBudgetError
from aurelia_plugin.reasoning.parsing import ReadVerdict
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.rounds import Parsed
from aurelia_plugin.running.conditions.base import (
    Answered,
    AskTarget,
    Condition,
    MakeTrace,
    Prepared,
    RateAnswer,
    calls_of,
    unfinished,
)
from aurelia_plugin.running.conditions.voting import read_any, sampled
from aurelia_plugin.running.outcomes import Failure
from aurelia_plugin.running.turns import Turn

__all__ = ["BestOfN"]


class _Candidate(NamedTuple):
    """An answer, and what the evaluator says of it: equal answers share a verdict."""

    reply: Reply
    verdict: Parsed[ReadVerdict | None]

    @property
    def score(self) -> int | None:
        return None if self.verdict.value is None else self.verdict.value.score


class BestOfN(Condition):
    """`condition=best_of_n`: of several sampled answers the one that the evaluator scores highest.

    An answer takes two calls. With C calls of the loop (C + 1) // 2 answers are sampled, two at
    least; equal answers are scored once. The earliest of equal scores is taken, and the first
    answer where no score could be read.

    Args:
        trace: makes traces; they only say how many calls the loop made.
        rate: has the evaluator score an answer.
        temperature: of the samples, unless the task itself samples.
        seed: the run's; each sample's own is made of it.
    """

    def __init__(self, trace: MakeTrace, rate: RateAnswer, temperature: float, seed: int) -> None:
        self._trace = trace
        self._rate = rate
        self._temperature = temperature
        self._seed = seed

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question unchanged, with the number of answers to sample."""
        trace = await self._trace(question, priority=priority)
        if not trace.finished:
            return unfinished(trace)
        samples = max(2, (calls_of(trace) + 1) // 2)
        return Prepared(question, trace=trace, uses_trace=False, samples=samples)

    async def answer(self, question: Question, prepared: Prepared, ask: AskTarget) -> Answered:
        """Return the best answer; one plain answer where the loop failed."""
        if prepared.question is None:
            return await super().answer(question, prepared, ask)
        replies = await self._sample(question, prepared.samples, ask)
        try:
            candidates = await self._scored(question, replies, prepared.priority)
        except (BackendError, MediaError, OverBudgetError) as error:
            turns = tuple(Turn.of("answer", reply) for reply in replies)
            return Answered(None, turns=turns, failure=Failure.of(error))
        best = max(range(len(candidates)), key=lambda i: (candidates[i].score or 0, -i))
        calls = {id(one.verdict): one.verdict.calls for one in candidates}
        return Answered(
            candidates[best].reply,
            turns=tuple(_turns(candidates, best)),
            calls=tuple(call for made in calls.values() for call in made),
        )

    async def _sample(self, question: Question, count: int, ask: AskTarget) -> list[Reply]:
        plain = question.prompt()
        temperature = plain.generation.temperature or self._temperature
        prompts = [sampled(plain, temperature, sample_seed(self._seed, i)) for i in range(count)]
        outcomes = await asyncio.gather(*map(ask, prompts), return_exceptions=True)
        replies = []
        for outcome in outcomes:  # all have ended, so what was finished is stored
            if isinstance(outcome, BaseException):
                raise outcome
            replies.append(outcome)
        return replies

    async def _scored(
        self, question: Question, replies: Sequence[Reply], priority: int
    ) -> list[_Candidate]:
        read = question.reader or read_any
        verdicts: dict[str, Parsed[ReadVerdict | None]] = {}
        candidates = []
        for reply in replies:
            value = read(reply.text) or reply.text
            if value not in verdicts:
                verdicts[value] = await self._rate(question, reply.text, priority=priority)
            candidates.append(_Candidate(reply, verdicts[value]))
        return candidates


def _turns(candidates: Sequence[_Candidate], best: int) -> list[Turn]:
    turns: list[Turn] = []
    seen: set[int] = set()
    for index, one in enumerate(candidates):
        turns.append(Turn.of("answer", one.reply, score=one.score, chosen=index == best))
        if id(one.verdict) not in seen:  # shown, and paid for, once
            seen.add(id(one.verdict))
            turns += [Turn.of("score", call, note=call.read) for call in one.verdict.calls]
    return turns
