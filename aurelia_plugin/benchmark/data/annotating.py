"""Reasoning steps for a manifest's items, as the benchmark itself was made: by accepted loops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from aurelia_plugin.benchmark.data.documents import user_turn
from aurelia_plugin.benchmark.data.items import (
    MANIFEST,
    Item,
    ReasoningSource,
    read_items,
    write_items,
)
from aurelia_plugin.calling.backend import Generation, Message, Part, Text
from aurelia_plugin.media.content import coerce
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.reasoning.trace import Trace

__all__ = ["ItemSource", "annotate", "annotated"]


class ItemSource:
    """Makes an item's question, the same that the task of its benchmark asks.

    Args:
        item: one line of the manifest.
        folder: that of the manifest.
    """

    def __init__(self, item: Item, folder: Path) -> None:
        self.item = item
        self._folder = folder

    @property
    def id(self) -> str:
        """The item's."""
        return self.item.id

    @property
    def category(self) -> str:
        """The item's."""
        return self.item.category

    def __call__(self) -> Question:
        """Make the question.

        Raises:
            MediaError: if a medium is missing or has no usable form.
        """
        (turn,) = user_turn(self.item, self._folder)
        parts: list[Part] = []
        for block in turn["content"]:
            text = block["type"] == "text"
            parts.append(Text(block["text"]) if text else coerce(block["url"], label=block["type"]))
        message = Message("user", tuple(parts))
        return Question(self.id, (message,), Generation(), self.category, column=self.item.column)


def annotated(item: Item, trace: Trace) -> Item:
    """Return the item with the steps of an accepted trace, their answers and their provenance."""
    assert trace.best is not None
    best = trace.iterations[trace.best]
    assert best.score is not None
    source = ReasoningSource(
        score=best.score,
        threshold=trace.threshold,
        iterations=len(trace.iterations),
        trace=trace.key,
        prompts_digest=trace.prompts_digest,
        **{str(role): identity for role, identity in trace.roles.items()},
    )
    answers = best.step_answers if len(best.step_answers) == len(best.steps) else None
    return item.model_copy(
        update={
            "reasoning_steps": best.steps,
            "step_answers": answers,
            "reasoning_source": source,
        }
    )


def _is_accepted(trace: Trace) -> bool:
    """Whether a trace ended with steps that were accepted, and names all of its agents."""
    return trace.stop == "accepted" and bool(trace.steps) and trace.roles.keys() == set(ROLES)


def annotate(
    folder: Path, traces: Mapping[str, tuple[Item, Trace]], *, replace: bool = False
) -> Counter[str]:
    """Write accepted steps into a folder's manifest.

    Steps without `reasoning_source` were written by people, or came with the data; they stay unless
    `replace` is set. Steps of an earlier annotation are renewed. The manifest is read again for
    this: an item that has changed since its trace was made is left alone.

    Args:
        folder: with the manifest.
        traces: by item id, the item as it was asked and its finished trace.
        replace: whether steps that people wrote give way, too.

    Returns:
        How many items were `annotated`, `kept` (they had steps), `changed` (since they were asked),
        and `not accepted` or without a trace.
    """
    counts: Counter[str] = Counter()
    written = []
    for item in read_items(folder / MANIFEST):
        asked, trace = traces.get(item.id, (item, None))
        what, new = "annotated", item
        if item.reasoning_steps and item.reasoning_source is None and not replace:
            what = "kept"
        elif asked != item:
            what = "changed"
        elif trace is None or not _is_accepted(trace):
            what = "not accepted"
        else:
            new = annotated(item, trace)
        counts[what] += 1
        written.append(new)
    if counts["annotated"]:
        write_items(folder / MANIFEST, written)
    return counts
