"""The agents of a run: their backends behind the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aurelia_plugin.calling.backend import Backend, Prompt
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.ledger import Purpose
from aurelia_plugin.calling.single_flight import SingleFlight
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.media.memory import holding
from aurelia_plugin.reasoning.loop import distil
from aurelia_plugin.reasoning.parsing import ReadVerdict
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import Role
from aurelia_plugin.reasoning.rounds import AskAgent, LoopPlan, Parsed, Round
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA, AgentCall, Trace
from aurelia_plugin.running.kept_replies import KeptReplies
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Agents"]


class Agents:
    """Makes traces: from the store where they are there, else by running the loop.

    Args:
        backends: one for each role; the same object may serve several.
        plan: what the loop reads.
        store: where traces and finished calls are kept.
        caller: makes the calls; one for all that asks the same services.
        senses: what of a clip the agents get, beside what the run's own media mode takes away.
    """

    def __init__(
        self,
        backends: Mapping[Role, Backend],
        plan: LoopPlan,
        store: TraceStore,
        caller: Caller | None = None,
        *,
        senses: MediaChange | None = None,
    ) -> None:
        self.plan = plan
        self._backends = backends
        self._store = store
        self._replies = KeptReplies(caller or Caller(), store)
        self._traces: SingleFlight[Trace] = SingleFlight()
        self._senses = senses or MediaChange("full", 0)

    async def trace(
        self, question: Question, *, priority: int = 0, breadth_first: bool = False
    ) -> Trace:
        """Return the question's trace; a question asked twice at once is worked out once.

        Args:
            priority: of its calls; see `Caller.answer`.
            breadth_first: whether its calls stand behind those of earlier iterations of others
                instead, so that it is known early which questions take many, and these end side
                by side.
        """
        sensed = await self._sense(question)
        key = self.plan.trace_key(sensed)
        return self._store.trace(key) or await self._traces(
            key, lambda: self._make(sensed, None if breadth_first else priority)
        )

    def stored(self, question: Question) -> Trace | None:
        """Return the question's trace if it was made before."""
        return self._store.trace(self.plan.trace_key(self._sensed(question)))

    async def rate(
        self, question: Question, answer: str, *, priority: int = 0
    ) -> Parsed[ReadVerdict | None]:
        """Have the evaluator score an answer against the clip; its calls are kept like others.

        Raises:
            AureliaError: as `Caller.answer` does.
        """
        sensed = await self._sense(question)
        ask = self._asking(sensed, priority)
        return await Round(sensed, self.plan, ask, 0).evaluate_answer(answer)

    async def _sense(self, question: Question) -> Question:
        """Return the question as the agents get it; its files may be read for its key."""
        if self._senses.changes:
            return await asyncio.to_thread(self._sensed, question)
        return question

    def _sensed(self, question: Question) -> Question:
        return self._senses.apply(question).keyed() if self._senses.changes else question

    async def _make(self, question: Question, priority: int | None) -> Trace:
        with holding(question.clip):
            trace = await distil(question, self.plan, self._asking(question, priority))
        await asyncio.to_thread(self._store.put_trace, trace)
        return trace

    def _asking(self, question: Question, priority: int | None) -> AskAgent:
        async def ask(role: Role, prompt: Prompt, *, iteration: int, ask: int) -> AgentCall:
            purpose = Purpose(role, iteration, question.column)
            turn = iteration if priority is None else priority
            backend = self._backends[role]
            parts = [TRACE_SCHEMA, backend.identity, prompt.digest(), iteration, ask]
            reply = await self._replies.reply(
                digest_of(parts), backend, prompt, purpose, priority=turn
            )
            return AgentCall(
                role=role,
                ask=ask,
                text=reply.text,
                model=reply.model,
                usage=reply.usage,
                evidence=reply.evidence,
                passes=reply.passes,
            )

        return ask
