"""Two processes of one run answer like one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Each target writes what it was asked; agents are rules, so that no model has to be loaded.
SCRIPT = """
- contains: '"steps"'
  reply: '{"steps": ["Look at it.", "Listen to it."], "answers": ["a", "b"]}'
- contains: Turn the notes
  reply: A thing is seen and heard.
- contains: whole number from 1
  reply: '{"score": 9}'
- contains: Before answering
  reply: 'Answer: B'
- reply: 'Answer: A'
"""


def evaluate(folder: Path, processes: int, *arguments: str) -> dict[str, Any]:
    script = folder.parent / "script.yaml"
    script.write_text(SCRIPT)
    launch = [sys.executable]
    if processes > 1:
        launch += [
            "-m", "accelerate.commands.launch", "--cpu", "--num_processes", str(processes),
            "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
        ]  # fmt: skip
    settings = ",".join([f"target=scripted:{script}", f"traces={folder / 'traces'}", *arguments])
    done = subprocess.run(
        [
            *launch, "-m", "lmms_eval", "--model", "aurelia", "--model_args", settings,
            "--tasks", "avreasonbench_mini_geoiq,avreasonbench_mini_meme",
            "--output_path", str(folder), "--log_samples",
        ],
        env={**os.environ, "AVREASONBENCH_MINI_ITEMS": "3"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    record = next((folder / "traces" / "runs").glob("*.json"), None)
    assert record is not None, done.stderr[-3000:]
    answers = {}
    for path in folder.rglob("*_samples_*.jsonl"):
        task = path.stem.partition("_samples_")[2]
        for line in path.read_text().splitlines():
            row = json.loads(line)
            answers[task, row["doc_id"]] = row["filtered_resps"]
    return {"answers": answers, "record": json.loads(record.read_text())}


@pytest.mark.parametrize("condition", ["aurelia", "placebo", "consistency"])
def test_two_processes_give_the_answers_of_one(condition: str, tmp_path: Path) -> None:
    alone = evaluate(tmp_path / "one", 1, f"condition={condition}")
    shared = evaluate(tmp_path / "two", 2, f"condition={condition}")
    assert len(alone["answers"]) == 6
    assert shared["answers"] == alone["answers"]
    for name in ("n", "accepted", "failed", "mean_iterations", "evidence", "by_category"):
        assert shared["record"][name] == alone["record"][name], name
    assert alone["record"]["n"] == 6
