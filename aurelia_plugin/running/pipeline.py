"""The path of every run: question -> media mode -> arm -> target -> answer.

Questions are made when their turn comes and forgotten when they are answered, so memory does not
grow with the task list; while the target answers some, the agents work on later ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeVar

from aurelia_plugin.calling.backend import Backend, Prompt, Reply, Usage, service_of
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.counts import CallCount, ItemCount, RunCount
from aurelia_plugin.calling.pacing import standing
from aurelia_plugin.errors import AureliaError, BackendError, MediaError, OverBudgetError
from aurelia_plugin.media.memory import holding
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions import Arm, Gather, Posed
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.voting import Poll

__all__ = ["Answer", "Pipeline", "Progress", "Source", "each"]

T = TypeVar("T")


class Source(Protocol):
    """Makes a question when its turn comes."""

    @property
    def id(self) -> str:
        """The question's id."""

    @property
    def category(self) -> str:
        """The question's category."""

    def __call__(self) -> Question:
        """Make the question. Called in a worker thread, one call at a time.

        Raises:
            MediaError: if a medium is missing or has no usable form.
        """


class Answer(NamedTuple):
    """What the target said; the text is empty when the question could not be answered."""

    text: str
    usage: Usage | None


class Progress(Protocol):
    """Told when the agents are done with a question, and when the target is."""

    def reasoned(self) -> None:
        """One question's agents are done."""

    def answered(self) -> None:
        """One question is answered."""


class Pipeline:
    """Answers questions through one arm.

    Args:
        target: the model under test.
        arm: what stands in front of a question.
        media: what of its clip is sent.
        on_agent_failure: what becomes of a question whose agents failed.
        counts: where outcomes are counted.
        window: how many questions are under way at once.
        gather: joins lists over the processes of a run.
        poll: asks for several answers and counts, for arms that want it.
        caller: asks the target; the one that the agents use, so that both keep to one limit.
    """

    def __init__(
        self,
        target: Backend,
        arm: Arm,
        media: MediaChange,
        *,
        on_agent_failure: Literal["empty", "zero_shot", "raise"] = "empty",
        counts: RunCount | None = None,
        window: int = 8,
        gather: Gather = lambda items: items,
        poll: Poll | None = None,
        caller: Caller | None = None,
    ) -> None:
        self.counts = counts or RunCount()
        self._target = target
        self._target_count = self.counts.calls.setdefault("target", CallCount())
        self._arm = arm
        self._media = media
        self._policy = on_agent_failure
        self._window = max(1, window)
        self._gather = gather
        self._poll = poll
        self._caller = caller or Caller()

    async def run(self, sources: Sequence[Source], progress: Progress) -> list[Answer]:
        """Answer every question; answers come in the order of the sources.

        Raises:
            AureliaError: for a setting or folder that stops the whole run, and for a failed
                question under `on_agent_failure=raise`. What was finished is stored.
        """
        self._making = asyncio.Lock()

        async def survey_media(source: Source) -> None:
            with contextlib.suppress(MediaError):  # met again, and counted, when it is answered
                await self._make(source, self._media.survey)

        async def survey_arm(source: Source) -> None:
            with contextlib.suppress(MediaError):  # likewise
                question = await self._make(source, self._changed)
                with holding(question.clip):
                    trace = await self._arm.survey(question)
                if trace is not None:
                    for count in self.counts.of(source.category):
                        count.add_trace(trace)
            progress.reasoned()

        async def pose_and_answer(source: Source) -> Answer:
            # The target waits for traces: what is begun is ended before the agents go on.
            standing.set(next(begun))
            return await self._answer(source, progress)

        begun = itertools.count()

        if self._media.surveys:
            await each(sources, survey_media, self._window)
            self._media.settle(self._gather)
        if self._arm.surveys:
            await each(sources, survey_arm, self._window)
            self._arm.settle(self._gather)
        return await each(sources, pose_and_answer, self._window)

    async def _make(self, source: Source, then: Callable[[Question], T]) -> T:
        """Make a question and do what reads its files, off the event loop."""
        async with self._making:
            return await asyncio.to_thread(lambda: then(source()))

    def _changed(self, question: Question) -> Question:
        changed = self._media.apply(question)
        _ = changed.key  # digests the media here, in the worker thread
        return changed

    def _with_content(self, question: Question) -> tuple[Question, str]:
        return self._changed(question), question.key

    async def _answer(self, source: Source, progress: Progress) -> Answer:
        item = ItemCount(source.id)
        self.counts.items.append(item)
        started = time.monotonic()
        answer = await self._answer_and_count(source, item, progress)
        item.seconds = round(time.monotonic() - started, 3)
        return answer

    async def _answer_and_count(
        self, source: Source, item: ItemCount, progress: Progress
    ) -> Answer:
        counts = self.counts.of(source.category)
        for count in counts:
            count.n += 1
        reply = None
        try:
            question, item.content = await self._make(source, self._with_content)
        except MediaError as error:
            self._target_failed(source, item, error)
            self._reasoned(progress)
        else:
            with holding(question.clip):
                reply = await self._posed_and_asked(source, question, item, progress)
        if reply is None:
            for count in counts:
                count.unanswered += 1
        progress.answered()
        return Answer(reply.text, reply.usage) if reply else Answer("", None)

    async def _posed_and_asked(
        self, source: Source, question: Question, item: ItemCount, progress: Progress
    ) -> Reply | None:
        item.media = tuple(medium.name for medium in question.clip.media)
        posed = await self._arm.pose(question)
        self._reasoned(progress)
        item.steps, item.preface = posed.steps, posed.preface
        if posed.trace is not None:
            if posed.samples is None:  # else it is only counted
                item.trace = posed.trace.key
            for count in self.counts.of(source.category):
                count.add_trace(posed.trace)
                count.without_steps += posed.question is not None and not posed.trace.steps
        item.failed = "agents" if posed.question is None else None
        asked = self._after_agents(source, question, posed)
        if asked is None:
            return None
        return await self._ask(asked, posed.samples, source, item)

    def _reasoned(self, progress: Progress) -> None:
        if not self._arm.surveys:  # there the survey has told it
            progress.reasoned()

    def _after_agents(self, source: Source, question: Question, posed: Posed) -> Question | None:
        """Return what the target is asked, None if it is not asked because the agents failed."""
        if posed.question is not None:
            return posed.question
        problem = f"{source.id}: {posed.problem}"
        if self._policy == "raise":
            raise AureliaError(
                problem,
                "Remove the cause and start again (finished calls are kept), or set "
                "on_agent_failure=empty or zero_shot.",
            )
        self.counts.problem(problem)
        for count in self.counts.of(source.category):
            count.over_budget += posed.over_budget
            count.agent_failures += not posed.over_budget
        return question if self._policy == "zero_shot" else None

    async def _ask(
        self, asked: Question, samples: int | None, source: Source, item: ItemCount
    ) -> Reply | None:
        try:
            if samples is None or self._poll is None:
                reply = await self._ask_target(asked, asked.prompt())
            else:
                ask = functools.partial(self._ask_target, asked)
                reply, item.vote = await self._poll(asked, samples, ask)
        except (BackendError, MediaError, OverBudgetError) as error:
            self._target_failed(source, item, error)
            return None
        item.dropped = reply.evidence.dropped
        item.input_tokens = reply.usage.input_tokens
        item.output_tokens = reply.usage.output_tokens
        return reply

    async def _ask_target(self, asked: Question, prompt: Prompt) -> Reply:
        # A target on this machine costs nothing that a budget could limit.
        reply = await self._caller.answer(
            self._target, prompt, free=service_of(self._target) is None
        )
        price = self._caller.budget.price(self._target)
        self._target_count.add(reply)
        self.counts.usage.add("target", None, asked.column, reply, price)
        return reply

    def _target_failed(self, source: Source, item: ItemCount, error: AureliaError) -> None:
        item.failed = "target"
        if self._policy == "raise":
            raise error
        self.counts.problem(f"{source.id}: {error}")
        for count in self.counts.of(source.category):
            over = isinstance(error, OverBudgetError)
            count.target_over_budget += over
            count.target_failures += not over


async def each(
    sources: Sequence[Source],
    work: Callable[[Source], Awaitable[T]],
    window: int,
    *,
    widest: int = 0,
    room: Callable[[], bool] = lambda: True,
) -> list[T]:
    """Do `work` for every source, `window` at a time, and stop all at the first error.

    Args:
        sources: in order.
        work: what is done.
        window: how many are under way at first, and at least.
        widest: how many may be under way: with each that is done there may be one more, or, where
            there is no room, one less.
        room: whether there is.
    """
    results: dict[int, T] = {}
    turns = iter(enumerate(sources))
    workers: set[asyncio.Task[None]] = set()
    ended: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()
    under_way = 0

    def begin() -> None:
        nonlocal under_way
        under_way += 1
        task = asyncio.create_task(worker())
        workers.add(task)
        task.add_done_callback(ended.put_nowait)

    async def worker() -> None:
        nonlocal under_way
        for index, source in turns:
            results[index] = await work(source)
            if not room():
                if under_way > window:
                    break
            elif under_way < min(widest, len(sources)):
                begin()
        under_way -= 1

    for _ in range(min(window, len(sources))):
        begin()
    try:
        while workers:
            task = await ended.get()
            workers.remove(task)
            task.result()
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [results[index] for index in range(len(sources))]
