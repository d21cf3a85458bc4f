"""`aurelia study`: all arms of a comparison in one command."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from aurelia_plugin.arguments import read_pairs, split_list
from aurelia_plugin.commands.console import plain_echo, say, standard_output
from aurelia_plugin.commands.parser import Subcommands, limit, whole_number
from aurelia_plugin.errors import ConfigError

if TYPE_CHECKING:
    from tqdm import tqdm

    from aurelia_plugin.study.plan import StudyPlan

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "study",
        help="run a target with and without reasoning and write tables, plots and a page",
        description="Run every arm of a comparison through lmms-eval, one after the other, and "
        "write DIR/index.html, tables, plots and all that is needed to repeat it. The same command "
        "again runs what is not finished; finished agent calls are never repeated. Ends with what "
        "follows, a table of the arms, and the page's path. The exit status is 0 only if every arm "
        "finished and no failure left a question without an answer.",
    )
    command.add_argument(
        "plan",
        type=Path,
        nargs="?",
        help="a YAML file; flags replace its keys. Packaged are ablations.yaml (the loop in parts, "
        "and its controls, for any target) and all_arms.yaml (contrastive decoding, too)",
    )
    command.add_argument("--target", metavar="ID[,ID]", help="catalogue ids or backend specs")
    command.add_argument("--tasks", metavar="T[,T]", help="tasks or groups of lmms-eval")
    command.add_argument(
        "--conditions",
        metavar="C[,C]",
        help="the arms; C@MEDIA takes evidence away, for example none@muted; NAME=C[KEY=VALUE] has "
        "settings of its own, for example steps5=aurelia[max_iterations=5] "
        "(default: none,cot,placebo,aurelia,consistency)",
    )
    command.add_argument(
        "--limit", type=limit, metavar="N", help="items of each task at most; below 1 a share"
    )
    command.add_argument("--out", type=Path, metavar="DIR", help="the folder that is filled")
    command.add_argument(
        "--model_args", metavar="K=V[,K=V]", help="settings and target options of every arm"
    )
    command.add_argument(
        "--seed", type=whole_number(), help="of the arms and of the statistics (default: 0)"
    )
    command.add_argument("--reference", metavar="C", help="the arm to compare with (default: none)")
    command.add_argument(
        "--page-media",
        choices=("link", "copy", "none"),
        help="link the clips from the page (default), copy them beside it, or show none",
    )
    command.add_argument("--no-thumbnails", action="store_true", help="draw no pictures of clips")
    command.add_argument("--plan-only", action="store_true", help="print the runs, start none")
    command.add_argument("--verbose", action="store_true", help="show the runs' own output")
    command.late_epilog = _conditions_help
    command.set_defaults(run=_run)


def _conditions_help() -> str:
    """Return the conditions that there are, those of other packages included."""
    from aurelia_plugin.running.conditions.table import conditions

    known = "; ".join(f"{info.name}: {info.help}" for info in conditions().values())
    return f"Conditions. {known.replace('`', '').replace('*', '')}.".replace("%", "%%")


def _flags(options: argparse.Namespace) -> dict[str, object]:
    """Return the plan's keys that were given as flags."""
    given: dict[str, object] = {
        "targets": _names(options.target),
        "tasks": _names(options.tasks),
        "conditions": _names(options.conditions),
        "limit": options.limit,
        "out": options.out,
        "model_args": None
        if options.model_args is None
        else read_pairs(split_list(options.model_args), "--model_args"),
        "seed": options.seed,
        "reference": options.reference,
        "page_media": options.page_media,
        "thumbnails": False if options.no_thumbnails else None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _names(text: str | None) -> list[str] | None:
    return None if text is None else split_list(text)


def _plan(options: argparse.Namespace) -> StudyPlan:
    from aurelia_plugin.study.plan import plan_from, read_plan

    flags = _flags(options)
    if options.plan is not None:
        return read_plan(options.plan, flags)
    missing = [flag for flag in ("target", "tasks", "out") if not getattr(options, flag)]
    if missing:
        raise ConfigError(
            f"A study needs {', '.join(f'--{flag}' for flag in missing)}.",
            "Give them, or a YAML file with targets, tasks and out.",
        )
    return plan_from(flags, "aurelia study")


def _run(options: argparse.Namespace) -> int:
    plan = _plan(options)
    if options.plan_only:
        _print_runs(plan)
        return 0
    from aurelia_plugin.compare.outputs.plots import require_matplotlib
    from aurelia_plugin.compare.outputs.terminal import show_arms
    from aurelia_plugin.study.reporting import report
    from aurelia_plugin.study.study import run_arms

    require_matplotlib()  # now, not after hours of runs
    bar = _QuestionBar()
    try:
        outcome = run_arms(plan, say, plain_echo() if options.verbose else bar.echo)
    finally:
        bar.close()
    if outcome.done:
        made = report(plan, outcome, say)
        say()
        for name, comparison in made.compared.items():
            title = name if len(plan.targets) > 1 else ""
            show_arms(comparison, standard_output(), title=title)
        say(f"page: {made.page}")
    unanswered = sum(run.unanswered for run in outcome.done.values())
    if unanswered:
        say(
            f"{unanswered} questions have no answer because a call failed; the same command again "
            "tries them once more."
        )
    if not outcome.failed:
        return 1 if unanswered else 0
    are = "arm is" if len(outcome.failed) == 1 else "arms are"
    say(f"{len(outcome.failed)} {are} not finished; the same command again goes on with them.")
    return 1


class _QuestionBar:
    """One line for the questions of the arm that is running, gone when it is done."""

    def __init__(self) -> None:
        from aurelia_plugin.study.progress import RunProgress

        self._progress = RunProgress()
        self._bar: tqdm[NoReturn] | None = None

    def echo(self, chunk: bytes) -> None:
        """Take a piece of the run's output."""
        from tqdm import tqdm

        asked = self._progress.read(chunk)
        if asked is None:
            return
        if self._bar is None:
            self._bar = tqdm(total=asked.total, desc="questions", leave=False, disable=None)
        self._bar.update(asked.done - self._bar.n)
        if asked.done >= asked.total:
            self.close()

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def _print_runs(plan: StudyPlan) -> None:
    from aurelia_plugin.study.running import command, finished

    for arm in plan.arms:
        state = "finished" if finished(arm) else "to run"
        say(f"# {arm.name} {arm.label}: {state}")
        say(shlex.join(command(arm, arm.folder / "run")))
