"""One iteration's calls: how each agent is asked, and how its reply is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.calling.seeds import sample_seed
from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.reasoning.parsing import (
    ReadSteps,
    ReadVerdict,
    read_lines,
    read_steps,
    read_verdict,
)
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import Role, RoleStyle
from aurelia_plugin.reasoning.schemas import steps_schema, verdict_schema
from aurelia_plugin.reasoning.trace import AgentCall, Iteration, MadeBy
from aurelia_plugin.reasoning.variant import LoopVariant

__all__ = ["AskAgent", "LoopPlan", "Parsed", "Round"]

_JSON_STEPS = {
    "problem": "it holds no JSON object with steps",
    "wanted": "with the JSON object only",
}
_JSON_SCORE = {
    "problem": "it holds no whole-number score from 1 to 10",
    "wanted": 'with JSON of the form {"score": 7}',
}
_LINE_STEPS = {"problem": "it is empty", "wanted": "with one step per line"}
_LINE_SCORE = {
    "problem": "it holds no whole-number score from 1 to 10",
    "wanted": "with the number only",
}
_CAPTION = {"problem": "it is empty", "wanted": "with the caption"}

T = TypeVar("T")


class AskAgent(Protocol):
    """Puts a prompt to an agent and returns the call's record, `read` left empty.

    Raises `BackendError` or `MediaError` when the call failed after its retries, and
    `OverBudgetError` when it was not made.
    """

    async def __call__(self, role: Role, prompt: Prompt, *, iteration: int, ask: int) -> AgentCall:
        """Ask `role`; `iteration` and `ask` (0, then 1) tell equal prompts apart."""


@dataclass(frozen=True)
class LoopPlan:
    """All that the loop reads beside the question.

    Attributes:
        roles: the identity of each agent's backend.
        threshold: a caption with this score (1 to 10) or a higher one is accepted.
        max_iterations: how many times steps are proposed at most.
        seed: handed to backends that sample.
        variant: what the loop goes without; None for the whole loop.
    """

    prompts: PromptSet
    roles: Mapping[Role, str]
    threshold: int
    max_iterations: int
    seed: int = 0
    variant: LoopVariant | None = None

    def trace_key(self, question: Question) -> str:
        """Return the key under which the question's trace is stored."""
        made_by = MadeBy(
            dict(self.roles),
            self.prompts.loop_digest,
            self.threshold,
            self.max_iterations,
            self.seed,
            self.variant,
        )
        return made_by.trace_key(question.key)

    @property
    def scores(self) -> bool:
        """Whether iterations are scored."""
        return self.variant is None or self.variant.scores

    @property
    def independent(self) -> bool:
        """Whether sets of steps are made without feedback on the one before."""
        return self.variant is not None and self.variant.independent

    @property
    def summarizes(self) -> bool:
        """Whether a caption is made of steps and findings."""
        return self.variant is None or self.variant.summarizes


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """What was read out of an agent's reply, with the calls that it took."""

    value: T
    calls: tuple[AgentCall, ...]


@dataclass(frozen=True)
class Round:
    """One iteration's calls."""

    question: Question
    plan: LoopPlan
    ask: AskAgent
    index: int

    async def propose(self, previous: Iteration | None) -> Parsed[ReadSteps]:
        """Return the reasoner's steps: its first, or better ones than those before."""
        style = self.plan.prompts.styles.reasoner
        values: dict[str, object] = {"question": self.question.text}
        if previous is not None:
            values |= {
                "steps": previous.steps,
                "step_answers": previous.step_answers,
                "caption": previous.caption,
                "score": previous.score,
                "feedback": previous.feedback,
            }
        template = "feedback" if previous is not None and previous.steps else "reasoner"
        prompt = self._prompt("reasoner", template, values)
        if style.reply == "json":
            parsed = await self._parsed(
                "reasoner", prompt, lambda text: read_steps(text, style.keys), _JSON_STEPS
            )
            if parsed.value is not None:
                return Parsed(parsed.value, parsed.calls)
            return _lines_instead(parsed.calls)
        parsed = await self._parsed("reasoner", prompt, _lines_or_none, _LINE_STEPS)
        return Parsed(parsed.value or ReadSteps((), (), None, "lines"), parsed.calls)

    async def summarize(self, steps: ReadSteps) -> Parsed[str | None]:
        """Return the caption that the summarizer makes of steps and findings."""
        prompt = self._prompt("summarizer", "summarizer", self._notes(steps))
        return await self._parsed("summarizer", prompt, _caption_or_none, _CAPTION)

    async def evaluate(self, caption: str) -> Parsed[ReadVerdict | None]:
        """Return how well the evaluator finds a caption to fit the clip."""
        values = {"caption": caption, "question": self.question.text}
        return await self._verdict("evaluator", values)

    async def evaluate_steps(self, steps: ReadSteps) -> Parsed[ReadVerdict | None]:
        """Return how well the evaluator finds steps and findings to fit the clip."""
        return await self._verdict("evaluator_steps", self._notes(steps))

    async def evaluate_answer(self, answer: str) -> Parsed[ReadVerdict | None]:
        """Return how well the evaluator finds an answer to the question to fit the clip."""
        values = {"answer": answer, "question": self.question.text}
        return await self._verdict("evaluator_answer", values)

    def _notes(self, steps: ReadSteps) -> dict[str, object]:
        return {
            "question": self.question.text,
            "steps": steps.steps,
            "step_answers": steps.answers,
            "final_answer": steps.final_answer,
        }

    async def _verdict(
        self, template: str, values: Mapping[str, object]
    ) -> Parsed[ReadVerdict | None]:
        style = self.plan.prompts.styles.evaluator
        prompt = self._prompt("evaluator", template, values)
        wanted = _JSON_SCORE if style.reply == "json" else _LINE_SCORE
        return await self._parsed("evaluator", prompt, read_verdict, wanted)

    def _prompt(self, role: Role, template: str, values: Mapping[str, object]) -> Prompt:
        style = self.plan.prompts.styles.of(role)
        text = Text(self.plan.prompts.render(template, values), self._shorter(template, values))
        media = self.question.lead if style.sees_clip else ()
        return Prompt(
            messages=(Message("user", (*media, text)),),
            schema=_schema(role, style),
            generation=self._generation(role, style),
            sampling=style.sampling,
        )

    def _shorter(self, template: str, values: Mapping[str, object]) -> tuple[str, ...]:
        """Return a text that holds steps with ever fewer of them, for agents whose text is limited.

        The last form of a request for better steps asks for them as if there were none yet.
        """
        steps, answers = values.get("steps", ()), values.get("step_answers", ())
        if not isinstance(steps, tuple) or not isinstance(answers, tuple):
            return ()
        forms = [
            self.plan.prompts.render(
                template, {**values, "steps": steps[:count], "step_answers": answers[:count]}
            )
            for count in range(len(steps) - 1, 0, -1)
        ]
        if template == "feedback":
            forms.append(self.plan.prompts.render("reasoner", {"question": values["question"]}))
        return tuple(forms)

    def _generation(self, role: Role, style: RoleStyle) -> Generation:
        temperature, seed = style.temperature, self.plan.seed
        variant = self.plan.variant
        if role == "reasoner" and variant is not None and variant.temperature is not None:
            # Sets of steps that know nothing of each other would be one and the same.
            temperature = style.temperature or variant.temperature
            seed = sample_seed(self.plan.seed, self.index)
        return Generation(style.max_new_tokens, temperature=temperature, seed=seed)

    async def _parsed(
        self, role: Role, prompt: Prompt, read: Callable[[str], T | None], wanted: Mapping[str, str]
    ) -> Parsed[T | None]:
        """Ask, read, and ask once more if the reply could not be read."""
        first = await self.ask(role, prompt, iteration=self.index, ask=0)
        value = read(first.text)
        if value is not None:
            return Parsed(value, (_as_read(first, value),))
        again = prompt.asking_again(first.text, self.plan.prompts.render("again", wanted))
        second = await self.ask(role, again, iteration=self.index, ask=1)
        value = read(second.text)
        return Parsed(value, (_as_read(first, None), _as_read(second, value)))


def _schema(role: Role, style: RoleStyle) -> Mapping[str, object] | None:
    """Return the form of an agent's reply where it is JSON; a caption is text."""
    if style.reply != "json" or role == "summarizer":
        return None
    if role == "reasoner":
        return steps_schema(style.keys)
    return verdict_schema(feedback=style.feedback)


def _as_read(call: AgentCall, value: object) -> AgentCall:
    read = "unreadable" if value is None else getattr(value, "read", "text")
    return call.model_copy(update={"read": read})


def _lines_instead(calls: tuple[AgentCall, ...]) -> Parsed[ReadSteps]:
    """Take the lines of the last reply that has any as steps: unreadable is not failed."""
    for index in range(len(calls) - 1, -1, -1):
        steps = read_lines(calls[index].text)
        if steps.steps:
            read = calls[index].model_copy(update={"read": "lines"})
            return Parsed(steps, (*calls[:index], read, *calls[index + 1 :]))
    return Parsed(ReadSteps((), (), None, "lines"), calls)


def _lines_or_none(text: str) -> ReadSteps | None:
    steps = read_lines(text)
    return steps if steps.steps else None


def _caption_or_none(text: str) -> str | None:
    return without_thinking(text) or None
