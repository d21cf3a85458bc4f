"""The agents of a run: their backends behind the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aurelia_plugin.backend import Backend, Prompt
from aurelia_plugin.calls import RetryPolicy, answer
from aurelia_plugin.counts import CallCount
from aurelia_plugin.digests import digest_of
from aurelia_plugin.reasoning.loop import LoopPlan, distil
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES, Role
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA, AgentCall, Trace
from aurelia_plugin.store import TraceStore

__all__ = ["Agents"]


@dataclass
class _Work:
    """A trace that is being made, and how many callers wait for it."""

    task: asyncio.Task[Trace]
    waiting: int = 0


class Agents:
    """Makes traces: from the store where they are there, else by running the loop.

    Args:
        backends: one for each role; the same object may serve several.
        plan: what the loop reads.
        store: where traces and finished calls are kept.
    """

    def __init__(
        self,
        backends: Mapping[Role, Backend],
        plan: LoopPlan,
        store: TraceStore,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.plan = plan
        self.counts: dict[Role, CallCount] = {role: CallCount() for role in ROLES}
        self._backends = backends
        self._store = store
        self._retry = retry or RetryPolicy()
        self._under_way: dict[str, _Work] = {}

    async def trace(self, question: Question) -> Trace:
        """Return the question's trace; a question asked twice at once is worked out once."""
        key = self.plan.trace_key(question)
        stored = self._store.trace(key)
        if stored is not None:
            return stored
        work = self._under_way.get(key)
        if work is None:
            work = self._under_way[key] = _Work(asyncio.create_task(self._make(question)))
        work.waiting += 1
        try:
            return await asyncio.shield(work.task)
        finally:
            work.waiting -= 1
            if not work.waiting:
                del self._under_way[key]
                await _ended(work.task)

    async def _make(self, question: Question) -> Trace:
        trace = await distil(question, self.plan, self._ask)
        self._store.put_trace(trace)
        return trace

    async def _ask(self, role: Role, prompt: Prompt, *, iteration: int, ask: int) -> AgentCall:
        backend = self._backends[role]
        key = digest_of([TRACE_SCHEMA, backend.identity, prompt.digest(), iteration, ask])
        reply = self._store.call(key)
        count = self.counts[role]
        if reply is None:
            reply = await answer(backend, prompt, self._retry)
            self._store.put_call(key, reply)
            count.add(reply)
        else:
            count.reused += 1
        return AgentCall(
            role=role,
            ask=ask,
            text=reply.text,
            model=reply.model,
            usage=reply.usage,
            evidence=reply.evidence,
        )


async def _ended(task: asyncio.Task[Trace]) -> None:
    """Cancel work for which nobody waits any more, and see it end; done work stays as it is."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
