"""AVReasonBench as a folder of lmms-eval's own tasks, which needs nothing of this plugin."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from upstream_export.bundling import Name, bundle

__all__ = ["FOLDER", "formatted", "task_tree"]

FOLDER = Path("lmms_eval/tasks/avreasonbench")
_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = Path(__file__).parent / "sources"
_SCORING = "aurelia_plugin.benchmark.scoring."
_WANTED = (
    Name("aurelia_plugin.calling.thinking", "spoken"),
    Name(_SCORING + "labels", "label_set"),
    Name(_SCORING + "metrics", "Question"),
    Name(_SCORING + "metrics", "Gold"),
    Name(_SCORING + "metrics", "score"),
)
_HEAD = """\
Read a reply and score it.

Reading takes the reply and the question, never the gold answer. The module is generated from
aurelia_plugin/benchmark/scoring of aurelia-lmms-eval, where changes belong.
"""
_TEMPLATE = """\
dataset_path: json
dataset_kwargs: !function utils.{kwargs}
test_split: test
output_type: generate_until
lmms_eval_specific_kwargs:
  default:
    benchmark: {group}
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_messages: !function utils.doc_to_messages
doc_to_target: answer
process_results: !function utils.process_results
num_fewshot: 0
generation_kwargs:
  max_new_tokens: {tokens}
  do_sample: false
  temperature: 0
  until: []
reasoning_tags:
  - ["<think>", "</think>"]
score_key: score
cluster_key: video
metadata:
  version: {version}
"""
_METRICS = """\
metric_list:
  - metric: score
    aggregation: mean
    higher_is_better: true
  - metric: accuracy
    aggregation: mean
    higher_is_better: true
  - metric: unparsed
    aggregation: mean
    higher_is_better: false
  - metric: by_video
    aggregation: !function utils.mean_by_video
    higher_is_better: true
"""
_ROUGE = """\
  - metric: rouge_l
    aggregation: mean
    higher_is_better: true
"""
_COLUMNS = 240
_LONG_STRING = re.compile(r"(\w+: Final = )(\"(?:[^\"\\]|\\.)*\")\n")
_FIRST_PARTY = "--config=lint.isort.known-first-party=['lmms_eval']"
_INCLUDE = "include: _group\n"
_OWN_DATA = "custom"
_SENTENCES = ("avsd", "captioning")
_GROUPS = {"avreasonbench": "OWN", "avreasonbench_public": "PUBLIC"}


class _Loader(yaml.SafeLoader):
    """Reads the harness's YAML files; a `!function` is kept as its name."""


_Loader.add_constructor("!function", lambda loader, node: str(node.value))


def task_tree() -> dict[Path, str]:
    """Return the folder's files by path, as upstream's formatter leaves them."""
    files = {FOLDER / "__init__.py": ""}
    files[FOLDER / "scoring.py"] = formatted(bundle(_WANTED, _HEAD))
    utils = (_SOURCES / "avreasonbench_utils.py").read_text(encoding="utf-8")
    files[FOLDER / "utils.py"] = formatted(utils)
    files[FOLDER / "README.md"] = (_SOURCES / "avreasonbench.md").read_text(encoding="utf-8")
    for group in _GROUPS:
        files |= _group_files(group)
    return files


def _group_files(group: str) -> dict[Path, str]:
    ours = _ROOT / "task_yamls" / group
    template = yaml.load((ours / "_template").read_text(encoding="utf-8"), _Loader)
    columns = _columns(ours)
    own = (ours / f"{group}.yaml").read_text(encoding="utf-8")
    tasks = "".join(f"  - {group}_{column}\n" for column in columns)
    included = f"_{group}_template_yaml"
    filled = _TEMPLATE.format(
        kwargs=_GROUPS[group],
        group=group,
        tokens=template["generation_kwargs"]["max_new_tokens"],
        version=template["metadata"]["version"],
    )
    files = {
        FOLDER / included: filled,
        FOLDER / f"{group}.yaml": own.replace(_INCLUDE, "").replace(
            f"group: {group}\n", f"group: {group}\ntask:\n{tasks}"
        ),
    }
    for column in columns:
        rouge = _ROUGE if column in _SENTENCES else ""
        files[FOLDER / f"{group}_{column}.yaml"] = (
            f"include: {included}\ntask: {group}_{column}\n"
            f"process_docs: !function utils.{column}\n{_METRICS}{rouge}"
        )
    return files


def _columns(ours: Path) -> list[str]:
    """Return the group's columns; own data's is a column of this plugin's manifests alone."""
    named = yaml.load((ours / "_group").read_text(encoding="utf-8"), _Loader)["task"]
    columns = (name.removeprefix("data.") for name in named)
    return [column for column in columns if column != _OWN_DATA]


def formatted(source: str) -> str:
    """Return a module as black at 240 columns and isort leave it.

    Ruff's formatter agrees with black but for strings that are longer than a line.
    """
    for command in (
        ["check", "--select=I", "--fix", "--exit-zero", "--quiet", _FIRST_PARTY],
        ["format", f"--line-length={_COLUMNS}", "--quiet"],
    ):
        source = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--stdin-filename=x.py", "-"],
            input=source,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return "".join(_wrapped(line) for line in source.splitlines(keepends=True))


def _wrapped(line: str) -> str:
    long = _LONG_STRING.fullmatch(line)
    return f"{long[1]}(\n    {long[2]}\n)\n" if long and len(line) > _COLUMNS + 1 else line
