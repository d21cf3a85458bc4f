"""A sidecar as target and agent of a real run of lmms-eval."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import FAKE


@pytest.mark.parametrize("condition", ["none", "aurelia"])
def test_lmms_eval_runs_with_a_sidecar(condition: str, tmp_path: Path) -> None:
    settings = f"target=sidecar:{FAKE},condition={condition},max_iterations=1,traces={tmp_path}"
    command = [sys.executable, "-m", "lmms_eval", "--model", "aurelia"]
    command += ["--model_args", f"{settings},workers=2", "--tasks", "avreasonbench_mini_music_avqa"]
    command += ["--limit", "2", "--log_samples", "--output_path", str(tmp_path / "results")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    logs = list((tmp_path / "results").rglob("*samples*.jsonl"))
    assert len(logs) == 1, done.stderr[-3000:]
    samples = [json.loads(line) for line in logs[0].read_text().splitlines()]
    answers = [sample["filtered_resps"] for sample in samples]
    assert all(answer.rpartition("|")[2].isdigit() for answer in answers), answers
    assert len(set(answers)) == 2  # what was seen and heard is in them
    assert ("Before answering" in answers[0]) == (condition == "aurelia")
    assert "2 sounds" in done.stdout + done.stderr  # delivered, as the run's summary says
