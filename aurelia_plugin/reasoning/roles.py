"""The agents of the method and how each of them is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from aurelia_plugin.calling.backend import Sampling
from aurelia_plugin.files.records import Record

__all__ = ["ROLES", "JsonKeys", "Role", "RoleStyle", "RoleStyles"]

Role = Literal["reasoner", "summarizer", "evaluator"]
ROLES: tuple[Role, ...] = ("reasoner", "summarizer", "evaluator")


class JsonKeys(Record):
    """Under which keys a reasoner's reply keeps its three parts."""

    steps: str = "steps"
    answers: str = "answers"
    final_answer: str = "final_answer"


class RoleStyle(Record):
    """How one agent is asked.

    Attributes:
        max_new_tokens: upper bound on its reply.
        temperature: 0 for greedy decoding.
        sees_clip: whether the clip is part of its prompt.
        reply: `json` asks once more when a reply cannot be read as JSON; `lines` takes numbered
            lines (`step -> answer`) or a bare score from the start.
        keys: the keys of a reasoner's JSON reply.
        feedback: whether an evaluator's JSON reply has a text beside the score.
        sampling: which frames it sees; None leaves it to the backend.
    """

    max_new_tokens: int = Field(512, ge=1)
    temperature: float = Field(0.0, ge=0.0)
    sees_clip: bool = True
    reply: Literal["json", "lines"] = "lines"
    keys: JsonKeys = JsonKeys()
    feedback: bool = True
    sampling: Sampling | None = None


class RoleStyles(Record):
    """A prompt set's `preset.yaml`."""

    threshold: int = Field(6, ge=1, le=10)
    max_iterations: int = Field(5, ge=1)
    reasoner: RoleStyle = RoleStyle()
    summarizer: RoleStyle = RoleStyle(sees_clip=False)
    evaluator: RoleStyle = RoleStyle()

    def of(self, role: Role) -> RoleStyle:
        """Return one agent's style."""
        style: RoleStyle = getattr(self, role)
        return style
