from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

TASKS = Path(__file__).parent / "tasks"

_RUNNER = """
import json, sys
from lmms_eval.__main__ import cli_evaluate
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["lmms-eval", *arguments]
    cli_evaluate()
"""


def harness(commands: Sequence[Sequence[str]], **environment: str) -> None:
    """Run the real command line of lmms-eval, several times in one process."""
    import json

    done = subprocess.run(
        [sys.executable, "-c", _RUNNER, json.dumps(commands)],
        cwd=TASKS,  # the foreign task names its data from here
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real runs: two arms of the plugin over the mini benchmark, and two plain models.

    `none` and `aurelia` by this plugin; `a` and `b` by a model that the harness ships, over a
    column of the mini benchmark and a task that is not ours.
    """
    folder = tmp_path_factory.mktemp("runs")
    commands = [
        [
            *("--model", "aurelia_embedded"),
            *("--model_args", f"condition={arm},traces={folder / 'traces'}"),
            *("--tasks", "avreasonbench_mini_music_avqa,avreasonbench_mini_meme"),
            *("--output_path", str(folder / arm), "--log_samples"),
        ]
        for arm in ("none", "aurelia")
    ]
    commands += [
        [
            *("--model", "dummy", "--model_args", f"response={letter.upper()}"),
            *("--tasks", "avreasonbench_mini_meme,foreign_qa", "--include_path", str(TASKS)),
            *("--output_path", str(folder / letter), "--log_samples"),
        ]
        for letter in "ab"
    ]
    harness(commands, AVREASONBENCH_MINI_ITEMS="6")
    return folder
