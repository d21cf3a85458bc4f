"""The loop without one of its parts, for ablations."""

from __future__ import annotations

from aurelia_plugin.files.records import Record
from aurelia_plugin.settings import LoopPart

__all__ = ["LoopVariant"]


class LoopVariant(Record):
    """What a loop goes without, and what it needs instead; part of its traces' keys.

    Attributes:
        without: the parts, in alphabetical order. `evaluator`: the first steps count, and nothing
            is scored. `feedback`: `max_iterations` sets of steps are sampled independently, and the
            best scored one is used. `summarizer`: the evaluator judges the steps with what was
            found, instead of a caption made of them.
        temperature: at which independent sets of steps are sampled; None where none are.
        prompt_digest: of the prompt with which steps are judged; None where they are not.
    """

    without: tuple[LoopPart, ...]
    temperature: float | None = None
    prompt_digest: str | None = None

    @property
    def scores(self) -> bool:
        """Whether iterations are scored."""
        return "evaluator" not in self.without

    @property
    def independent(self) -> bool:
        """Whether sets of steps are made without feedback on the one before."""
        return "feedback" in self.without

    @property
    def summarizes(self) -> bool:
        """Whether a caption is made of steps and findings."""
        return "summarizer" not in self.without
