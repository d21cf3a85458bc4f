"""What was said on the way to an answer, where it took more than one turn."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from aurelia_plugin.calling.backend import Reply, Usage
from aurelia_plugin.calling.ledger import TARGET_ROLE
from aurelia_plugin.reasoning.trace import AgentCall

__all__ = ["Turn", "TurnKind"]

TurnKind = Literal["answer", "critique", "request", "score"]
"""`request` asks for a part of the clip; `score` is an evaluator's, of the answer before it."""


class Turn(NamedTuple):
    """One reply on the way.

    Attributes:
        kind: what it is.
        text: in the model's own words.
        role: who said it: an agent's role, or `target`.
        note: what came of it, in a few words: what was given for a request, how a score was read.
        score: that was read, 1 to 10.
        chosen: whether it is the answer that counts.
        usage: its tokens.
        sound_seconds: that the model was given for it.
        model: that said it.
    """

    kind: TurnKind
    text: str
    role: str = TARGET_ROLE
    note: str = ""
    score: int | None = None
    chosen: bool = False
    usage: Usage = Usage()
    sound_seconds: float = 0.0
    model: str = ""

    @classmethod
    def of(cls, kind: TurnKind, said: Reply | AgentCall, **about: Any) -> Turn:
        """Return a reply as a turn; `about` are further fields."""
        role = said.role if isinstance(said, AgentCall) else TARGET_ROLE
        return cls(
            kind,
            said.text,
            role,
            usage=said.usage,
            sound_seconds=said.evidence.sound_seconds,
            model=said.model,
            **about,
        )

    def record(self) -> dict[str, Any]:
        """Return the turn as a part of a run's record."""
        return {**self._asdict(), "usage": self.usage.model_dump()}
