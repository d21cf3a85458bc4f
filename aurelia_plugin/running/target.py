"""The model under test, its finished replies kept like those of the agents."""

from __future__ import annotations

from collections import Counter

from aurelia_plugin.calling.backend import Backend, Prompt, Reply
from aurelia_plugin.calling.ledger import Purpose
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA
from aurelia_plugin.running.kept_replies import KeptReplies

__all__ = ["Target"]


class Target:
    """A backend as the model under test.

    Args:
        backend: the model.
        replies: makes its calls and keeps what it replies.
    """

    def __init__(self, backend: Backend, replies: KeptReplies) -> None:
        self._backend = backend
        self._replies = replies
        self._asked: Counter[str] = Counter()

    async def ask(self, prompt: Prompt, *, column: str = "", priority: int = 0) -> Reply:
        """Return the target's reply.

        Args:
            column: the task whose question it is.
            priority: see `Caller.answer`.

        Raises:
            AureliaError: as `KeptReplies.reply` does.
        """
        key = self._key(prompt)
        purpose = Purpose(column=column)
        return await self._replies.reply(key, self._backend, prompt, purpose, priority=priority)

    def _key(self, prompt: Prompt) -> str:
        """Return the key of a reply: of a sampled one, with the number of the time it is asked."""
        digest = prompt.digest()
        number = self._asked[digest] if prompt.generation.temperature > 0 else 0
        self._asked[digest] += 1
        parts = [TRACE_SCHEMA, "sample", self._backend.identity, digest]
        return digest_of([*parts, number] if number else parts)
