"""The path of every run: question -> media mode -> condition -> target -> answer.

Questions are made when their turn comes and forgotten when they are answered, so memory does not
grow with the task list; while the target answers some, the agents work on later ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from aurelia_plugin.calling.backend import Prompt, Reply, Usage
from aurelia_plugin.errors import AureliaError, BackendError, MediaError, OverBudgetError
from aurelia_plugin.media.memory import holding
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.base import Condition, Prepared
from aurelia_plugin.running.conditions.donors import Gather, no_gather
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.outcomes import Failure, ItemOutcome
from aurelia_plugin.running.stopping import TargetWatch
from aurelia_plugin.running.target import Target

__all__ = ["Answer", "Pipeline", "Progress", "QuestionMaker", "Source", "each"]

S = TypeVar("S")
T = TypeVar("T")

AgentFailurePolicy = Literal["empty", "zero_shot", "raise"]


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


class QuestionMaker:
    """Makes questions off the event loop, one at a time: data sets are not made for more."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def __call__(self, source: Source, then: Callable[[Question], T]) -> T:
        """Return what `then` makes of the source's question; both may read files.

        Raises:
            MediaError: the question cannot be made, whatever the cause.
            AureliaError: a setting or folder is at fault, and with it the whole run.
        """
        async with self._turn:
            return await asyncio.to_thread(self._make, source, then)

    def _make(self, source: Source, then: Callable[[Question], T]) -> T:
        try:
            return then(source())
        except AureliaError:
            raise
        except Exception as error:  # tasks and data sets run other people's code on any content
            raise MediaError(
                source.id,
                f"the question could not be made: {type(error).__name__}: {error}",
                "Look at this item of the data set; the other questions are not concerned.",
            ) from error


@dataclass
class _Run:
    """What one call of `Pipeline.run` shares among its questions."""

    progress: Progress
    make: QuestionMaker = field(default_factory=QuestionMaker)
    items: dict[str, ItemOutcome] = field(default_factory=dict)
    begun: itertools.count[int] = field(default_factory=itertools.count)


class Pipeline:
    """Answers questions under one condition.

    Args:
        target: the model under test.
        condition: what stands in front of a question, and how the target is asked.
        media: what of its clip is sent.
        on_agent_failure: what becomes of a question whose agents failed.
        items: where the outcome of each question is appended.
        window: how many questions are under way at once.
        gather: joins lists over the processes of a run.
        watch: stops the run where the target cannot answer.
    """

    def __init__(
        self,
        target: Target,
        condition: Condition,
        media: MediaChange,
        *,
        on_agent_failure: AgentFailurePolicy = "empty",
        items: list[ItemOutcome] | None = None,
        window: int = 8,
        gather: Gather[Any] = no_gather,
        watch: TargetWatch | None = None,
    ) -> None:
        self.items: list[ItemOutcome] = [] if items is None else items
        self._target = target
        self._condition = condition
        self._media = media
        self._policy = on_agent_failure
        self._window = max(1, window)
        self._gather = gather
        self._watch = watch or TargetWatch()

    async def run(self, sources: Sequence[Source], progress: Progress) -> list[Answer]:
        """Answer every question; answers come in the order of the sources.

        Raises:
            AureliaError: for a setting or folder that stops the whole run, for a failed question
                under `on_agent_failure=raise`, and where the target cannot answer at all. What
                was finished is stored.
        """
        run = _Run(progress)
        outcomes = [ItemOutcome(source.id, source.category) for source in sources]
        self.items += outcomes
        taken = list(zip(sources, outcomes, strict=True))
        await self._collect(taken, run)
        answers = await each(taken, lambda one: self._answer(*one, run), self._window)
        self._watch.finish()
        return answers

    async def _collect(self, taken: Sequence[tuple[Source, ItemOutcome]], run: _Run) -> None:
        """Show all questions to the media mode and the condition, where these want to see them."""

        async def collect_media(one: tuple[Source, ItemOutcome]) -> None:
            with contextlib.suppress(MediaError):  # met again, and counted, when it is answered
                await run.make(one[0], self._media.collect)

        async def collect_for_condition(one: tuple[Source, ItemOutcome]) -> None:
            source, item = one
            with contextlib.suppress(MediaError):  # likewise
                question = await run.make(source, self._changed)
                with holding(question.clip):
                    trace = await self._condition.collect(question)
                if trace is not None:
                    item.add_trace(trace, counts=False)
            run.progress.reasoned()

        if self._media.collects:
            await each(taken, collect_media, self._window)
            self._media.finish_collecting(self._gather)
        if self._condition.collects:
            await each(taken, collect_for_condition, self._window)
            self._condition.finish_collecting(self._gather)

    def _changed(self, question: Question) -> Question:
        return self._media.apply(question).keyed()

    def _with_content(self, question: Question) -> tuple[Question, str]:
        keyed = question.keyed()
        return self._changed(keyed), keyed.key

    async def _answer(self, source: Source, item: ItemOutcome, run: _Run) -> Answer:
        # The target waits for traces: what is begun is ended before the agents go on.
        priority = next(run.begun)
        started = time.monotonic()
        reply = None
        try:
            question, item.content = await run.make(source, self._with_content)
        except MediaError as error:
            self._target_failed(item, error)
            self._reasoned(run)
        else:
            with holding(question.clip):
                reply = await self._prepare_and_ask(question, item, run, priority)
        if reply is not None:
            item.add_reply(reply)
        run.progress.answered()
        item.seconds = round(time.monotonic() - started, 3)
        return Answer(reply.text, reply.usage) if reply else Answer("", None)

    async def _prepare_and_ask(
        self, question: Question, item: ItemOutcome, run: _Run, priority: int
    ) -> Reply | None:
        item.media = tuple(medium.name for medium in question.clip.media)
        prepared = await self._condition.prepare(question, priority=priority)
        self._reasoned(run)
        item.steps, item.preface = prepared.steps, prepared.preface
        if prepared.trace is not None:
            item.add_trace(prepared.trace, counts=prepared.uses_trace)
            item.trace = prepared.trace.key if prepared.uses_trace else None
            item.without_steps = prepared.question is not None and not prepared.trace.steps
        asked = self._after_agents(question, item, prepared)
        if asked is None:
            return None
        return await self._ask(asked, prepared, item, priority)

    def _reasoned(self, run: _Run) -> None:
        if not self._condition.collects:  # there it was told while they were collected
            run.progress.reasoned()

    def _after_agents(
        self, question: Question, item: ItemOutcome, prepared: Prepared
    ) -> Question | None:
        """Return what the target is asked, None if it is not asked because the agents failed."""
        if prepared.question is not None:
            return prepared.question
        item.agents = prepared.failure or Failure("the condition gave no question and no cause")
        if self._policy == "raise":
            raise AureliaError(
                f"{item.id}: {item.agents.cause}",
                "Remove the cause and start again (finished calls are kept), or set "
                "on_agent_failure=empty or zero_shot.",
            )
        return question if self._policy == "zero_shot" else None

    async def _ask(
        self, asked: Question, prepared: Prepared, item: ItemOutcome, priority: int
    ) -> Reply | None:
        async def ask(prompt: Prompt) -> Reply:
            reply = await self._target.ask(prompt, column=asked.column, priority=priority)
            item.add_asked(reply)
            return reply

        try:
            ready = prepared._replace(priority=priority)
            answered = await self._condition.answer(asked, ready, ask)
            item.add_calls(answered.calls)
            item.vote, item.turns = answered.vote, answered.turns
            reply = answered.reply
            if reply is None:
                failed = prepared._replace(question=None, failure=answered.failure)
                plain = self._after_agents(asked, item, failed)
                reply = None if plain is None else await ask(plain.prompt())
        except (BackendError, MediaError, OverBudgetError) as error:
            self._target_failed(item, error)
            self._watch.failed(error)
            return None
        self._watch.answered()
        return reply

    def _target_failed(self, item: ItemOutcome, error: AureliaError) -> None:
        item.target = Failure.of(error)
        if self._policy == "raise":
            raise error


async def each(
    sources: Sequence[S],
    work: Callable[[S], Awaitable[T]],
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
