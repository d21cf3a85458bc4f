"""Self-consistency: a question asked several times with sampling, and the majority's answer.

Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models"
(ICLR 2023), section 2: sample, read each answer, take the most frequent one. Here it is a control:
the target gets as many tries as the agents made calls.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from pydantic import model_validator

from aurelia_plugin.benchmark.reading import as_shown
from aurelia_plugin.calling.backend import Prompt, Reply, Usage
from aurelia_plugin.calling.seeds import sample_seed
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.records import Record
from aurelia_plugin.files.storable import Storable
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import TRACE_SCHEMA
from aurelia_plugin.traces.store import TraceStore

__all__ = ["Ballot", "Poll", "Polled", "Vote", "majority", "read_any", "sampled"]

AskTarget = Callable[[Prompt], Awaitable[Reply]]


class Ballot(Record):
    """One sampled answer.

    Attributes:
        value: what was read out of the text, or None; such a ballot has no vote.
    """

    seed: int
    text: Storable
    value: str | None
    usage: Usage
    model: str


class Vote(Record):
    """All sampled answers to one question, and which one stands for the majority.

    Attributes:
        prompt_digest: of the question as it is asked, sampling left aside.
        target: the identity of the model that was asked.
        chosen: index of the earliest ballot with the most frequent value.
    """

    schema_version: int = TRACE_SCHEMA
    key: str
    question_key: str
    question: Storable
    prompt_digest: str
    target: str
    temperature: float
    ballots: tuple[Ballot, ...]
    chosen: int

    @model_validator(mode="after")
    def _chosen_is_there(self) -> Vote:
        if not 0 <= self.chosen < len(self.ballots):
            raise ValueError(f"chosen is {self.chosen}, of {len(self.ballots)} ballots")
        return self


class Polled(NamedTuple):
    """The majority's answer, with what all answers cost, and the key of the stored vote."""

    reply: Reply
    key: str


class Poll:
    """Asks a target several times and counts.

    Args:
        target: the identity of the model that is asked.
        temperature: of the samples, unless the task itself samples.
        seed: the run's; each sample's own is made of it.
        store: where votes are kept.
    """

    def __init__(self, target: str, temperature: float, seed: int, store: TraceStore) -> None:
        self._target = target
        self._temperature = temperature
        self._seed = seed
        self._store = store

    async def __call__(self, question: Question, count: int, ask: AskTarget) -> Polled:
        """Return the majority's answer, word for word as its earliest supporter gave it.

        Args:
            count: how many answers are sampled.
            ask: puts a prompt to the target; keeps what is finished.

        Raises:
            BackendError: a sample could not be had; the others are kept.
            MediaError: a medium cannot be read.
        """
        plain = question.prompt()
        temperature = plain.generation.temperature or self._temperature
        prompts = [
            sampled(plain, temperature, sample_seed(self._seed, index)) for index in range(count)
        ]
        outcomes = await asyncio.gather(*map(ask, prompts), return_exceptions=True)
        replies = []
        for outcome in outcomes:  # all have ended, so what was finished is stored
            if isinstance(outcome, BaseException):
                raise outcome
            replies.append(outcome)
        read = question.reader or read_any
        ballots = tuple(
            Ballot(
                seed=prompt.generation.seed,
                text=reply.text,
                value=read(reply.text),
                usage=reply.usage,
                model=reply.model,
            )
            for prompt, reply in zip(prompts, replies, strict=True)
        )
        chosen = majority([ballot.value for ballot in ballots])
        digest = plain.digest()
        key = digest_of([TRACE_SCHEMA, self._target, digest, temperature, self._seed, count])
        vote = Vote(
            key=key,
            question_key=question.key,
            question=question.text,
            prompt_digest=digest,
            target=self._target,
            temperature=temperature,
            ballots=ballots,
            chosen=chosen,
        )
        self._store.put_vote(key, vote)
        usage = sum((reply.usage for reply in replies), Usage())
        return Polled(replies[chosen].model_copy(update={"usage": usage}), key)


def sampled(plain: Prompt, temperature: float, seed: int) -> Prompt:
    """Return a prompt whose reply is sampled."""
    generation = replace(plain.generation, temperature=temperature, num_beams=1, seed=seed)
    return replace(plain, generation=generation)


def majority(values: Sequence[str | None]) -> int:
    """Return the index of the earliest answer with the most frequent value.

    Of values that are equally frequent, the one seen first wins. Answers of which nothing could be
    read (None) have no vote; if there are no others, the first one stands.

    Raises:
        ValueError: there are no answers.
    """
    if not values:
        raise ValueError("a vote needs at least one answer")
    counts = Counter(value for value in values if value is not None)
    if not counts:
        return 0
    return values.index(max(counts, key=lambda value: counts[value]))


def read_any(text: str) -> str | None:
    """Return the answer of a reply to a task that is not known: its answer line, normalised.

    The text of the last "Answer:" line, else the whole reply without thinking; in lower case,
    words only. Articles stay, for "A" may be an option.
    """
    said = unicodedata.normalize("NFKC", as_shown(text)).casefold().strip()
    return " ".join(re.findall(r"\w+", said)) or said or None
