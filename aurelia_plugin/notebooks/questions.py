"""One question of a comparison, with what every arm made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aurelia_plugin.compare.result import ArmAnswer, ItemRow
from aurelia_plugin.compare.result.parts import Change
from aurelia_plugin.reasoning.trace import Trace

__all__ = ["Answer", "Question", "ReadTrace"]

ReadTrace = Callable[[str, str], Trace | None]
"""From an arm's label and a trace's key to the trace."""


@dataclass(frozen=True)
class Answer:
    """What one arm answered.

    Attributes:
        arm: the arm's label.
        text: the reply, whole; empty where a call failed.
        read: the answer as the parser read it (a letter, a label, a phrase), or None.
        right: None where nothing says right or wrong.
        score: from 0 to 1.
        change: beside the reference arm: `wrong_to_right`, `right_to_wrong`, `right` or `wrong`
            (in both); None for the reference itself.
        failed: `agents` or `target` where a call failed, else None.
        leak: whether the steps in front of the question gave the answer away: `leak`, `clean`,
            `unclear`, or None without steps.
    """

    arm: str
    text: str
    read: str | None
    right: bool | None
    score: float
    change: Change | None
    failed: str | None
    leak: str | None

    @classmethod
    def of(cls, arm: str, answer: ArmAnswer) -> Answer:
        """Return an arm's answer as a comparison holds it."""
        return cls(
            arm=arm,
            text=answer.answer,
            read=answer.read,
            right=answer.right,
            score=answer.score,
            change=answer.change,
            failed=answer.failed,
            leak=answer.leak,
        )


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        id: the item's id.
        column, category: where it belongs.
        text: as the task asks it, options included.
        gold: the right answer; with options a letter.
        options: their texts, or None for an open question.
        media: the files of its clip that are still there.
        answers: arm to answer, in the order of the arms.
    """

    id: str
    task: str
    column: str
    category: str
    text: str
    gold: str
    options: tuple[str, ...] | None
    media: tuple[Path, ...]
    answers: Mapping[str, Answer]
    _keys: Mapping[str, str] = field(repr=False)
    _read: ReadTrace = field(repr=False)

    @classmethod
    def of(cls, item: ItemRow, read: ReadTrace) -> Question:
        """Return a question as a comparison holds it."""
        return cls(
            id=item.id,
            task=item.task,
            column=item.column,
            category=item.category,
            text=item.question,
            gold=item.gold,
            options=item.options,
            media=tuple(path for path in map(Path, item.media) if path.is_file()),
            answers={arm: Answer.of(arm, answer) for arm, answer in item.arms.items()},
            _keys={arm: a.trace for arm, a in item.arms.items() if a.trace is not None},
            _read=read,
        )

    def trace(self, arm: str) -> Trace | None:
        """Return the loop that an arm's answer builds on.

        None for an arm without a loop, and where the traces folder is gone.
        """
        key = self._keys.get(arm)
        return None if key is None else self._read(arm, key)
