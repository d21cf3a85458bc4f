"""Blind arms: the same questions as text-only tasks of lm-evaluation-harness.

How much of a score needs no media at all? Three variants of every question, each a task of its
own: the question alone; behind the best steps r*, as the target reads them; behind the best
caption. They are scored by the parser of the other arms, which is written beside them as one
module: lm-eval needs nothing of this package.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from aurelia_plugin.benchmark.data.items import COLUMNS, CUSTOM, Item, Source
from aurelia_plugin.benchmark.reading import gold_of, question_of
from aurelia_plugin.benchmark.scoring.metrics import Gold, Question
from aurelia_plugin.compare.outputs.exports.blind_page import GROUP, readme
from aurelia_plugin.compare.outputs.exports.bundling import Name, bundle
from aurelia_plugin.compare.outputs.exports.standalone import scoring_of
from aurelia_plugin.compare.result import Comparison, ItemRow, RunInfo
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.store import TraceStore

__all__ = ["GROUP", "VARIANTS", "Exported", "export_blind"]

VARIANTS: Final = ("question", "question_steps", "question_caption")

_TASK: Final = """\
task: {task}
custom_dataset: !function utils.load_{variant}
output_type: generate_until
test_split: test
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
process_results: !function utils.process_results
generation_kwargs:
  until: []
  do_sample: false
  max_gen_toks: {limit}
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
metadata:
  version: 1.0
"""
_STANDALONE: Final = "aurelia_plugin.compare.outputs.exports.standalone"
_UTILS_TITLE: Final = """\
Where the questions are, and how replies are scored.

Written by `aurelia export lm-eval` of aurelia-lmms-eval from its own readers, where changes belong.
"""
_UTILS_IMPORT: Final = "\nfrom datasets import Dataset\n"
_UTILS_LOAD: Final = """

def load_{variant}(**_):
    path = Path(__file__).parent / "data" / "{variant}.jsonl"
    return {{"test": Dataset.from_list(read_questions(path))}}
"""


class Exported(NamedTuple):
    """What was written: variant to its number of questions, of `total` questions."""

    folder: Path
    counts: Mapping[str, int]
    total: int


def export_blind(result: Comparison, folder: Path, arm: str | None = None) -> Exported:
    """Write the tasks into a folder, which may then be moved.

    Args:
        arm: whose steps and captions are taken; by default the first arm that has traces.

    Raises:
        ConfigError: there is no such arm.
    """
    run = _run(result, arm)
    questions: dict[str, list[dict[str, Any]]] = {variant: [] for variant in VARIANTS}
    for item in result.items:
        for variant, prompt in _prompts(item, run):
            questions[variant].append(_question(item, variant, prompt))
    used = {variant: rows for variant, rows in questions.items() if rows}
    tokens = [t.generation.get("max_new_tokens") for one in result.runs for t in one.tasks]
    limit = max((int(value) for value in tokens if value), default=256)
    files = {
        f"{GROUP}.yaml": _group(list(used)),
        "utils.py": _utils(used),
        "README.md": readme(used, len(result.items), run),
    }
    for variant, rows in used.items():
        task = f"{GROUP}_{variant}"
        files[f"{task}.yaml"] = _TASK.format(task=task, variant=variant, limit=limit)
        files[f"data/{variant}.jsonl"] = "".join(
            json.dumps(row, ensure_ascii=False) + "\n" for row in rows
        )
    for name, text in files.items():
        write_atomically(folder / name, text.encode("utf-8"))
    return Exported(folder, {name: len(rows) for name, rows in used.items()}, len(result.items))


def _utils(variants: Iterable[str]) -> str:
    """Return the tasks' module: the readers of replies, and where the questions are."""
    wanted = [Name(_STANDALONE, name) for name in ("process_results", "read_questions")]
    loads = "".join(_UTILS_LOAD.format(variant=name) for name in variants)
    return bundle(wanted, _UTILS_TITLE) + _UTILS_IMPORT + loads


def _run(result: Comparison, arm: str | None) -> RunInfo | None:
    if arm is not None:
        for run in result.runs:
            if run.label == arm:
                return run
        raise ConfigError(
            f"--arm {arm}: there is no such run.",
            f"Choose from: {', '.join(run.label for run in result.runs)}",
        )
    traced = {
        label for item in result.items for label, one in item.arms.items() if one.trace is not None
    }
    own = [run for run in result.runs if run.label in traced]
    return next((run for run in own if run.media == "full"), next(iter(own), None))


def _prompts(item: ItemRow, run: RunInfo | None) -> Iterator[tuple[str, str]]:
    yield "question", item.question
    answer = item.arms.get(run.label) if run is not None else None
    if run is None or run.traces is None or answer is None or answer.trace is None:
        return
    trace = TraceStore(Path(run.traces), writable=False).trace(answer.trace)
    if trace is None or trace.best is None:
        return
    if trace.steps:
        yield "question_steps", f"{_preface(run, trace)}\n\n{item.question}"
    caption = trace.iterations[trace.best].caption
    if caption:
        preface = f"What is seen and heard in the clip: {caption}"
        yield "question_caption", f"{preface}\n\n{item.question}"


def _preface(run: RunInfo, trace: Trace) -> str:
    prompts = PromptSet(run.settings.get("preset") or "default", run.settings.get("prompts"))
    answers = trace.step_answers if run.settings.get("inject") == "steps_and_answers" else ()
    return prompts.render("inject", {"steps": trace.steps, "step_answers": answers})


def _question(item: ItemRow, variant: str, prompt: str) -> dict[str, Any]:
    # One string for what differs from row to row in form: a data set wants equal columns.
    about = {**item.about, "options": list(item.options) if item.options else None}
    return {
        "item": item.id,
        "column": item.column,
        "category": item.category,
        "video": item.cluster,
        "variant": variant.replace("_", " + "),
        "prompt": prompt,
        "answer": item.gold,
        "about": json.dumps(about, ensure_ascii=False),
        "scoring": _scoring(item, about),
    }


def _scoring(row: ItemRow, about: Mapping[str, Any]) -> str:
    """Return how a question is scored: as the other arms, where they are this package's tasks.

    Questions of other tasks, whose parser is not known here, are right when the option chosen is
    the gold letter, or when the words are the gold answer's.
    """
    column = row.column.split(" (per", maxsplit=1)[0]
    if column in (*COLUMNS, CUSTOM) and "facts" in about and not row.column.endswith(")"):
        item = _item(row, column, about)
        return scoring_of(question_of(item), gold_of(item))
    if about.get("options"):
        letters = about.get("letters") or [chr(65 + n) for n in range(len(about["options"]))]
        options = dict(zip(letters, about["options"], strict=True))
        return scoring_of(
            Question("option", "", options=options), Gold(row.gold.strip("(). ").upper())
        )
    return scoring_of(Question("name", ""), Gold(row.gold))


def _item(row: ItemRow, column: str, about: Mapping[str, Any]) -> Item:
    return Item(
        id=row.id,
        column=column,
        category=row.category,
        question=about["question"],
        options=tuple(about["options"]) if about["options"] else None,
        answer=row.gold,
        references=tuple(about["references"]),
        facts=about["facts"],
        question_type=about["question_type"],
        answer_kind=about.get("answer_kind"),
        source=Source(dataset="log of samples", id=row.id),
    )


def _group(variants: list[str]) -> str:
    lines = [f"group: {GROUP}", "task:", *(f"  - {GROUP}_{variant}" for variant in variants)]
    lines.append("aggregate_metric_list:")
    for metric in ("score", "accuracy"):
        lines += [f"  - metric: {metric}", "    aggregation: mean", "    weight_by_size: true"]
    return "\n".join([*lines, "metadata:", "  version: 1.0", ""])
