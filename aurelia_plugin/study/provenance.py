"""Everything that is needed to repeat a study: `study.yaml` to run it, `study.json` to check it."""

from __future__ import annotations

import json
import os
import platform
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import yaml

from aurelia_plugin import __version__
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.study.plan import Arm, StudyPlan
from aurelia_plugin.study.running import Done, relevant_environment

__all__ = ["PLAN_FILE", "PROVENANCE_FILE", "data_digests", "provenance", "write_plan"]

PLAN_FILE: Final = "study.yaml"
PROVENANCE_FILE: Final = "study.json"

_PACKAGES: Final = (
    "lmms_eval",
    "torch",
    "transformers",
    "accelerate",
    "datasets",
    "av",
    "numpy",
    "pillow",
    "pycocoevalcap",
    "openai",
    "google-genai",
    "matplotlib",
)


def write_plan(plan: StudyPlan) -> Path:
    """Write `study.yaml`, from which `aurelia study` runs the same study, and return its path."""
    values = plan.model_dump(mode="json", exclude_defaults=True)
    values["out"] = "."  # the folder of the file
    environment = relevant_environment(plan.environment)
    if environment:
        values["environment"] = environment
    path = plan.out / PLAN_FILE
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    write_atomically(path, text.encode("utf-8"))
    return path


def provenance(plan: StudyPlan, done: Mapping[Arm, Done]) -> dict[str, object]:
    """Return what was run, with what, on what, and with which settings the models decoded."""
    return {
        "repeat": f"aurelia study {PLAN_FILE}",
        "versions": _versions(),
        "machine": _machine(),
        "environment": relevant_environment(plan.environment),
        "seed": plan.seed,
        "arms": {f"{arm.name}/{arm.label}": _arm(arm, run) for arm, run in done.items()},
        "data": data_digests(list(done.values())),
    }


def _versions() -> dict[str, str]:
    found = {"aurelia": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _machine() -> dict[str, object]:
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "gpus": gpus,
    }


def _arm(arm: Arm, done: Done) -> dict[str, object]:
    record = json.loads(done.record.read_text(encoding="utf-8"))
    results = json.loads(done.results.read_text(encoding="utf-8"))
    settings = arm.settings
    styles = PromptSet(settings.preset, settings.prompts).styles
    config = results.get("config", {})
    output = done.run.relative_to(arm.plan.out)
    words = ["python", "-m", "lmms_eval", *arm.arguments(output, Path(arm.plan.traces.name))]
    return {
        "command": shlex.join(words),
        "settings": {**record["settings"], "traces": arm.plan.traces.name},
        "threshold": record["threshold"],
        "max_iterations": record["max_iterations"],
        "target": record["target"],
        "roles": record["roles"],
        "models": record["models"],
        "prompts": record["prompts"],
        "files": record["config_digest"],
        "seeds": {
            "aurelia": record["settings"]["seed"],
            **{key: config[key] for key in config if key.endswith("_seed")},
        },
        "tasks": {
            name: {
                "version": results.get("versions", {}).get(name),
                "generation": task.get("generation_kwargs"),
                "n": results["n-samples"].get(name),
            }
            for name, task in results.get("configs", {}).items()
        },
        "agents_decode": styles.model_dump(mode="json"),
        "seconds": round(done.seconds, 1),
    }


def data_digests(done: Sequence[Done]) -> dict[str, dict[str, object]]:
    """Return, per task, how many documents were asked and digests of what they hold.

    `texts` is over question and gold answer, `contents` over clip and text as the run digested
    them, both in the order of the documents. Arms that were asked the same have one digest each.
    """
    found: dict[str, dict[str, Any]] = {}
    for run in done:
        contents = _contents(run)
        date = run.results.name.removesuffix("_results.json")
        for path in sorted(run.results.parent.glob(f"{date}_samples_*.jsonl")):
            task = path.stem.partition("_samples_")[2]
            with path.open(encoding="utf-8") as lines:
                rows = {
                    row["doc_id"]: [row.get("input"), row.get("target")]
                    for row in map(json.loads, filter(str.strip, lines))
                }
            entry = found.setdefault(task, {"documents": len(rows), "texts": [], "contents": []})
            order = sorted(rows)
            clips = [contents.get((task, str(key))) for key in order]
            for name, values in (("texts", [rows[key] for key in order]), ("contents", clips)):
                digest = digest_of(values)[:16]
                if digest not in entry[name] and None not in values:
                    entry[name].append(digest)
    return found


def _contents(run: Done) -> dict[tuple[str, str], str | None]:
    """Return the digest of clip and text of each question, by task and document."""
    path = run.record.with_suffix(".items.jsonl")
    found = {}
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            for row in map(json.loads, filter(str.strip, lines)):
                task, _, rest = row["id"].partition("/")
                found[task, rest.rpartition("/")[2]] = row["content"]
    return found
