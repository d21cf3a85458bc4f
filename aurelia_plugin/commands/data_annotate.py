"""`aurelia data annotate`: reasoning steps for a manifest's items, written by agents."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.commands.console import say, say_table
from aurelia_plugin.commands.distil import distil_here
from aurelia_plugin.commands.messages import quiet_harness
from aurelia_plugin.commands.parser import Subcommands, whole_number

if TYPE_CHECKING:
    from aurelia_plugin.benchmark.annotation.fates import ItemFate, StepAudit
    from aurelia_plugin.benchmark.annotation.writing import Asked
    from aurelia_plugin.benchmark.data.items import Item

__all__ = ["add"]


def add(parts: Subcommands) -> None:
    """Add the command to those of `aurelia data`."""
    command = parts.add_parser(
        "annotate",
        help="write accepted reasoning steps into a manifest, audited, with a data set card",
        description="Run the agents over the items of DIR's manifest (traces that are there cost "
        "nothing, so a run that was stopped goes on) and write the steps of accepted loops into "
        "reasoning_steps and step_answers, and where they are from into reasoning_source. Steps "
        "that give the answer away are written anew, then left out. Steps that people wrote stay. "
        "A data set card (README.md) and annotation.json say what became of every item. Exit "
        "status 1 if an item has no finished trace.",
    )
    command.add_argument("folder", type=Path, help="the folder with manifest.jsonl")
    command.add_argument("--model", default="aurelia", help="as for aurelia distil")
    command.add_argument(
        "--model_args", "--model-args", default="", help="as for aurelia distil: agents=SPEC,..."
    )
    command.add_argument(
        "--replace", action="store_true", help="replace steps that people wrote, too"
    )
    command.add_argument(
        "--redo",
        type=whole_number(most=9),
        default=1,
        metavar="N",
        help="how often steps that give the answer away are written anew (default 1)",
    )
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from aurelia_plugin.benchmark.annotation.card import write_card
    from aurelia_plugin.benchmark.annotation.writing import annotate
    from aurelia_plugin.benchmark.data.items import MANIFEST, read_items

    quiet_harness()
    folder = options.folder.expanduser().resolve()
    items = [
        item
        for item in read_items(folder / MANIFEST)
        if options.replace or item.reasoning_source is not None or not item.reasoning_steps
    ]
    asked, status = _asked(options, items, folder, attempt=1)
    for attempt in range(2, options.redo + 2):
        again = [one.item for one in asked.values() if _leaks(one)]
        if not again:
            break
        say(f"steps of {len(again)} items give the answer away; attempt {attempt}")
        redone, more = _asked(options, again, folder, attempt)
        asked |= {key: one for key, one in redone.items() if _is_better(one)}
        status = status or more
    fates = annotate(folder, asked, _audit, replace=options.replace)
    _report(folder / MANIFEST, fates)
    for path in write_card(folder, fates):
        say(f"written: {path}")
    return status


def _asked(
    options: argparse.Namespace, items: Sequence[Item], folder: Path, attempt: int
) -> tuple[dict[str, Asked], int]:
    """Return the traces of the items by id, and the exit status of making them."""
    from aurelia_plugin.benchmark.annotation.asking import REDO_NOTE, ItemSource
    from aurelia_plugin.benchmark.annotation.writing import Asked
    from aurelia_plugin.model_wrappers.harness.tasks import read_model_args
    from aurelia_plugin.model_wrappers.run.distil import DistilRun
    from aurelia_plugin.reasoning.trace import Trace
    from aurelia_plugin.running.distilling import Made
    from aurelia_plugin.running.pipeline import Source

    given = read_model_args(options.model_args)
    if attempt > 1:  # agents that sample say something else
        given["seed"] = int(given.get("seed", 0)) + attempt - 1
    found: dict[str, Asked] = {}

    def keep(source: Source, made: Made) -> None:
        if isinstance(made, Trace) and isinstance(source, ItemSource):
            found[source.id] = Asked(source.item, made, attempt)

    note = REDO_NOTE if attempt > 1 else ""
    sources = [ItemSource(item, folder, note) for item in items]
    return found, distil_here(DistilRun(options.model, given), sources, also=keep)


def _audit(item: Item, steps: Sequence[str]) -> StepAudit:
    """Judge an item's steps by the rules of `aurelia compare`."""
    from aurelia_plugin.benchmark.annotation.fates import StepAudit
    from aurelia_plugin.benchmark.data.documents import question_text
    from aurelia_plugin.benchmark.results import about
    from aurelia_plugin.compare.audits.answer_kinds import gold_of
    from aurelia_plugin.compare.audits.leaks import find_leak

    text = question_text(item)
    known = about(item)["gold"]
    gold = gold_of(
        item.answer, column=item.column, category=item.category, question=text, about=known
    )
    finding = find_leak(steps, gold, text)
    return StepAudit(finding.leak, finding.rule)


def _leaks(asked: Asked) -> bool:
    from aurelia_plugin.benchmark.annotation.writing import is_accepted

    return is_accepted(asked.trace) and _audit(asked.item, asked.trace.steps).leak == "leak"


def _is_better(asked: Asked) -> bool:
    from aurelia_plugin.benchmark.annotation.writing import is_accepted

    return is_accepted(asked.trace)


def _report(manifest: Path, fates: Sequence[ItemFate]) -> None:
    from aurelia_plugin.benchmark.annotation.fates import tallies

    rows = [
        (
            name,
            str(tally.items),
            str(tally.accepted),
            "-" if tally.share is None else f"{100 * tally.share:.1f}%",
            str(tally.annotated),
            str(tally.leaking),
            str(tally.redone),
            str(tally.kept),
        )
        for name, tally in tallies(fates).items()
    ]
    head = ("category", "items", "accepted", "share", "annotated", "left out", "redone", "kept")
    say_table(head, rows)
    count = {name: sum(fate.fate == name for fate in fates) for name in ("annotated", "leaking")}
    without = sum(fate.fate in ("not accepted", "unfinished") for fate in fates)
    kept, changed = (sum(f.fate == name for f in fates) for name in ("kept", "changed"))
    say(
        f"{manifest}: {count['annotated']} items annotated, {count['leaking']} left out because "
        f"the steps give the answer away, {without} without accepted steps, {kept} keep the steps "
        f"that they had, {changed} changed meanwhile"
    )
