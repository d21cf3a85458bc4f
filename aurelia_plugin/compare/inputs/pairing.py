"""Which runs may be paired, and what differs where they may not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from aurelia_plugin.compare.inputs.arms import ComparedArm, Key
from aurelia_plugin.compare.inputs.run_info import asked_model
from aurelia_plugin.compare.result import TaskInfo
from aurelia_plugin.errors import ConfigError

__all__ = ["ASPECTS", "Difference", "common_keys", "differences", "require_pairs", "shortfalls"]

ASPECTS: Final = ("items", "parser", "target")
"""What must be the same in both runs: the questions, how replies are scored, who answers."""

_SHOWN: Final = 3


class Difference(NamedTuple):
    """One way in which two runs differ."""

    aspect: str
    text: str


def differences(one: ComparedArm, two: ComparedArm) -> list[Difference]:
    """Return in what the runs differ, except for what an arm is about.

    An arm is about its condition, its agents, what is injected, its prompts and `media`. A
    text-only run of another harness asks another model another text, so only its items are
    looked at.
    """
    found = [Difference("items", text) for text in _items(one, two)]
    if one.blind is not None or two.blind is not None:
        return found
    found += [Difference("parser", text) for text in _parsers(one, two)]
    found += [Difference("target", text) for text in _targets(one, two)]
    return found


def require_pairs(
    arms: Sequence[ComparedArm], reference: ComparedArm, allowed: Collection[str]
) -> list[str]:
    """Return the differences that were allowed, in words.

    Raises:
        ConfigError: runs differ in something that was not allowed, naming all of it.
    """
    notes, refused, aspects = [], [], set()
    for arm in arms:
        if arm is reference:
            continue
        for aspect, text in differences(reference, arm):
            line = f"{reference.label} and {arm.label} differ in {aspect}: {text}"
            if aspect in allowed:
                notes.append(f"Allowed: {line}")
            else:
                refused.append(line)
                aspects.add(aspect)
    if refused:
        named = ",".join(aspect for aspect in ASPECTS if aspect in aspects)
        raise ConfigError(
            "\n".join(["These runs cannot be paired.", *refused]),
            f"Run them alike, or, if that difference is what you compare, add --allow {named}.",
        )
    return notes


def common_keys(arms: Sequence[ComparedArm], reference: ComparedArm) -> list[Key]:
    """Return the questions that all runs over media have, in the reference's order."""
    others = [arm.questions.keys() for arm in arms if arm.blind is None]
    keys = [key for key in reference.questions if all(key in other for other in others)]
    if not keys:
        raise ConfigError(
            "The runs have no question in common.", "Compare runs of the same tasks and data."
        )
    return keys


def shortfalls(
    arms: Sequence[ComparedArm], reference: ComparedArm, keys: Sequence[Key]
) -> list[str]:
    """Return, in words, which arms lack questions of the reference, and what is left out for it."""
    whole, found = len(reference.questions), []
    for arm in arms:
        held = sum(key in arm.questions for key in reference.questions)
        if held < whole:
            found.append(f"{arm.label} has {held} of the {whole} questions of {reference.label}.")
    if len(keys) < whole:
        found.append(
            f"Figures are over the {len(keys)} of {whole} questions of {reference.label} that "
            "every run over media has; the others are left out of every arm."
        )
    return found


def _items(one: ComparedArm, two: ComparedArm) -> Iterable[str]:
    blind = one.blind is not None or two.blind is not None
    ways = [(one, two), (two, one)]
    if blind:  # a text-only run may hold fewer questions, never others
        ways = [(two, one)] if two.blind is not None else [(one, two)]
    for first, second in ways:
        lacking = [key.item for key in first.questions if key not in second.questions]
        if lacking:
            yield f"{_count(lacking)} only in {first.label}"
    both = [key for key in one.questions if key in two.questions]
    for what, differ in (
        ("gold answer", [k for k in both if one.questions[k].target != two.questions[k].target]),
        ("clip or text", [] if blind else [k for k in both if _content_differs(one, two, k)]),
    ):
        if differ:
            yield f"{_count([key.item for key in differ])} with another {what}"


def _content_differs(one: ComparedArm, two: ComparedArm, key: Key) -> bool:
    (clip, text), (other_clip, other_text) = one.content(key), two.content(key)
    both_known = clip is not None and other_clip is not None
    return text != other_text or (both_known and clip != other_clip)


def _count(items: Sequence[str]) -> str:
    more = ", ..." if len(items) > _SHOWN else ""
    noun = "question" if len(items) == 1 else "questions"
    return f"{len(items)} {noun} ({', '.join(items[:_SHOWN])}{more})"


def _parsers(one: ComparedArm, two: ComparedArm) -> Iterable[str]:
    first = {task.name: task for task in one.info.tasks}
    for task in two.info.tasks:
        other = first.get(task.name)
        if other is None:
            continue  # the items say it
        for name in ("version", "metric", "parser"):
            before, after = getattr(other, name), getattr(task, name)
            if before != after and None not in (before, after):
                yield f"{task.name}: {name} {before} / {after}"
    mine, theirs = (arm.info.versions.get("aurelia") for arm in (one, two))
    if mine != theirs and None not in (mine, theirs):
        yield f"version of this package: {mine} / {theirs}"


def _targets(one: ComparedArm, two: ComparedArm) -> Iterable[str]:
    recorded = one.info.record is not None and two.info.record is not None
    mine, theirs = (
        arm.info.target if recorded else asked_model(arm.info.model, arm.info.model_args)
        for arm in (one, two)
    )
    if mine != theirs:
        yield f"{mine} / {theirs}"
    seeds = [arm.info.seeds.get("aurelia") for arm in (one, two)]
    if recorded and seeds[0] != seeds[1]:
        yield f"seed {seeds[0]} / {seeds[1]}"
    yield from _generation(one.info.tasks, two.info.tasks)


def _generation(one: Iterable[TaskInfo], two: Iterable[TaskInfo]) -> Iterable[str]:
    first: Mapping[str, TaskInfo] = {task.name: task for task in one}
    said = set()
    for task in two:
        if task.name not in first:
            continue
        before: Mapping[str, object] = first[task.name].generation
        for key in sorted({*before, *task.generation}):
            text = f"generation {key}: {before.get(key)} / {task.generation.get(key)}"
            if before.get(key) != task.generation.get(key) and text not in said:
                said.add(text)
                yield f"{text} ({task.name})"
