"""What a run may cost: calls, tokens and money are reserved before a call and settled after it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aurelia_plugin.calling.backend import Backend, Prompt, Text, Usage, service_of
from aurelia_plugin.calling.ledger import Amount, Ledger
from aurelia_plugin.calling.prices import FREE, Price
from aurelia_plugin.errors import MediaError, OverBudgetError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.containers.lengths import seconds_of

__all__ = ["Budget", "Limits", "Reservation", "expected_input"]

_MARGIN = 1.25
"""A prompt is expected to take at most so many times what its kind was seen to take."""

_TOKENS_PER_BYTE = 0.5
_TOKENS_PER_MESSAGE = 16
_TOKENS_PER_IMAGE = 1_120
_TOKENS_PER_FRAME = 300
_TOKENS_PER_SECOND = 40
_FRAMES = 16


@dataclass(frozen=True)
class Limits:
    """What a run may use at most; None for no limit."""

    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None

    def share(self, index: int, count: int) -> Limits:
        """Return the part of process `index` of `count`; the parts add up to the whole."""

        def part(whole: int | None) -> int | None:
            return None if whole is None else whole // count + (index < whole % count)

        cost = None if self.cost is None else self.cost / count
        return Limits(part(self.calls), part(self.tokens), cost)

    def passed_by(self, amount: Amount) -> str | None:
        """Return the setting that the amount passes, None if it stays within all of them."""
        if self.calls is not None and amount.calls > self.calls:
            return f"max_calls={self.calls}"
        if self.tokens is not None and amount.tokens > self.tokens:
            return f"max_tokens={self.tokens}"
        # A sum of many floats may be off in its last digits.
        if self.cost is not None and amount.cost > self.cost * (1 + 1e-9):
            return f"max_cost={self.cost:g}"
        return None


class Reservation:
    """The worst case of one call, held until it has ended.

    Attributes:
        worst: what the call may use at most.
    """

    def __init__(self, worst: Amount, took: Callable[[Usage], None]) -> None:
        self.worst = worst
        self._took = took

    def took(self, usage: Usage) -> None:
        """Learn from what the call really used."""
        self._took(usage)


class Budget:
    """The budget of one process.

    Before a call its worst case is reserved: the tokens that its prompt may take, all that its
    reply may have, and their price. A call that might pass a limit waits while others are under
    way, for they mostly take less than they reserved; if it still might, it is not made.

    Args:
        limits: this process's share.
        ledger: says what was used.
    """

    def __init__(self, limits: Limits, ledger: Ledger) -> None:
        self.limits = limits
        self._ledger = ledger
        self._reserved = Amount()
        self._under_way = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._seen: dict[str, float] = defaultdict(float)

    @asynccontextmanager
    async def reserving(
        self, backend: Backend, prompt: Prompt, price: Price | None
    ) -> AsyncIterator[Reservation]:
        """Hold a call's worst case while it is made.

        Raises:
            OverBudgetError: if the call might pass a limit.
        """
        counted = self.limits.tokens is not None or self.limits.cost is not None
        expected = await asyncio.to_thread(expected_input, prompt) if counted else 1

        service = service_of(backend)
        calls = service.requests(prompt) if service else 1

        def took(usage: Usage) -> None:
            seen = self._seen[backend.identity]
            self._seen[backend.identity] = max(seen, usage.input_tokens / (calls * expected))

        worst = self._worst(backend, prompt, calls * expected, price or FREE)
        await self._reserve(worst)
        try:
            yield Reservation(worst, took)
        finally:
            self._release(worst)

    def _worst(self, backend: Backend, prompt: Prompt, expected: int, price: Price) -> Amount:
        service = service_of(backend)
        calls, room = (service.requests(prompt), service.room) if service else (1, 0)
        ratio = self._seen.get(backend.identity)
        usage = Usage(
            input_tokens=round(expected * (1.0 if ratio is None else ratio * _MARGIN)),
            output_tokens=calls * (prompt.generation.max_new_tokens + room),
        )
        return Amount(calls, usage.total, price.most(usage))

    async def _reserve(self, worst: Amount) -> None:
        while True:
            spent = self._ledger.spent()
            passed = self.limits.passed_by(spent.plus(self._reserved).plus(worst))
            if passed is None:
                self._reserved = self._reserved.plus(worst)
                self._under_way += 1
                return
            if not self._under_way:
                raise OverBudgetError(
                    f"{passed} could be passed: {spent.calls} calls, {spent.tokens} "
                    f"tokens and ${spent.cost:.4f} are spent, and the next call may take "
                    f"{worst.tokens} tokens and ${worst.cost:.4f}.",
                    "Raise the limit and start the same command again; finished calls are kept.",
                )
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def _release(self, worst: Amount) -> None:
        self._reserved = self._reserved.minus(worst)
        self._under_way -= 1
        if not self._under_way:
            self._reserved = Amount()
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)


def expected_input(prompt: Prompt) -> int:
    """Return how many tokens a prompt may take before anything is known of the model.

    On the high side: half a token for each byte of text, 1,120 for an image (Gemini 3 at its finest
    resolution), 300 for each frame of a video that is asked for, or for 16 of them, or for one a
    second, whichever is most, and 40 for a second of sound. From the first reply on, the model's
    own counts correct the guess. Reads the length of files.
    """
    tokens = _TOKENS_PER_MESSAGE * len(prompt.messages) + len(str(prompt.schema or ""))
    for part in prompt.parts():
        if isinstance(part, Text):
            tokens += round(len(part.text.encode("utf-8", "replace")) * _TOKENS_PER_BYTE)
        else:
            tokens += _tokens_of(part, prompt)
    return tokens


def _tokens_of(media: Media, prompt: Prompt) -> int:
    if media.kind == "image":
        return _TOKENS_PER_IMAGE
    try:
        seconds = seconds_of(media)
    except MediaError:  # whoever sends it meets the same, and says so
        seconds = 0.0
    sound = round(seconds * _TOKENS_PER_SECOND)
    if media.kind == "audio":
        return sound
    sampling = prompt.sampling_of(media)
    asked = sampling.frames if sampling else _FRAMES
    return sound + round(max(asked, seconds) * _TOKENS_PER_FRAME)
