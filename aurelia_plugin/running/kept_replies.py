"""Replies that are kept: each finished call of a run is made once, whoever asks for it."""

from __future__ import annotations

import asyncio

from aurelia_plugin.calling.backend import Backend, Prompt, Reply
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.ledger import Purpose
from aurelia_plugin.calling.single_flight import SingleFlight
from aurelia_plugin.traces.store import TraceStore

__all__ = ["KeptReplies"]


class KeptReplies:
    """Calls backends, and keeps what they reply.

    Args:
        caller: makes the calls; one for all that asks the same services.
        store: where replies are kept; None keeps none.
        fresh: make every call anew, whatever is there.
    """

    def __init__(self, caller: Caller, store: TraceStore | None, *, fresh: bool = False) -> None:
        self._caller = caller
        self._store = store
        self._fresh = fresh
        self._calls: SingleFlight[Reply] = SingleFlight()

    async def reply(
        self, key: str, backend: Backend, prompt: Prompt, purpose: Purpose, *, priority: int = 0
    ) -> Reply:
        """Return the reply that is kept under a key, else the backend's.

        Args:
            key: names backend, prompt and all that tells equal prompts apart.
            priority: see `Caller.answer`.

        Raises:
            AureliaError: as `Caller.answer` does.
            StoreError: the reply cannot be kept.
        """
        stored = None if self._store is None or self._fresh else self._store.call(key)
        kept = stored is not None or self._calls.under_way(key)

        async def call() -> Reply:
            reply = await self._caller.answer(backend, prompt, purpose, priority=priority)
            if self._store is not None:
                await asyncio.to_thread(self._store.put_call, key, reply)
            return reply

        reply = stored or await self._calls(key, call)
        if kept:
            self._caller.ledger.add_reused(purpose, reply)
        return reply
