"""The prompts of a loop's calls: not stored, but written by the same templates from what is."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from aurelia_plugin.compare.result import RunInfo
from aurelia_plugin.errors import AureliaError
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.trace import AgentCall, Iteration, Trace

__all__ = ["AskedPrompts", "prompts_of"]


def prompts_of(run: RunInfo, trace: Trace) -> PromptSet | None:
    """Return the prompts that a trace was made with; None where they are not there any more."""
    preset, prompts = run.settings.get("preset"), run.settings.get("prompts")
    if not isinstance(preset, str) or not isinstance(prompts, str | None):
        return None
    found = _prompt_set(preset, prompts)
    return found if found is not None and found.loop_digest == trace.prompts_digest else None


@functools.lru_cache(maxsize=16)
def _prompt_set(preset: str, prompts: str | None) -> PromptSet | None:
    try:
        return PromptSet(preset, prompts)
    except (AureliaError, OSError):  # a folder that is gone, or has become another
        return None


class AskedPrompts:
    """The texts that the calls of one trace were asked with; the clip stood in front of them.

    Args:
        trace: of a loop with all its parts.
        prompts: those that it was made with.
    """

    def __init__(self, trace: Trace, prompts: PromptSet) -> None:
        self._trace = trace
        self._prompts = prompts

    def of(self, place: int) -> Sequence[str | None]:
        """Return the prompt of each call of an iteration.

        None for a call that asked again, which had the call before it in front, and where the
        iteration lacks what the prompt was made of.
        """
        own = self._trace.iterations[place]
        previous = self._trace.iterations[place - 1] if place else None
        return [self._text(call, own, previous) for call in own.calls]

    def _text(self, call: AgentCall, own: Iteration, previous: Iteration | None) -> str | None:
        if call.ask or (call.role == "evaluator" and own.caption is None):
            return None
        try:
            return self._prompts.render(*self._asked(call, own, previous))
        except AureliaError:  # a template that takes something else from the loop
            return None

    def _asked(
        self, call: AgentCall, own: Iteration, previous: Iteration | None
    ) -> tuple[str, Mapping[str, object]]:
        """Return the template of a call, and what goes into it: as the loop does it."""
        question = {"question": self._trace.question}
        if call.role == "evaluator":
            return "evaluator", {**question, "caption": own.caption}
        if call.role == "summarizer":
            return "summarizer", {
                **question,
                "steps": own.steps,
                "step_answers": own.step_answers,
                "final_answer": own.final_answer,
            }
        if previous is None or not previous.steps:
            return "reasoner", question
        return "feedback", {
            **question,
            "steps": previous.steps,
            "step_answers": previous.step_answers,
            "caption": previous.caption,
            "score": previous.score,
            "feedback": previous.feedback,
        }
