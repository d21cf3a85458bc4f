"""`aurelia verify`: whether a target works with its real weights, as one record."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.arguments import read_pairs
from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.messages import quiet_harness
from aurelia_plugin.commands.parser import Subcommands, whole_number
from aurelia_plugin.commands.sidecar import add_place, given_place

if TYPE_CHECKING:
    from aurelia_plugin.model_wrappers.verification import Verification

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "verify",
        help="try a target with its real weights, and write a record that can be sent in",
        description="Probe a target, try its adapter's rules, run fixed items of "
        "avreasonbench_mini with and without reasoning, and write DIR/ID.json: versions, digests "
        "of the weights, evidence, rules, scores with intervals. Without faults and of real "
        "weights, the record lifts the target's status to `run` once it lies in "
        "model_wrappers/verified of this package's repository. The same command again goes on with "
        "what is not finished. The exit status is 0 only if there are no faults.",
    )
    add_place(command, "a catalogue id")
    command.add_argument(
        "--items",
        type=whole_number(1),
        default=20,
        metavar="N",
        help="how many items (default: 20)",
    )
    command.add_argument("--seed", type=whole_number(), default=0, help="default: 0")
    command.add_argument("--clip", type=Path, help="a video with sound; by default one is made")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="is filled")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    import os

    from aurelia_plugin.commands.probe import clips
    from aurelia_plugin.files.atomic import write_atomically
    from aurelia_plugin.spec import catalogue_id
    from aurelia_plugin.study.verifying import Subject, verify

    quiet_harness()
    given = {**read_pairs(options.option, "--option"), **given_place(options)}
    out = options.out.expanduser().resolve()
    os.makedirs(out, exist_ok=True)
    subject = Subject(
        catalogue_id(options.system), given, options.items, options.seed, out / "runs"
    )
    with tempfile.TemporaryDirectory() as folder:
        record = verify(subject, *clips(Path(folder), options.clip), say)
    path = out / f"{record.target}.json"
    write_atomically(path, (record.model_dump_json(indent=1) + "\n").encode())
    for line in _lines(record):
        say(line)
    say(f"record: {path}")
    return 0 if not record.faults else 1


def _lines(record: Verification) -> list[str]:
    """Return what the record says, in words."""
    broken = sum(not rule.holds for rule in record.rules)
    lines = [f"{record.target}: {record.system}{', tiny random weights' if record.tiny else ''}"]
    lines += [f"{f.medium}: {'' if f.reached else 'NOT '}reached: {f.reason}" for f in record.media]
    if record.rules:
        lines.append(f"rules: {len(record.rules) - broken} of {len(record.rules)} hold")
    for score in record.scores:
        interval = "" if score.low is None else f" [{score.low:.3f}, {score.high:.3f}]"
        lines.append(f"{score.condition}: {score.score:.3f}{interval}, n = {score.n}")
    for board in record.published:
        lines.append(f"published on {board.board}: {board.score}; measure it: {board.command}")
    lines += [f"FAULT: {fault}" for fault in record.faults]
    if not record.faults:
        lines.append("PASS" + (": says nothing about scores" if record.tiny else ""))
    return lines
