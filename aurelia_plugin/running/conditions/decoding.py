"""Contrastive decoding: the question as it is, and other rules for choosing the answer's tokens."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from aurelia_plugin.calling.contrast import Avcd, Contrast, Mad
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.base import Answered, AskTarget, Condition, Prepared

__all__ = ["AudioVisualContrast", "ModalityAdaptive"]


class _Contrasted(Condition):
    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question unchanged."""
        return Prepared(question)

    async def answer(self, question: Question, prepared: Prepared, ask: AskTarget) -> Answered:
        """Return the answer, decoded with the contrast."""
        prompt = replace(question.prompt(), contrast=self._contrast(question))
        return Answered(await ask(prompt))

    @abstractmethod
    def _contrast(self, question: Question) -> Contrast:
        """Return what the question is decoded in contrast to."""


class AudioVisualContrast(_Contrasted):
    """`condition=avcd`.

    Args:
        alpha: see `Avcd`; by default the paper's for question answering.
    """

    def __init__(self, alpha: float | None = None) -> None:
        self._avcd = Avcd() if alpha is None else Avcd(alpha=alpha)

    def _contrast(self, question: Question) -> Contrast:
        return self._avcd


class ModalityAdaptive(_Contrasted):
    """`condition=mad`.

    Args:
        prompts: `modality` asks which modality the question needs.
        gamma: see `Mad`; by default the paper's.
    """

    def __init__(self, prompts: PromptSet, gamma: float | None = None) -> None:
        self._prompts = prompts
        self._gamma = gamma

    def _contrast(self, question: Question) -> Contrast:
        asking = self._prompts.render("modality", {"question": question.text})
        return Mad(asking) if self._gamma is None else Mad(asking, gamma=self._gamma)
