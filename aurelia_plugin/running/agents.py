"""The agents of a run: their backends behind the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aurelia_plugin.calling.backend import Backend, Prompt, Reply
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.counts import CallCount, UsageCount
from aurelia_plugin.calling.pacing import standing
from aurelia_plugin.calling.single_flight import SingleFlight
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.reasoning.loop import LoopPlan, distil
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES, Role
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA, AgentCall, Trace
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
        self.counts: dict[Role, CallCount] = {role: CallCount() for role in ROLES}
        self.usage = UsageCount()
        self._backends = backends
        self._store = store
        self._caller = caller or Caller()
        self._traces: SingleFlight[Trace] = SingleFlight()
        self._calls: SingleFlight[Reply] = SingleFlight()

    async def trace(self, question: Question, *, breadth_first: bool = False) -> Trace:
        """Return the question's trace; a question asked twice at once is worked out once.

        Args:
            breadth_first: whether its calls stand behind those of earlier iterations of others,
                so that it is known early which questions take many, and these end side by side.
        """
        key = self.plan.trace_key(question)
        return self.stored(question) or await self._traces(
            key, lambda: self._make(question, breadth_first)
        )

    def stored(self, question: Question) -> Trace | None:
        """Return the question's trace if it was made before."""
        return self._store.trace(self.plan.trace_key(question))

    async def _make(self, question: Question, breadth_first: bool) -> Trace:
        async def ask(role: Role, prompt: Prompt, *, iteration: int, ask: int) -> AgentCall:
            if breadth_first:
                standing.set(iteration)
            return await self._ask(role, prompt, iteration, ask, question.column)

        trace = await distil(question, self.plan, ask)
        await asyncio.to_thread(self._store.put_trace, trace)
        return trace

    async def _ask(
        self, role: Role, prompt: Prompt, iteration: int, ask: int, column: str
    ) -> AgentCall:
        backend = self._backends[role]
        key = digest_of([TRACE_SCHEMA, backend.identity, prompt.digest(), iteration, ask])
        stored = self._store.call(key)
        self.counts[role].reused += stored is not None or self._calls.under_way(key)
        reply = stored or await self._calls(
            key, lambda: self._call(role, key, prompt, iteration, column)
        )
        return AgentCall(
            role=role,
            ask=ask,
            text=reply.text,
            model=reply.model,
            usage=reply.usage,
            evidence=reply.evidence,
        )

    async def _call(
        self, role: Role, key: str, prompt: Prompt, iteration: int, column: str
    ) -> Reply:
        backend = self._backends[role]
        reply = await self._caller.answer(backend, prompt)
        await asyncio.to_thread(self._store.put_call, key, reply)
        self.counts[role].add(reply)
        self.usage.add(role, iteration, column, reply, self._caller.budget.price(backend))
        return reply
