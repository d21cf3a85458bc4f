"""Running a study: every arm once, then the comparison of what they gave."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.running.conditions.table import condition_info
from aurelia_plugin.study.plan import Arm, StudyPlan
from aurelia_plugin.study.processes import Echo, WarmProcess, can_be_warm
from aurelia_plugin.study.progress import left_over
from aurelia_plugin.study.provenance import PROVENANCE_FILE, provenance, write_plan
from aurelia_plugin.study.running import Done, check_unchanged, finished, run_arm

__all__ = ["Outcome", "run_arms", "write_provenance"]


class Outcome(NamedTuple):
    """What became of a study's arms.

    Attributes:
        done: the finished arms, in the plan's order.
        failed: why the others are not finished.
    """

    done: Mapping[Arm, Done]
    failed: Mapping[Arm, str]


def run_arms(
    plan: StudyPlan,
    say: Callable[[str], object],
    echo: Echo | None = None,
) -> Outcome:
    """Run every arm that is not finished, on Linux from one process that has started once.

    An arm that has unanswered questions is run again: what was finished is taken from its traces.

    Args:
        say: is told what goes on, a line at a time.
        echo: is handed the runs' own output.

    Raises:
        ConfigError: the folder holds arms of another study.
    """
    arms = list(plan.arms)
    for arm in arms:
        check_unchanged(arm)
    write_plan(plan)
    targets = [arm.target for arm in arms]
    ordered = sorted(arms, key=lambda arm: (targets.index(arm.target), _borrows(arm)))
    if plan.processes > 1 or not can_be_warm():
        return _run_all(arms, ordered, say, echo, None)
    with WarmProcess(plan.environment) as warm:
        return _run_all(arms, ordered, say, echo, warm)


def _run_all(
    arms: Sequence[Arm],
    ordered: Sequence[Arm],
    say: Callable[[str], object],
    echo: Echo | None,
    warm: WarmProcess | None,
) -> Outcome:
    done: dict[Arm, Done] = {}
    failed: dict[Arm, str] = {}
    last: Arm | None = None
    for number, arm in enumerate(ordered, start=1):
        head = f"[{number}/{len(arms)}] {arm.name} {arm.label}"
        before = finished(arm)
        if before is not None and not before.unanswered:
            say(f"{head}: finished before, {before.seconds:.0f} s")
            done[arm] = before
            continue
        again = f"; {before.unanswered} questions of it had no answer" if before else ""
        say(f"{head}: running, output in {arm.folder / 'run.log'}{again}")
        if warm is not None and last is not None and arm.target != last.target:
            warm.close()  # only a process that ends gives back all memory, a GPU's above all
        last = arm
        outcome = run_arm(arm, echo, warm)
        if isinstance(outcome, str):
            failed[arm] = outcome
            say(f"{head}: FAILED, {outcome}")
            continue
        done[arm] = outcome
        open_ = f", {outcome.unanswered} questions without an answer" if outcome.unanswered else ""
        left = left_over([run.seconds for run in done.values()], len(arms) - number)
        say(f"{head}: done in {outcome.seconds:.0f} s{open_}{left}")
    return Outcome({arm: done[arm] for arm in arms if arm in done}, failed)


def _borrows(arm: Arm) -> bool:
    """Whether the arm uses loops that `aurelia` makes, so that their cost is counted there."""
    return condition_info(arm.condition).reuses_traces


def write_provenance(plan: StudyPlan, done: Mapping[Arm, Done]) -> dict[str, object]:
    """Write `study.json` and return what is in it."""
    facts = provenance(plan, done)
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    write_atomically(plan.out / PROVENANCE_FILE, text.encode("utf-8"))
    return facts
