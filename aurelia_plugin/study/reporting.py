"""From finished arms to a folder that can be read: comparison, tables, plots, page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.outputs.report import write_report
from aurelia_plugin.compare.result import Comparison
from aurelia_plugin.study.overview import write_overview
from aurelia_plugin.study.plan import Arm, StudyPlan
from aurelia_plugin.study.running import Done
from aurelia_plugin.study.study import Outcome, write_provenance

__all__ = ["Report", "report"]


class Report(NamedTuple):
    """What a study has come to.

    Attributes:
        page: the page to open.
        compared: target's name to its comparison.
    """

    page: Path
    compared: Mapping[str, Comparison]


def report(plan: StudyPlan, outcome: Outcome, say: Callable[[str], object]) -> Report:
    """Compare the finished arms of each target, and write everything.

    With several targets each has a folder of its own, and the page in front lists them.

    Raises:
        ConfigError: arms cannot be compared; the message says what differs.
    """
    facts = write_provenance(plan, outcome.done)
    compared: dict[str, Comparison] = {}
    several = len(plan.targets) > 1
    for target in plan.targets:
        done = {arm: run for arm, run in outcome.done.items() if arm.target == target}
        if not done:
            continue
        name = next(iter(done)).name
        comparison = _compared(plan, done, _notes(plan, outcome, target))
        folder = plan.out / "targets" / name if several else plan.out
        write_report(
            comparison,
            folder,
            title=f"{name} on {', '.join(plan.tasks)}",
            media=plan.page_media,
            thumbnails=plan.thumbnails,
            provenance=facts,
            say=say,
        )
        compared[name] = comparison
    if several:
        page = write_overview(plan.out, compared, _without_arms(outcome))
    else:
        page = plan.out / "index.html"
    return Report(page, compared)


def _without_arms(outcome: Outcome) -> tuple[str, ...]:
    """Return a sentence for each target of which no arm is finished: it has no line."""
    finished = {arm.target for arm in outcome.done}
    first: dict[str, str] = {}
    for arm, why in outcome.failed.items():
        if arm.target not in finished:
            said = f"{arm.target}: no arm is finished. {arm.label}: {why}"
            first.setdefault(arm.target, said)
    return tuple(first.values())


def _compared(plan: StudyPlan, done: Mapping[Arm, Done], notes: tuple[str, ...]) -> Comparison:
    labels = [arm.label for arm in done]
    reference = plan.reference if plan.reference in labels else None
    options = Options(
        reference=reference,
        draws=plan.draws,
        seed=plan.seed,
        traces=dict.fromkeys(labels, plan.traces),
        prices=plan.prices or None,
        boards=plan.boards,
    )
    comparison = compare({arm.label: run.run for arm, run in done.items()}, options)
    return comparison.model_copy(update={"notes": (*notes, *comparison.notes)})


def _notes(plan: StudyPlan, outcome: Outcome, target: str) -> tuple[str, ...]:
    missing = [
        f"The arm {arm.label} is not finished: {why}"
        for arm, why in outcome.failed.items()
        if arm.target == target
    ]
    unanswered = [
        f"{run.unanswered} questions of the arm {arm.label} have no answer because a call failed; "
        "they count as wrong. The same command again tries them once more."
        for arm, run in outcome.done.items()
        if arm.target == target and run.unanswered
    ]
    limited = []
    if plan.limit is not None:
        limited = [f"Only a part was asked: --limit {plan.limit} of each task."]
    return (*missing, *unanswered, *limited)
