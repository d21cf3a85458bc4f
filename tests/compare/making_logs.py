"""Logs as the harnesses write them, made by hand: small, and with any scores that a test wants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.results import about
from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.reasoning.trace import AgentCall, Iteration, Trace, best_of
from aurelia_plugin.traces.store import TraceStore

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
    tasks: Mapping[str, Sequence[Mapping[str, Any]]],
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


def make_trace(
    key: str, steps: Sequence[str], scores: Sequence[int | None], stop: str, **more: Any
) -> Trace:
    """Return a trace with one iteration a score; each call read 10 tokens and wrote 5."""
    call = AgentCall(
        role="reasoner",
        ask=0,
        text="reply",
        model="thinker",
        usage=Usage(input_tokens=10, output_tokens=5),
        evidence=Evidence(frames=1, dropped=more.pop("dropped", ())),
    )
    turns = tuple(
        Iteration(steps=tuple(steps), caption=f"caption of {key}", score=score, calls=(call,))
        for score in scores
    )
    return Trace(
        key=key,
        question_key=f"q{key}",
        question="question",
        clip_digest=f"clip{key}",
        media=(f"/media/{key}.mp4",),
        roles={},
        prompts_digest="p",
        threshold=6,
        max_iterations=3,
        seed=0,
        iterations=turns,
        best=best_of(turns),
        stop=stop,
        **more,
    )


def write_plugin_run(
    folder: Path,
    task: str,
    rows: Sequence[dict[str, Any]],
    *,
    condition: str,
    media: str = "full",
    traces: Sequence[Trace] = (),
    steps: Sequence[Sequence[str]] = (),
    failed: dict[int, str] | None = None,
    date: str = DATE,
    soundtrack: Sequence[str] = (),
) -> Path:
    """Write a run of this plugin: the harness's log, the record, the questions' fates, traces."""
    store = TraceStore(folder / "traces")
    for trace in traces:
        store.put_trace(trace)
    name = f"{date.replace('_', 'T')}Z_{condition}"
    record = store.put_run(
        name,
        {
            "condition": condition,
            "n": len(rows),
            "settings": {"condition": condition, "media": media, "seed": 0, "preset": "default"},
            "target": "the target",
            "models": {"target": ["answerer"], "reasoner": ["thinker"]},
            "tokens": {"target": {"input": 100, "output": 10}},
            "seconds": 3.0,
            "version": "0",
            "evidence": {"target": {"calls": len(rows), "soundtrack": list(soundtrack)}},
        },
    )
    fates = []
    for k, _ in enumerate(rows):
        fate: dict[str, Any] = {"id": f"{task}/test/{k}", "content": f"c{k}", "seconds": 0.5}
        fate |= {"input_tokens": 7, "output_tokens": 2, "failed": (failed or {}).get(k)}
        if traces:
            fate |= {"trace": traces[k].key, "steps": list(traces[k].steps)}
        if steps:
            fate |= {"steps": list(steps[k])}
        fates.append(fate)
    store.put_items(record, fates)
    arguments = f"condition={condition},media={media},traces={store.folder}"
    return write_run(folder, {task: rows}, model="aurelia_x", model_args=arguments, date=date)
