"""Reasoning in front of a question: s* = M(v, a, q, r*) of AURELIA, section 3."""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple

from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import Trace

__all__ = ["Injected", "Injector", "Reasoning"]


class Reasoning(NamedTuple):
    """Steps to be followed, with their answers where they are given along."""

    steps: tuple[str, ...]
    step_answers: tuple[str, ...] = ()

    @classmethod
    def of(cls, trace: Trace, iteration: int | None = None) -> Reasoning:
        """Return r* of a trace: the steps of its best iteration, or of the one that is named.

        Args:
            iteration: counted from 1; of a loop with fewer the last one.
        """
        found = trace.iteration(iteration)
        return cls(()) if found is None else cls(found.steps, found.step_answers)


class Injected(NamedTuple):
    """A question behind reasoning.

    Attributes:
        steps: what the target reads of it, a text for each step; empty where there is none.
        preface: the words in front of the question.
    """

    question: Question
    steps: tuple[str, ...] = ()
    preface: str = ""


class Injector:
    """Puts reasoning in front of a question.

    Args:
        prompts: whose template `inject` is rendered.
        with_answers: `inject=steps_and_answers`.
    """

    def __init__(self, prompts: PromptSet, *, with_answers: bool) -> None:
        self._prompts = prompts
        self._with_answers = with_answers

    def __call__(self, question: Question, reasoning: Reasoning) -> Injected:
        """Return the question behind the steps; unchanged if there are no steps."""
        if not reasoning.steps:
            return Injected(question)
        fewer = [self._render(reasoning, count) for count in range(len(reasoning.steps) - 1, 0, -1)]
        preface = self._render(reasoning, len(reasoning.steps))
        shown = self._shown(reasoning)
        return Injected(question.with_preface(preface, fewer), shown, preface)

    def _render(self, reasoning: Reasoning, count: int) -> str:
        """Return the first `count` steps as they are put in front of a question."""
        answers = reasoning.step_answers[:count] if self._with_answers else ()
        values = {"steps": reasoning.steps[:count], "step_answers": answers}
        return self._prompts.render("inject", values)

    def _shown(self, reasoning: Reasoning) -> tuple[str, ...]:
        """Return what the target reads: the steps, with their answers where those go along."""
        if not self._with_answers:
            return reasoning.steps
        return tuple(
            f"{step} {answer}".strip()
            for step, answer in zip_longest(reasoning.steps, reasoning.step_answers, fillvalue="")
        )
