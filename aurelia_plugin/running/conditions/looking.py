"""Looking again: the target may ask for parts of the clip before it answers.

A control of this project's own, and no published method: what an agent that chooses what it sees
and hears gains, with nothing but the target and its clip. A request is one line of JSON, and
nothing else in the reply:

    {"look": {"from": 2.5, "to": 4, "frames": 8, "only": "sound", "medium": 1}}

`from` and `to` are seconds, by default the beginning and the end; `frames` 1 to 64; `only` is
`sound` or `picture`; `medium` counts the clip's media from 1, by default its first video, else its
first sound. All of them may be left out. Any other reply is the answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pydantic import Field, ValidationError

from aurelia_plugin.calling.backend import Message, Part, Prompt, Reply, Text
from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.files.records import Record
from aurelia_plugin.media.clip import Clip, Media
from aurelia_plugin.media.parts import Sense, part_of, seconds_of
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.base import Answered, AskTarget, Condition, Prepared
from aurelia_plugin.running.turns import Turn

__all__ = ["Look", "LookAgain", "read_look"]

_LONGEST = 1_000
"""Characters of a request at most."""


class Look(Record):
    """What the target asks for; see the grammar above."""

    start: float = Field(0.0, ge=0, alias="from")
    end: float | None = Field(None, gt=0, alias="to")
    frames: int | None = Field(None, ge=1, le=64)
    only: Sense | None = None
    medium: int | None = Field(None, ge=1)


class _Given(NamedTuple):
    """What the target gets for a request: a medium, or nothing, and in words what it is."""

    part: Media | None
    words: str


class LookAgain(Condition):
    """`condition=look_again`.

    Args:
        prompts: `look` offers it in front of the question, `look_again` comes with a part.
        looks: how often the target may ask.
    """

    def __init__(self, prompts: PromptSet, looks: int) -> None:
        self._prompts = prompts
        self._looks = looks

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question behind the offer; unchanged where nothing lasts any time."""
        medium = _first(question.clip)
        if medium is None:
            return Prepared(question)
        seconds = await asyncio.to_thread(seconds_of, medium)
        preface = self._prompts.render("look", {"seconds": round(seconds, 1), "left": self._looks})
        return Prepared(question.with_preface(preface), preface=preface)

    async def answer(self, question: Question, prepared: Prepared, ask: AskTarget) -> Answered:
        """Return the first reply that asks for nothing, and the last in any case."""
        prompt = question.prompt()
        reply = await ask(prompt)
        turns: list[Turn] = []
        for left in reversed(range(self._looks if prepared.preface else 0)):
            look = read_look(reply.text)
            if look is None:
                break
            given = await asyncio.to_thread(_give, question.clip, look)
            turns.append(Turn.of("request", reply, note=given.words))
            prompt = self._continued(prompt, reply, given, question, left)
            reply = await ask(prompt)
        turns.append(Turn.of("answer", reply, chosen=True))
        return Answered(reply, turns=tuple(turns))

    def _continued(
        self, prompt: Prompt, reply: Reply, given: _Given, question: Question, left: int
    ) -> Prompt:
        values = {"question": question.text, "given": given.words, "left": left}
        text = Text(self._prompts.render("look_again", values))
        parts: tuple[Part, ...] = (text,) if given.part is None else (given.part, text)
        more = (Message("assistant", (Text(reply.text.strip()),)), Message("user", parts))
        return replace(prompt, messages=prompt.messages + more)


def read_look(text: str) -> Look | None:
    """Return the request that a reply is, None if it is none."""
    said = without_thinking(text).strip()
    if not said.startswith("{") or len(said) > _LONGEST or "\n" in said:
        return None
    try:
        found = json.loads(said)
        if not isinstance(found, dict) or set(found) != {"look"}:
            return None
        look = Look.model_validate(found["look"], strict=True)
    except (ValueError, RecursionError, ValidationError):
        return None
    return look if look.end is None or look.start < look.end else None


def _first(clip: Clip) -> Media | None:
    return next(iter((*clip.videos, *clip.audios)), None)


def _chosen(media: Sequence[Media], look: Look) -> Media | None:
    if look.medium is None:
        return _first(Clip(tuple(media)))
    return media[look.medium - 1] if look.medium <= len(media) else None


def _give(clip: Clip, look: Look) -> _Given:
    """Return the part that is asked for.

    Raises:
        MediaError: a file cannot be read.
    """
    medium = _chosen(clip.media, look)
    if medium is None:
        return _Given(None, f"nothing, for there are {len(clip.media)} media")
    if medium.kind == "image":
        return _Given(medium, "the image")
    length = seconds_of(medium)
    end = length if look.end is None else min(look.end, length)
    frames = look.frames if medium.kind == "video" and look.only != "sound" else None
    if look.start >= length:
        return _Given(None, f"nothing, for it ends at {length:.1f} s")
    part = part_of(medium, look.start, end, only=look.only, frames=frames)
    if part is None:
        return _Given(None, f"nothing, for it has no {look.only or 'sound'} there")
    shown = f", {frames} frames" if frames is not None else ""
    sense = f", {look.only} only" if look.only else ""
    return _Given(part, f"seconds {look.start:g} to {end:g}{sense}{shown}")
