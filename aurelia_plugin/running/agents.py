"""The agents of a run: their backends behind the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aurelia_plugin.calling.backend import Backend, Prompt
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.ledger import Purpose
from aurelia_plugin.calling.single_flight import SingleFlight
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.reasoning.loop import LoopPlan, distil
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import Role
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA, AgentCall, Trace
from aurelia_plugin.running.kept_replies import KeptReplies
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Agents"]


class Agents:
    """Makes traces: from the store where they are there, else by running the loop.

    Args:
        backends: one for each role; the same object may serve several.
        plan: what the loop reads.
        store: where traces and finished calls are kept.
        caller: makes the calls; one for all that asks the same services.
    """

    def __init__(
        self,
        backends: Mapping[Role, Backend],
        plan: LoopPlan,
        store: TraceStore,
        caller: Caller | None = None,
    ) -> None:
        self.plan = plan
        self._backends = backends
        self._store = store
        self._replies = KeptReplies(caller or Caller(), store)
        self._traces: SingleFlight[Trace] = SingleFlight()

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
        key = self.plan.trace_key(question)
        return self.stored(question) or await self._traces(
            key, lambda: self._make(question, None if breadth_first else priority)
        )

    def stored(self, question: Question) -> Trace | None:
        """Return the question's trace if it was made before."""
        return self._store.trace(self.plan.trace_key(question))

    async def _make(self, question: Question, priority: int | None) -> Trace:
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
            )

        trace = await distil(question, self.plan, ask)
        await asyncio.to_thread(self._store.put_trace, trace)
        return trace
