"""Writing accepted steps into a manifest, those left out that give the answer away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from aurelia_plugin.benchmark.annotation.fates import ItemFate, LeakRule, StepAudit
from aurelia_plugin.benchmark.data.items import (
    MANIFEST,
    Item,
    ReasoningSource,
    read_items,
    write_items,
)
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.reasoning.trace import Trace

__all__ = ["Asked", "annotate", "annotated", "is_accepted"]


class Asked(NamedTuple):
    """An item as it was asked, its trace, and at which attempt, from 1, it was made."""

    item: Item
    trace: Trace
    attempt: int = 1


def annotated(item: Item, asked: Asked, audit: StepAudit) -> Item:
    """Return the item with the steps of an accepted trace, their answers and their provenance."""
    trace = asked.trace
    assert trace.best is not None
    best = trace.iterations[trace.best]
    assert best.score is not None
    source = ReasoningSource(
        score=best.score,
        threshold=trace.threshold,
        iterations=len(trace.iterations),
        trace=trace.key,
        prompts_digest=trace.prompts_digest,
        leak=audit.leak,
        attempt=asked.attempt if asked.attempt > 1 else None,
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


def is_accepted(trace: Trace) -> bool:
    """Whether a trace ended with steps that were accepted, and names all of its agents."""
    return trace.stop == "accepted" and bool(trace.steps) and trace.roles.keys() == set(ROLES)


def annotate(
    folder: Path, asked: Mapping[str, Asked], leak_rule: LeakRule, *, replace: bool = False
) -> list[ItemFate]:
    """Write accepted steps that do not give the answer away into a folder's manifest.

    Steps without `reasoning_source` were written by people, or came with the data; they stay unless
    `replace` is set, and are audited. Steps of an earlier annotation are renewed, and taken out
    where they give the answer away. The manifest is read again for this: an item that has changed
    since its trace was made is left alone.

    Args:
        folder: with the manifest.
        asked: by item id, the item as it was asked and its trace.
        leak_rule: judges steps.
        replace: whether steps that people wrote give way, too.

    Returns:
        What became of each item, in the order of the manifest.
    """
    fates = []
    written = []
    before = []
    for item in read_items(folder / MANIFEST):
        new, fate = _fate(item, asked.get(item.id), leak_rule, replace)
        before.append(item)
        written.append(new)
        fates.append(fate)
    if written != before:
        write_items(folder / MANIFEST, written)
    return fates


def _fate(
    item: Item, asked: Asked | None, leak_rule: LeakRule, replace: bool
) -> tuple[Item, ItemFate]:
    """Return the item as it is to be written, and what became of it."""
    people = bool(item.reasoning_steps) and item.reasoning_source is None
    if people and not replace:
        audit = leak_rule(item, item.reasoning_steps or ())
        return item, ItemFate(item.id, item.category, "kept", audit=audit)
    if asked is not None and asked.item != item:
        return item, ItemFate(item.id, item.category, "changed")
    if asked is not None and is_accepted(asked.trace):
        audit = leak_rule(item, asked.trace.steps)
        if audit.leak == "leak":
            fate = ItemFate(item.id, item.category, "leaking", asked.attempt, audit)
            return (item if people else _without_steps(item)), fate
        fate = ItemFate(item.id, item.category, "annotated", asked.attempt, audit)
        return annotated(item, asked, audit), fate
    if item.reasoning_source is not None:  # steps of an earlier annotation
        audit = leak_rule(item, item.reasoning_steps or ())
        if audit.leak == "leak":
            return _without_steps(item), ItemFate(item.id, item.category, "leaking", audit=audit)
    ended = asked is not None and asked.trace.finished
    return item, ItemFate(item.id, item.category, "not accepted" if ended else "unfinished")


def _without_steps(item: Item) -> Item:
    return item.model_copy(
        update={"reasoning_steps": None, "step_answers": None, "reasoning_source": None}
    )
