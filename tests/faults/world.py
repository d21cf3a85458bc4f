"""A world in which every right answer is known: questions, a service, and runs over them.

The service plays reasoner, summarizer, evaluator and target. Its replies are functions of what it
is asked, so that a reply to the wrong question, steps of the wrong question, or a question asked
without its steps show in the target's answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from fake_servers import Answer, Request, completion

from aurelia_plugin.calling.backend import Generation, Message, Part, Reply, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.openai.backend import (
    OpenAIBackend,
    OpenAIOptions,
)
from aurelia_plugin.reasoning.injection import Injector
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.running.conditions.packaged import Aurelia
from aurelia_plugin.running.kept_replies import KeptReplies
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.pipeline import Pipeline
from aurelia_plugin.running.stopping import TargetWatch
from aurelia_plugin.running.target import Target
from aurelia_plugin.traces.store import TraceStore

PATIENT = RetryPolicy(attempts=6, first_wait=0.001, longest_wait=0.02, patience=20.0)
Fault = Callable[["Asked"], "Answer | None"]
MakeMedia = Callable[[int], tuple[Media, ...]]
"""The media of a question, by its number; may raise."""


def right(number: int) -> str:
    """The right answer to a question; every third one needs a second iteration."""
    return f"{number} after {'look again' if number % 3 == 0 else 'look'}"


class Asked:
    """A request to the service, read.

    Attributes:
        role: who is played: an agent's name or `target`.
        number: the question's.
        first: whether this is not the repetition of an unreadable reply.
        seen: how often the same request came before.
    """

    def __init__(self, request: Request, seen: Counter[str]) -> None:
        body = request.body
        self.text = "\n".join(
            part["text"]
            for message in body["messages"]
            for part in message["content"]
            if part["type"] == "text"
        )
        form = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        fields = form.get("properties", {})
        if "steps" in fields:
            self.role = "reasoner"
        elif "score" in fields:
            self.role = "evaluator"
        else:
            self.role = "summarizer" if "Turn the notes" in self.text else "target"
        found = re.search(r"Number (\d+)", self.text)
        assert found is not None, self.text
        self.number = int(found[1])
        self.first = len(body["messages"]) == 1
        self.key = digest_of(body)
        self.seen = seen[self.key]

    def reply(self) -> str:
        """The right reply."""
        again = "look again" in self.text or "Your earlier steps" in self.text
        how = "look again" if again else "look"
        if self.role == "reasoner":
            steps = [f"{how} for Number {self.number}."]
            return json.dumps({"steps": steps, "answers": ["there"], "final_answer": "yes"})
        if self.role == "summarizer":
            return f"Number {self.number} is there ({how})."
        if self.role == "evaluator":
            return json.dumps({"score": 3 if self.number % 3 == 0 and not again else 8})
        if f"look for Number {self.number}." not in self.text and not again:
            return f"{self.number} without steps"
        return f"{self.number} after {how}"


class Service:
    """Answers every request, or lets a fault answer it.

    Attributes:
        faults: how many requests a fault has answered.
    """

    def __init__(self, fault: Fault = lambda asked: None) -> None:
        self.fault = fault
        self.faults = 0
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer:
        with self._lock:
            asked = Asked(request, self._seen)
            self._seen[asked.key] += 1
            answer = self.fault(asked)
            if answer is not None:
                self.faults += 1
                return answer
            return completion(asked.reply())


class Watched(TraceStore):
    """A store that counts how often each call is finished."""

    def __init__(self, folder: Path, finished: Counter[str]) -> None:
        super().__init__(folder)
        self._finished = finished

    def put_call(self, key: str, reply: Reply) -> None:
        super().put_call(key, reply)
        self._finished[key] += 1


class _Source:
    category = "numbers"

    def __init__(self, number: int, position: int, media: MakeMedia) -> None:
        self.id = f"numbers/test/{position}"
        self._number = number
        self._media = media

    def __call__(self) -> Question:
        text = Text(f"Number {self._number}: what is there?")
        parts: tuple[Part, ...] = (*self._media(self._number), text)
        return Question(self.id, (Message("user", parts),), Generation(max_new_tokens=16))


class _Silent:
    def reasoned(self) -> None: ...

    def answered(self) -> None: ...


def answers(
    url: str,
    store: TraceStore,
    numbers: Sequence[int],
    *,
    timeout: float = 30.0,
) -> list[str]:
    """Run every question through agents and target behind `url`; return what each came to."""
    return [answer for answer, _ in outcomes(url, store, numbers, timeout=timeout)]


def outcomes(
    url: str,
    store: TraceStore,
    numbers: Sequence[int],
    *,
    timeout: float = 30.0,
    media: MakeMedia = lambda number: (),
) -> list[tuple[str, str]]:
    """Run every question as a run does; return each one's answer and the cause of its failure."""
    backend = OpenAIBackend("m-1", OpenAIOptions(base_url=f"{url}/v1"))
    plan = LoopPlan(
        PromptSet(), dict.fromkeys(ROLES, backend.identity), threshold=6, max_iterations=4
    )
    caller = Caller(PATIENT, timeout=timeout)
    agents = Agents(dict.fromkeys(ROLES, backend), plan, store, caller)
    pipeline = Pipeline(
        Target(backend, KeptReplies(caller, store)),
        Aurelia(agents.trace, Injector(PromptSet(), with_answers=False)),
        MediaChange("full", seed=0),
        window=16,
        watch=TargetWatch(0),
    )
    sources = [_Source(number, position, media) for position, number in enumerate(numbers)]
    given = asyncio.run(pipeline.run(sources, _Silent()))
    causes = [item.failure.cause if item.failure else "" for item in pipeline.items]
    return [(answer.text, cause) for answer, cause in zip(given, causes, strict=True)]
