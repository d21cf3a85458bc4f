"""Make the embedded model's figures: `python tools/report_embedded.py --out FOLDER`.

Runs the harness once for each arm on one seed of `avreasonbench_mini`, as a user would, then reads
the samples that it logged. What was run already in the folder is not run again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from embedded_training.findings import caption, findings_of

from aurelia_plugin.benchmark.data.items import COLUMNS, FREE_TEXT_COLUMNS, Item, read_items
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY
from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.embedded.backend import OPTIONS, open_backend
from aurelia_plugin.reasoning.parsing import read_verdict
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.statistics.estimates import gain_estimate, score_estimate
from aurelia_plugin.statistics.ranking import auc, auc_interval

ARMS = {
    "none": "condition=none",
    "aurelia": "condition=aurelia",
    "placebo": "condition=placebo",
    "cot": "condition=cot",
    "muted": "condition=aurelia,media=muted",
    "blanked": "condition=aurelia,media=blanked",
}


class Outcome(NamedTuple):
    """One item under one arm."""

    item: Item
    accuracy: float


def run_arm(name: str, args: argparse.Namespace) -> Path:
    """Run the harness for one arm; return the folder with its samples."""
    out: Path = args.out / name
    if list(out.rglob("*_samples_*.jsonl")):
        return out
    out.mkdir(parents=True, exist_ok=True)
    media = "muted" if name == "muted" else "blanked" if name == "blanked" else "full"
    settings = f"{ARMS[name]},traces={args.out / ('traces-' + media)}"
    command = [sys.executable, "-m", "lmms_eval", "--model", "aurelia_embedded"]
    command += ["--batch_size", str(args.batch)]
    command += ["--model_args", settings, "--tasks", "avreasonbench_mini"]
    command += ["--output_path", str(out), "--log_samples"]
    started = time.monotonic()
    with (out / "run.log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=True)
    if not list(out.rglob("*_samples_*.jsonl")):
        raise SystemExit(f"{name}: the harness logged no samples; see {out / 'run.log'}")
    (out / "seconds").write_text(f"{time.monotonic() - started:.0f}\n")
    return out


def outcomes(out: Path, folder: Path) -> dict[str, Outcome]:
    """Return the logged accuracies by item id."""
    found = {}
    for column in COLUMNS:
        items = list(read_items(folder / f"{column}.jsonl"))
        for path in out.rglob(f"*_samples_avreasonbench_mini_{column}.jsonl"):
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                item = items[row["doc_id"]]
                found[item.id] = Outcome(item, float(row["accuracy"]))
    return found


def chance(item: Item) -> float:
    """Return what guessing gets: one option, one value of the set, one name of the atlas shown."""
    if item.options is not None:
        return 1 / len(item.options)
    if item.column in FREE_TEXT_COLUMNS:
        return math.prod(1 / len(VOCABULARY[attribute]) for attribute in item.facts)
    (attribute,) = item.facts
    if item.column == "geoiq":
        return 0.25
    if item.source.id.startswith("louder"):
        return 0.5
    if attribute == "number":
        return 1 / {"count_sounding": 4, "count_heard": 3}.get(item.source.id.split("/")[0], 5)
    return 1 / len(VOCABULARY[attribute])


def evaluator_scores(folder: Path, batch: int) -> tuple[list[float], list[float]]:
    """Return the evaluator's scores of every clip's own caption and of another clip's.

    The other clip is the next one of the same column and kind whose caption differs.
    """
    prompts = PromptSet("default", "embedded")
    backend = open_backend("trained", OPTIONS(**row_options() | {"batch_size": batch}))
    pairs = []
    for column in COLUMNS:
        items = list(read_items(folder / f"{column}.jsonl"))
        for place, item in enumerate(items):
            own = caption(findings_of(item))
            kind = item.source.id.split("/")[0]
            others = [
                caption(findings_of(other))
                for other in items[place + 1 :] + items[:place]
                if other.source.id.split("/")[0] == kind
            ]
            other = next((text for text in others if text != own), None)
            if other is not None:
                pairs.append((item, own, other))

    def prompt(item: Item, said: str) -> Prompt:
        text = prompts.render("evaluator", {"caption": said, "question": item.question})
        names = [item.video, *item.audios]
        parts: list[Any] = []
        for number, name in enumerate(names):
            if len(names) > 1:
                parts.append(Text(f"Audio {number}:" if number else "Video 1:"))
            kind = "audio" if number else "video"
            parts.append(Media(kind, path=folder / str(name)))  # type: ignore[arg-type]
        limit = prompts.styles.evaluator.max_new_tokens
        return Prompt((Message("user", (*parts, Text(text))),), Generation(max_new_tokens=limit))

    async def ask() -> list[float]:
        gate = asyncio.Semaphore(2 * batch)

        async def one(item: Item, said: str) -> float:
            async with gate:
                verdict = read_verdict((await backend(prompt(item, said))).text)
            return float(verdict.score) if verdict else 0.0

        return await asyncio.gather(*(one(item, said) for item, *both in pairs for said in both))

    scores = asyncio.run(ask())
    return scores[0::2], scores[1::2]


def row_options() -> dict[str, Any]:
    """Return the options of the catalogue's row."""
    import yaml

    import aurelia_plugin.model_wrappers as wrappers

    path = Path(str(wrappers.__path__[0])) / "catalogue.yaml"
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))["rows"]
    options: dict[str, Any] = next(row["options"] for row in rows if row["id"] == "embedded")
    return options


def agreement(traces: Path, folder: Path) -> list[tuple[float, float]]:
    """Return, after each iteration, the mean gold-step agreement of r* and the mean score.

    Agreement is the share of an item's gold steps that r* holds with the gold finding. A loop that
    stopped keeps its r*.
    """
    items = {
        Path(str(item.video)).name: item
        for column in COLUMNS
        for item in read_items(folder / f"{column}.jsonl")
    }
    rows: list[list[tuple[float, float]]] = []
    for path in sorted(traces.rglob("*.json")):
        trace = json.loads(path.read_text(encoding="utf-8"))
        if "iterations" not in trace or not trace["iterations"]:
            continue
        item = items.get(Path(trace["media"][0]).name)
        if item is None:
            continue
        gold = set(findings_of(item))
        best: tuple[float, float] = (-1.0, 0.0)
        row = []
        for iteration in trace["iterations"]:
            found = set(zip(iteration["steps"], iteration["step_answers"], strict=False))
            score = float(iteration["score"] or 0)
            if score > best[0]:
                best = (score, len({tuple(finding) for finding in gold} & found) / len(gold))
            row.append(best)
        row += [row[-1]] * (trace["max_iterations"] - len(row))
        rows.append(row)
    count = len(rows[0]) if rows else 0
    return [
        (
            float(np.mean([row[k][1] for row in rows])),
            float(np.mean([row[k][0] for row in rows])),
        )
        for k in range(count)
    ]


def _is_of(column: str, item: Item) -> bool:
    return item.column == column


def _needs(medium: str, item: Item) -> bool:
    return medium in item.needs


def _needs_exactly(media: set[str], item: Item) -> bool:
    return set(item.needs) == media


def shares(label: str, arm: dict[str, Outcome], keep: Callable[[Item], bool]) -> str:
    """Return one line of a table: accuracy with n, interval and chance."""
    kept = [outcome for outcome in arm.values() if keep(outcome.item)]
    ids = [outcome.item.id for outcome in kept]
    found = score_estimate([outcome.accuracy for outcome in kept], ids)
    between = _bounds(found.low, found.high, ".1f")
    guess = float(np.mean([chance(outcome.item) for outcome in kept]))
    return (
        f"{label:24s} {100 * found.mean:5.1f}  {between}  n={len(kept)}  chance {100 * guess:.1f}"
    )


def compared(
    label: str,
    one: dict[str, Outcome],
    two: dict[str, Outcome],
    keep: Callable[[Item], bool],
) -> str:
    """Return one line: the paired difference with n, interval and p of the test of pairs."""
    ids = [identity for identity in one if identity in two and keep(one[identity].item)]
    deltas = [one[identity].accuracy - two[identity].accuracy for identity in ids]
    gain = gain_estimate(deltas, ids)
    between = _bounds(gain.low, gain.high, "+.1f")
    p = "-" if gain.p is None else f"{gain.p:.2g}"
    return f"{label:34s} {100 * gain.mean:+5.1f}  {between}  n={len(ids)}  p={p}"


def _bounds(low: float | None, high: float | None, form: str) -> str:
    if low is None or high is None:
        return "[no interval]"
    return f"[{100 * low:{form}}, {100 * high:{form}}]"


def main() -> None:
    """Run, read, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--arms", default=",".join(ARMS))
    args = parser.parse_args()
    os.environ["AVREASONBENCH_MINI_SEED"] = str(args.seed)
    os.environ["AVREASONBENCH_MINI_ITEMS"] = str(args.items)
    os.environ.setdefault("AURELIA_CACHE", str(args.out / "cache"))
    from aurelia_plugin.benchmark.synthetic.build import chosen_folder

    folder = chosen_folder()
    arms = {name: outcomes(run_arm(name, args), folder) for name in args.arms.split(",")}
    lines = report(arms, args, folder)
    text = "\n".join(lines) + "\n"
    (args.out / "report.txt").write_text(text, encoding="utf-8")
    print(text)


def report(
    arms: dict[str, dict[str, Outcome]], args: argparse.Namespace, folder: Path
) -> list[str]:
    """Return the report's lines."""
    lines = [f"seed {args.seed}, {args.items} items a column", ""]
    for name, arm in arms.items():
        seconds = args.out / name / "seconds"
        took = seconds.read_text().strip() if seconds.is_file() else "?"
        lines.append(shares(f"{name}: all", arm, lambda item: True) + f"  {took} s")
        for column in COLUMNS:
            lines.append(shares(f"  {column}", arm, partial(_is_of, column)))
    lines.append("")
    full = arms.get("aurelia", {})
    for other in ("none", "placebo", "cot"):
        if other in arms and full:
            lines.append(compared(f"aurelia - {other}", full, arms[other], lambda item: True))
    for name in ("muted", "blanked"):
        if name not in arms or not full:
            continue
        for need in ({"sound"}, {"picture"}, {"sound", "picture"}):
            label = f"full - {name}, needs {' and '.join(sorted(need))}"
            if any(set(outcome.item.needs) == need for outcome in full.values()):
                lines.append(compared(label, full, arms[name], partial(_needs_exactly, need)))
        medium = "sound" if name == "muted" else "picture"
        label = f"full - {name}, all that need {medium}"
        lines.append(compared(label, full, arms[name], partial(_needs, medium)))
    lines.append("")
    fitting, foreign = evaluator_scores(folder, args.batch)
    pairs = [f"pair {place}" for place in range(len(fitting))] * 2
    right = [True] * len(fitting) + [False] * len(foreign)
    bounds = auc_interval([*fitting, *foreign], right, pairs, draws=4000, seed=0)
    between = f"[{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else "[no interval]"
    lines.append(f"evaluator AUC {auc(fitting, foreign):.3f}  {between}  n={len(fitting)} pairs")
    lines.append(f"mean score: matching {np.mean(fitting):.2f}, mismatched {np.mean(foreign):.2f}")
    for index, (share, score) in enumerate(agreement(args.out / "traces-full", folder), start=1):
        lines.append(f"iteration {index}: gold-step agreement {share:.3f}, score {score:.2f}")
    return lines


if __name__ == "__main__":
    main()
