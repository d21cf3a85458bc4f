"""Making traces ahead of time: the agent stage of a run without its target."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.media.memory import holding
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.running.conditions.donors import no_gather
from aurelia_plugin.running.estimate import Sampled, sample
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.outcomes import Failure, ItemOutcome
from aurelia_plugin.running.pipeline import QuestionMaker, Source, each

__all__ = ["Distiller", "Made", "NoTrace", "Shard"]

NoTrace = Literal["unreadable", "over_budget"]
"""Why a question has no trace: a medium could not be read, or the budget was used up before."""

Made = Trace | NoTrace

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One share of a job: every `count`-th question, beginning with the one at `index`."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `i/n`. Numbers from 0 and numbers from 1 both work: n/n is the same share as 0/n.

        Raises:
            ConfigError: if it is not of this form.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if match is None or not 0 <= int(match[1]) <= int(match[2]) or int(match[2]) < 1:
            raise ConfigError(
                f"--shard {text}: not a share.",
                "Write i/n, with i from 0 to n-1 or from 1 to n, such as "
                "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT.",
            )
        return cls(int(match[1]) % int(match[2]), int(match[2]))

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """Return the items of this share; the shares of a job have every item once."""
        return items[self.index :: self.count]


class Distiller:
    """Makes the traces of questions; those that are there cost nothing.

    Args:
        agents: the run's.
        media: what of the clips is sent.
        items: where the outcome of each question is appended.
        window: questions under way at once, at first and at least.
        widest: at most. Nobody waits for the first trace here: with many under way, all at one
            pace, few of those with many iterations are left to the end, where they are alone.
        room: whether there is memory for more of them.
    """

    def __init__(
        self,
        agents: Agents,
        media: MediaChange,
        items: list[ItemOutcome],
        *,
        window: int = 8,
        widest: int = 0,
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        self.items = items
        self.window = window
        self.widest = widest
        self._room = room
        self._agents = agents
        self._media = media
        self._over_budget = False

    async def collect(self, sources: Sequence[Source]) -> None:
        """Look at all questions of the job, where the media mode needs it (`media=swapped`)."""
        if not self._media.collects:
            return
        make = QuestionMaker()

        async def look(source: Source) -> None:
            with contextlib.suppress(MediaError):  # met again, and counted, when it is distilled
                await make(source, self._media.collect)

        await each(sources, look, self.window)
        self._media.finish_collecting(no_gather)

    async def run(self, sources: Sequence[Source], done: Callable[[Source, Made], None]) -> None:
        """Make every trace; once the budget is used up, no further question is begun.

        Args:
            sources: the questions.
            done: told of each question that is finished, in the order in which they are: its trace,
                or why there is none.

        Raises:
            StoreError: the traces folder cannot be written.
        """
        make = QuestionMaker()

        async def work(source: Source) -> None:
            done(source, await self._trace(source, make))

        await each(sources, work, self.window, widest=self.widest, room=self._room)

    async def sample(self, sources: Sequence[Source], size: int, seed: int) -> list[Sampled]:
        """Make the traces of `size` questions drawn at random, for an estimate of the whole.

        Raises:
            MediaError: a medium of a drawn question cannot be read.
        """
        make = QuestionMaker()
        drawn = random.Random(seed).sample(list(sources), min(size, len(sources)))
        questions = [await make(source, self._changed) for source in drawn]
        return await sample(self._agents, questions)

    async def _trace(self, source: Source, make: QuestionMaker) -> Made:
        item = ItemOutcome(source.id, source.category)
        self.items.append(item)
        if self._over_budget:
            item.agents = Failure("the budget was used up before", over_budget=True)
            return "over_budget"
        try:
            question = await make(source, self._changed)
        except MediaError as error:
            item.agents = Failure.of(error)
            return "unreadable"
        with holding(question.clip):
            trace = await self._agents.trace(question, breadth_first=True)
        item.answered = trace.finished
        item.add_trace(trace)
        if not trace.finished:
            item.agents = Failure(str(trace.error), over_budget=trace.stop == "over_budget")
        self._over_budget |= trace.stop == "over_budget"
        return trace

    def _changed(self, question: Question) -> Question:
        return self._media.apply(question).keyed()
