"""Each item, and what every arm made of it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from aurelia_plugin.calling.compute import Compute
from aurelia_plugin.compare.result.parts import Change, Leak
from aurelia_plugin.files.records import Record
from aurelia_plugin.files.storable import Storable

__all__ = [
    "ArmAnswer",
    "ItemRow",
]


class ArmAnswer(Record):
    """What one arm made of one item.

    Attributes:
        right: None where nothing says right or wrong.
        change: beside the reference arm; None for the reference itself.
        read: the answer as the parser read it (letter, label, phrase); None if it read none or
            the log does not hold it.
        failed: `agents`, `target`, or None; what the run record says.
        cause: why it failed, in the error's own words.
        dropped: evidence that was not delivered, to the target or an agent.
        best_score, first_score: the evaluator's, 1 to 10.
        stop: why the loop ended.
        trace: key of the trace in `RunInfo.traces`.
        leak, leak_rule: of the arm's own r*.
        compute: what the target's and the agents' calls took, whenever they were made; None where
            no record says it.
    """

    score: float
    right: bool | None = None
    change: Change | None = None
    answer: Storable
    read: Storable | None = None
    unparsed: bool | None = None
    failed: str | None = None
    cause: Storable | None = None
    dropped: tuple[str, ...] = ()
    iterations: int | None = None
    first_score: int | None = None
    best_score: int | None = None
    stop: str | None = None
    trace: str | None = None
    leak: Leak | None = None
    leak_rule: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None
    compute: Compute | None = None


class ItemRow(Record):
    """One item and what every arm made of it.

    Attributes:
        id: the item's id, else `task/doc_id`.
        cluster: the video that other items may share.
        needs: media that the item's author says it needs.
        question: the text that the task asks, options and answer form included.
        media: names of its media, as a trace or the log gives them.
        about: what the task's log keeps of the item beside (plain question, references, facts,
            question type); empty for tasks of others.
        arms: by label; an arm that lacks the item is absent.
    """

    id: str
    task: str
    doc_id: str
    column: str
    category: str
    answer_class: str
    cluster: str
    needs: tuple[str, ...] = ()
    question: Storable
    options: tuple[Storable, ...] | None = None
    gold: Storable
    media: tuple[Storable, ...] = ()
    about: Mapping[str, object] = Field(default_factory=dict)
    arms: Mapping[str, ArmAnswer]
