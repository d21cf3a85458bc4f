"""`aurelia data annotate`: reasoning steps for a manifest's items, written by agents."""

from __future__ import annotations

import argparse
from pathlib import Path

from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.distil import distil_here
from aurelia_plugin.commands.messages import quiet_harness
from aurelia_plugin.commands.parser import Subcommands

__all__ = ["add"]


def add(parts: Subcommands) -> None:
    """Add the command to those of `aurelia data`."""
    command = parts.add_parser(
        "annotate",
        help="write accepted reasoning steps into a manifest, with score and provenance",
        description="Run the agents over the items of DIR's manifest (traces that are there cost "
        "nothing) and write the steps of accepted loops into reasoning_steps and step_answers, and "
        "where they are from into reasoning_source. Steps that people wrote stay. Exit status 1 if "
        "an item has no finished trace.",
    )
    command.add_argument("folder", type=Path, help="the folder with manifest.jsonl")
    command.add_argument("--model", default="aurelia", help="as for aurelia distil")
    command.add_argument(
        "--model_args", "--model-args", default="", help="as for aurelia distil: agents=SPEC,..."
    )
    command.add_argument(
        "--replace", action="store_true", help="replace steps that people wrote, too"
    )
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from aurelia_plugin.benchmark.data.annotating import ItemSource, annotate
    from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
    from aurelia_plugin.model_wrappers.harness.tasks import read_model_args
    from aurelia_plugin.model_wrappers.run.distil import DistilRun
    from aurelia_plugin.reasoning.trace import Trace
    from aurelia_plugin.running.distilling import Made
    from aurelia_plugin.running.pipeline import Source

    quiet_harness()
    folder = options.folder.expanduser().resolve()
    run = DistilRun(options.model, read_model_args(options.model_args))
    items = [
        item
        for item in read_items(folder / MANIFEST)
        if options.replace or item.reasoning_source is not None or not item.reasoning_steps
    ]
    traces: dict[str, tuple[Item, Trace]] = {}

    def keep(source: Source, made: Made) -> None:
        if isinstance(made, Trace) and isinstance(source, ItemSource):
            traces[source.id] = (source.item, made)

    status = distil_here(run, [ItemSource(item, folder) for item in items], also=keep)
    counts = annotate(folder, traces, replace=options.replace)
    say(
        f"{folder / MANIFEST}: {counts['annotated']} items annotated, {counts['not accepted']} "
        f"without accepted steps, {counts['kept']} keep the steps that they had, "
        f"{counts['changed']} changed meanwhile"
    )
    return status
