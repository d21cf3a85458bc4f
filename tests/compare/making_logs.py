"""Logs as the harnesses write them, made by hand: small, and with any scores that a test wants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aurelia_plugin.benchmark.results import about
from aurelia_plugin.benchmark.schema import Item

DATE = "20260101_080000"


def row(number: int, score: float, **more: Any) -> dict[str, Any]:
    """Return one row of a task that is not ours: two questions share a video."""
    return {
        "doc_id": number,
        "target": "A",
        "filtered_resps": "A" if score == 1 else "B",
        "input": f"Question {number}?\nA. yes it is\nB. no way",
        "acc": score,
        "video": f"v{number // 2}",
        **more,
    }


def our_row(item: Item, number: int, score: float, answer: str, **more: Any) -> dict[str, Any]:
    """Return one row of a task of this package."""
    return {
        "doc_id": number,
        "target": item.answer,
        "filtered_resps": answer,
        "input": f"{item.question}\nAnswer.",
        "score": score,
        "accuracy": float(score == 1),
        "unparsed": 0.0,
        **about(item),
        **more,
    }


def write_run(
    folder: Path,
    tasks: dict[str, Sequence[dict[str, Any]]],
    *,
    date: str = DATE,
    model: str = "some_model",
    model_args: str = "size=1",
    results: bool = True,
    **task: Any,
) -> Path:
    """Write one run as lmms-eval does; `task` changes every task's configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tasks.items():
        path = folder / f"{date}_samples_{name}.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    configuration = {
        "dataset_path": "some/data",
        "test_split": "test",
        "process_results": "<function process_results at 0x7f74cde50040>",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "generation_kwargs": {"max_new_tokens": 16},
        **task,
    }
    if results:
        content = {
            "configs": dict.fromkeys(tasks, configuration),
            "versions": dict.fromkeys(tasks, 1.0),
            "config": {
                "model": model,
                "model_args": model_args,
                "model_backend": "x",
                "resolved_cli_args": {"timezone": "UTC"},
            },
            "total_evaluation_time_seconds": "12.5",
        }
        (folder / f"{date}_results.json").write_text(json.dumps(content), "utf-8")
    return folder
