"""Choosing among sounds with a target that takes fewer of them than there are to choose from.

Each candidate is put to the target alone, behind the same pictures and words, to be rated from 1
to 10; the highest rating is the answer. Equal ones are decided by a draw that depends on the
question alone, so that no position gains by it. What was done is declared in the evidence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, cast

from aurelia_plugin.calling.backend import (
    Backend,
    Evidence,
    Message,
    Part,
    Prompt,
    Reply,
    Service,
    Text,
    Usage,
    service_of,
)
from aurelia_plugin.calling.compute import compute_of
from aurelia_plugin.calling.contrast import Contrasting
from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.media.clip import Media

__all__ = ["OneByOne"]

_REQUEST = """

Of the sounds that are to be compared, only audio {number} is given now. How well does it fit, \
from 1 (not at all) to 10 (it is the one)? Reply with one whole number and nothing else."""
_RATING = re.compile(r"(?<![\d.,-])(10|[1-9])(?![\d]|[.,]\d)(?:\s*/\s*10)?")


class OneByOne:
    """A target behind this rule; every other prompt goes through unchanged.

    Args:
        target: the model.
        clips: how many separate sounds it takes in one prompt (`Capabilities.sounds`).
    """

    def __init__(self, target: Backend, clips: int) -> None:
        self._target = target
        self._clips = clips

    @property
    def identity(self) -> str:
        """The target's own."""
        return self._target.identity

    @property
    def concurrency(self) -> int:
        """The target's own."""
        return self._target.concurrency

    @property
    def service(self) -> Service | None:
        """The target's own, asked once for each sound."""
        service = service_of(self._target)
        return service and service._replace(requests=self._requests)

    @property
    def contrasts(self) -> Literal[True]:
        """The target's own; raises AttributeError where it does not decode with a contrast."""
        return cast("Contrasting", self._target).contrasts

    async def close(self) -> None:
        """Close the target."""
        await self._target.close()

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt; raises what the target raises."""
        if self._requests(prompt) == 1:
            return await self._target(prompt)
        replies = [await self._target(alone) for alone in _alone(prompt)]
        ratings = [_rating(reply.text) for reply in replies]
        best = max((rating for rating in ratings if rating is not None), default=None)
        tied = [number for number, rating in enumerate(ratings, 1) if rating == best]
        chosen = random.Random(prompt.digest()).choice(tied)
        return Reply(
            text="No sound was rated." if best is None else f"Answer: Audio {chosen}",
            usage=sum((reply.usage for reply in replies), Usage()),
            evidence=_together([reply.evidence for reply in replies], self._clips),
            model=replies[0].model,
            passes=compute_of(replies).passes,
        )

    def _requests(self, prompt: Prompt) -> int:
        """Return how often the target is asked: once for each sound, or once."""
        count = len(prompt.clip.audios)
        return count if 0 < self._clips < count and _is_choice(prompt, count) else 1


def _is_choice(prompt: Prompt, count: int) -> bool:
    """Whether the words name each sound by number, as a question with numbered candidates does."""
    words = "\n".join(part.text for part in prompt.parts() if isinstance(part, Text)).lower()
    return all(re.search(rf"\baudio ?{number}\b", words) for number in range(1, count + 1))


def _alone(prompt: Prompt) -> Iterator[Prompt]:
    """Yield the prompt once for each sound, without the others, asking for a rating."""
    sounds = [p for p in prompt.parts() if isinstance(p, Media) and p.kind == "audio"]
    for number in range(1, len(sounds) + 1):
        place = 0
        messages = []
        for message in prompt.messages:
            parts: list[Part] = []
            for part in message.parts:
                if isinstance(part, Media) and part.kind == "audio":
                    place += 1
                    if place != number:
                        continue
                parts.append(part)
            messages.append(replace(message, parts=tuple(parts)))
        asked = (*messages[-1].parts, Text(_REQUEST.format(number=number)))
        last = Message(messages[-1].role, asked)
        yield replace(prompt, messages=(*messages[:-1], last))


def _rating(text: str) -> int | None:
    found = {int(match) for match in _RATING.findall(without_thinking(text))}
    return next(iter(found)) if len(found) == 1 else None


def _together(each: list[Evidence], clips: int) -> Evidence:
    """Return the evidence of all requests; every one of them showed the same pictures."""
    whole = sum(each[1:], start=each[0])
    return whole.model_copy(
        update={
            "frames": each[0].frames,
            "images": each[0].images,
            "sound_seconds": round(whole.sound_seconds, 6),
            "dropped": (
                *whole.dropped,
                f"sounds rated one by one, for the model takes {clips} at a time",
            ),
        }
    )
