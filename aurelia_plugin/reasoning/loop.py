"""The loop: reasoner, summarizer, evaluator, feedback, until a caption is accepted.

A pure function of question, agents, prompts and settings: it keeps no state, decodes no media
and writes no file. Source: AURELIA, section 3 (r = R(v, a, q); c = S(r, q); e = E(v, a, c);
r* = argmax of e over the iterations).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.errors import AureliaError, BackendError, MediaError, OverBudgetError
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
from aurelia_plugin.reasoning.trace import (
    AgentCall,
    Iteration,
    MadeBy,
    StopReason,
    Trace,
    best_of,
)

__all__ = ["AskAgent", "LoopPlan", "distil"]

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
    """

    prompts: PromptSet
    roles: Mapping[Role, str]
    threshold: int
    max_iterations: int
    seed: int = 0

    def trace_key(self, question: Question) -> str:
        """Return the key under which the question's trace is stored."""
        made_by = MadeBy(
            dict(self.roles),
            self.prompts.loop_digest,
            self.threshold,
            self.max_iterations,
            self.seed,
        )
        return made_by.trace_key(question.key)


@dataclass(frozen=True)
class _Parsed(Generic[T]):
    """What was read out of an agent's reply, with the calls that it took."""

    value: T
    calls: tuple[AgentCall, ...]


async def distil(question: Question, plan: LoopPlan, ask: AskAgent) -> Trace:
    """Run the loop for one question.

    Returns:
        The trace. A call that failed after its retries ends the loop with `stop="failed"`, one
        that the budget did not allow with `stop="over_budget"`; the iterations finished before it
        are kept.
    """
    iterations: list[Iteration] = []
    error: AureliaError | None = None
    try:
        while len(iterations) < plan.max_iterations and not _accepted(iterations, plan):
            previous = iterations[-1] if iterations else None
            iterations.append(await _iterate(question, plan, ask, len(iterations), previous))
    except (BackendError, MediaError, OverBudgetError) as failure:
        error = failure
    done = tuple(iterations)
    return Trace(
        key=plan.trace_key(question),
        question_key=question.key,
        question=question.text,
        clip_digest=question.clip.digest,
        media=tuple(medium.name for medium in question.clip.media),
        roles=dict(plan.roles),
        prompts_digest=plan.prompts.loop_digest,
        threshold=plan.threshold,
        max_iterations=plan.max_iterations,
        seed=plan.seed,
        iterations=done,
        best=best_of(done),
        stop=_stop_reason(iterations, plan, error),
        error=None if error is None else str(error),
    )


def _accepted(iterations: list[Iteration], plan: LoopPlan) -> bool:
    return bool(iterations) and (iterations[-1].score or 0) >= plan.threshold


def _stop_reason(
    iterations: list[Iteration], plan: LoopPlan, error: AureliaError | None
) -> StopReason:
    if error is not None:
        return "over_budget" if isinstance(error, OverBudgetError) else "failed"
    if _accepted(iterations, plan):
        return "accepted"
    if all(iteration.score is None for iteration in iterations):
        return "unscored"
    return "exhausted"


async def _iterate(
    question: Question, plan: LoopPlan, ask: AskAgent, index: int, previous: Iteration | None
) -> Iteration:
    round_ = _Round(question, plan, ask, index)
    proposed = await round_.propose(previous)
    steps, calls = proposed.value, proposed.calls
    if not steps.steps:
        return Iteration(steps=(), calls=calls)
    summary = await round_.summarize(steps)
    caption, calls = summary.value, calls + summary.calls
    verdict: ReadVerdict | None = None
    if caption:
        evaluation = await round_.evaluate(caption)
        verdict, calls = evaluation.value, calls + evaluation.calls
    return Iteration(
        steps=steps.steps,
        step_answers=steps.answers,
        final_answer=steps.final_answer,
        caption=caption or None,
        score=verdict.score if verdict else None,
        feedback=verdict.feedback if verdict else None,
        calls=calls,
    )


@dataclass(frozen=True)
class _Round:
    """One iteration's calls."""

    question: Question
    plan: LoopPlan
    ask: AskAgent
    index: int

    async def propose(self, previous: Iteration | None) -> _Parsed[ReadSteps]:
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
                return _Parsed(parsed.value, parsed.calls)
            return _lines_instead(parsed.calls)
        parsed = await self._parsed("reasoner", prompt, _lines_or_none, _LINE_STEPS)
        return _Parsed(parsed.value or ReadSteps((), (), None, "lines"), parsed.calls)

    async def summarize(self, steps: ReadSteps) -> _Parsed[str | None]:
        values = {
            "question": self.question.text,
            "steps": steps.steps,
            "step_answers": steps.answers,
            "final_answer": steps.final_answer,
        }
        prompt = self._prompt("summarizer", "summarizer", values)
        return await self._parsed("summarizer", prompt, _caption_or_none, _CAPTION)

    async def evaluate(self, caption: str) -> _Parsed[ReadVerdict | None]:
        style = self.plan.prompts.styles.evaluator
        values = {"caption": caption, "question": self.question.text}
        prompt = self._prompt("evaluator", "evaluator", values)
        wanted = _JSON_SCORE if style.reply == "json" else _LINE_SCORE
        return await self._parsed("evaluator", prompt, read_verdict, wanted)

    def _prompt(self, role: Role, template: str, values: Mapping[str, object]) -> Prompt:
        style = self.plan.prompts.styles.of(role)
        text = self.plan.prompts.render(template, values)
        media = self.question.lead if style.sees_clip else ()
        return Prompt(
            messages=(Message("user", (*media, Text(text))),),
            schema=_schema(role, style),
            generation=Generation(
                max_new_tokens=style.max_new_tokens,
                temperature=style.temperature,
                seed=self.plan.seed,
            ),
            sampling=style.sampling,
        )

    async def _parsed(
        self, role: Role, prompt: Prompt, read: Callable[[str], T | None], wanted: Mapping[str, str]
    ) -> _Parsed[T | None]:
        """Ask, read, and ask once more if the reply could not be read."""
        first = await self.ask(role, prompt, iteration=self.index, ask=0)
        value = read(first.text)
        if value is not None:
            return _Parsed(value, (_as_read(first, value),))
        again = prompt.asking_again(first.text, self.plan.prompts.render("again", wanted))
        second = await self.ask(role, again, iteration=self.index, ask=1)
        value = read(second.text)
        return _Parsed(value, (_as_read(first, None), _as_read(second, value)))


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


def _lines_instead(calls: tuple[AgentCall, ...]) -> _Parsed[ReadSteps]:
    """Take the lines of the last reply that has any as steps: unreadable is not failed."""
    for index in range(len(calls) - 1, -1, -1):
        steps = read_lines(calls[index].text)
        if steps.steps:
            read = calls[index].model_copy(update={"read": "lines"})
            return _Parsed(steps, (*calls[:index], read, *calls[index + 1 :]))
    return _Parsed(ReadSteps((), (), None, "lines"), calls)


def _lines_or_none(text: str) -> ReadSteps | None:
    steps = read_lines(text)
    return steps if steps.steps else None


def _caption_or_none(text: str) -> str | None:
    return without_thinking(text) or None
