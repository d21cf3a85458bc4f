"""A chat model that answers every document by a function of it, and records the messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lmms_eval.api.model import lmms
from lmms_eval.tasks import TaskManager

__all__ = ["TASKS", "Stub", "manager"]

TASKS = Path(__file__).resolve().parents[2] / "task_yamls"


class Stub(lmms):  # type: ignore[misc]
    is_simple = False

    def __init__(self, answer: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self.answer = answer
        self.messages: dict[str, list[Any]] = {}
        self.generation: list[dict[str, Any]] = []

    def generate_until(self, requests: list[Any]) -> list[str]:
        answers = []
        for request in requests:
            _, doc_to_messages, generation, doc_id, task, split = request.args
            doc = self.task_dict[task][split][doc_id]
            self.messages.setdefault(task, []).append(doc_to_messages(doc))
            self.generation.append(generation)
            answers.append(self.answer(doc))
        return answers

    def loglikelihood(self, requests: list[Any]) -> list[Any]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
        raise NotImplementedError


def manager() -> TaskManager:
    return TaskManager(include_path=str(TASKS), include_defaults=False)
