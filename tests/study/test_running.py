"""Arms as processes: judged by what they wrote, remembered, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.study.plan import Arm, StudyPlan, plan_from
from aurelia_plugin.study.running import (
    check_unchanged,
    command,
    finished,
    relevant_environment,
    run_arm,
)
from aurelia_plugin.study.study import run_arms
from aurelia_plugin.study.verdict import judge

# In place of the harness where only what it leaves behind matters: `lmms_eval`, first on the path.
STAND_IN = """
import json, os, pathlib, sys, time
args = dict(zip(sys.argv[1::1], sys.argv[2::1]))
how, out = os.environ["HOW"], pathlib.Path(args["--output_path"])
settings = dict(pair.split("=", 1) for pair in args["--model_args"].split(","))
with open(os.environ["STARTS"], "a") as starts:
    print(settings["condition"], file=starts)
with open(os.environ["STARTS"] + ".parents", "a") as parents:
    print(os.getpid(), os.getppid(), file=parents)
if how == "die" and settings["condition"] == "none":
    os.kill(os.getpid(), 9)
print("loading a model")
if how == "raise":
    print("Traceback (most recent call last):\\n  File x\\nConfigError: it is broken.\\nMend it.")
    print("\\033[32m2026-01-01 00:00:00\\033[0m | \\033[31mERROR\\033[0m | it is broken.")
    raise SystemExit(0)  # as the harness does
docs = 1 if how == "short" else 2
if how == "sleep":
    time.sleep(60)
rows = "".join(json.dumps({"doc_id": i, "doc_hash": "h"}) + "\\n" for i in range(docs))
(out / "20260101_000000_samples_t.jsonl").write_text(rows)
results = {"n-samples": {"t": {"original": 2, "effective": 2}}}
(out / "20260101_000000_results.json").write_text(json.dumps(results))
if how != "no record":
    runs = pathlib.Path(settings["traces"]) / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    record = {"unanswered": int(os.environ.get("UNANSWERED", 0))}
    (runs / f"{time.time_ns()}_{settings['condition']}.json").write_text(json.dumps(record))
"""


@pytest.fixture
def plan(tmp_path: Path) -> Any:
    module = tmp_path / "stand_in" / "lmms_eval"
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "__main__.py").write_text(STAND_IN)

    def make(how: str = "good", **more: Any) -> StudyPlan:
        environment = {"PYTHONPATH": str(module.parent), "STARTS": str(tmp_path / "starts")}
        values = {
            "targets": ["embedded"],
            "tasks": ["t"],
            "out": tmp_path / "out",
            "conditions": ["none"],
            "environment": {**environment, "HOW": how, **more.pop("environment", {})},
        }
        return plan_from({**values, **more}, "here")

    return make


def starts(plan: StudyPlan) -> list[str]:
    path = Path(plan.environment["STARTS"])
    return path.read_text().split() if path.exists() else []


def only(plan: StudyPlan) -> Arm:
    (arm,) = plan.arms
    return arm


def test_a_finished_arm_is_remembered_and_not_run_again(plan: Any) -> None:
    made = plan(conditions=["none", "placebo", "aurelia"])
    lines: list[str] = []
    outcome = run_arms(made, lines.append)
    assert not outcome.failed
    assert starts(made) == ["none", "aurelia", "placebo"], "who lends its loops goes first"
    assert [arm.label for arm in outcome.done] == ["none", "placebo", "aurelia"]
    again = run_arms(made, lines.append)
    assert again.done == outcome.done
    assert len(starts(made)) == 3
    assert sum("finished before" in line for line in lines) == 3


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", "no results file; ConfigError: it is broken. Mend it."),
        ("short", "has 1 documents of 2"),
        ("no record", "left no record"),
    ],
)
def test_exit_status_0_is_not_believed(plan: Any, how: str, words: str) -> None:
    outcome = run_arm(only(plan(how)))
    assert isinstance(outcome, str)
    assert words in outcome
    assert finished(only(plan(how))) is None
    assert not isinstance(run_arm(only(plan("good"))), str), "what it left behind does no harm"


def test_one_arm_that_fails_does_not_keep_the_others_from_running(plan: Any) -> None:
    made = plan("raise", conditions=["none", "cot"])
    outcome = run_arms(made, lambda line: None)
    assert [arm.label for arm in outcome.failed] == ["none", "cot"]
    assert starts(made) == ["none", "cot"]


def parents(plan: StudyPlan) -> list[list[str]]:
    """Return the process of each run, and the one that started it."""
    lines = Path(f"{plan.environment['STARTS']}.parents").read_text().splitlines()
    return [line.split() for line in lines]


linux = pytest.mark.skipif(sys.platform != "linux", reason="runs share a process on Linux only")


@linux
def test_runs_share_a_process_that_starts_once(plan: Any) -> None:
    made = plan(conditions=["none", "cot", "aurelia"])
    assert not run_arms(made, lambda line: None).failed
    ((run, parent),) = {tuple(line) for line in parents(made)}
    assert parent == str(os.getpid()) != run
    for arm in made.arms:
        assert (arm.folder / "run.log").read_text().count("loading a model") == 1


@linux
def test_another_target_begins_in_a_process_with_all_memory_free(plan: Any) -> None:
    made = plan(targets=["embedded", "gemini"], conditions=["none", "placebo", "aurelia"])
    assert not run_arms(made, lambda line: None).failed
    assert starts(made) == ["none", "aurelia", "placebo"] * 2
    runs = [run for run, _ in parents(made)]
    assert [len(set(runs[:3])), len(set(runs[3:])), len(set(runs))] == [1, 1, 2]


@linux
def test_a_run_that_dies_takes_no_other_along(plan: Any) -> None:
    made = plan("die", conditions=["none", "cot"])
    outcome = run_arms(made, lambda line: None)
    assert [arm.label for arm in outcome.failed] == ["none"]
    assert [arm.label for arm in outcome.done] == ["cot"]
    assert len({run for run, _ in parents(made)}) == 2


@linux
@pytest.mark.parametrize("more", [{"how": "raise"}, {"environment": {"UNANSWERED": "1"}}])
def test_nothing_of_a_run_that_went_wrong_is_left_for_the_next(
    plan: Any, more: dict[str, Any]
) -> None:
    made = plan(conditions=["none", "cot"], **more)
    run_arms(made, lambda line: None)
    assert len({run for run, _ in parents(made)}) == 2


def test_elsewhere_each_run_is_a_process_of_its_own(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aurelia_plugin.study import study

    monkeypatch.setattr(study, "can_be_warm", lambda: False)
    made = plan(conditions=["none", "cot"])
    assert not run_arms(made, lambda line: None).failed
    assert {parent for _, parent in parents(made)} == {str(os.getpid())}


def test_unanswered_questions_are_tried_again(plan: Any) -> None:
    made = plan(environment={"UNANSWERED": "2"})
    lines: list[str] = []
    outcome = run_arms(made, lines.append)
    assert outcome.done[only(made)].unanswered == 2
    assert "2 questions without an answer" in lines[-1]
    run_arms(made, lines.append)
    assert len(starts(made)) == 2


def test_data_named_from_here_are_found_from_everywhere(
    plan: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "DATA").mkdir()
    monkeypatch.chdir(tmp_path)
    made = plan(environment={"AVREASONBENCH_HOME": "DATA", "AVREASONBENCH_MINI_SEED": "4"})
    found = relevant_environment(made.environment)
    assert found["AVREASONBENCH_HOME"] == str(tmp_path / "DATA")
    assert found["AVREASONBENCH_MINI_SEED"] == "4"


@pytest.mark.parametrize(
    "change",
    [
        {"limit": 1},
        {"seed": 1},
        {"model_args": {"threshold": 9}},
        {"environment": {"AVREASONBENCH_MINI_SEED": "4"}},
    ],
)
def test_a_folder_holds_one_study(plan: Any, change: dict[str, Any]) -> None:
    run_arm(only(plan()))
    check_unchanged(only(plan()))
    with pytest.raises(ConfigError, match="finished with other settings") as caught:
        run_arms(plan(**change), lambda line: None)
    assert "--out" in caught.value.fix
    assert len(starts(plan())) == 1


def test_a_folder_can_be_moved(plan: Any, tmp_path: Path) -> None:
    run_arm(only(plan()))
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    moved = plan(out=tmp_path / "elsewhere")
    check_unchanged(only(moved))
    assert finished(only(moved)) is not None


def test_files_that_are_gone_make_an_arm_unfinished(plan: Any) -> None:
    done = run_arm(only(plan()))
    assert not isinstance(done, str)
    done.results.unlink()
    assert finished(only(plan())) is None


def test_several_processes_are_launched_and_make_no_other_study(plan: Any) -> None:
    run_arm(only(plan()))
    many = plan(processes=4)
    check_unchanged(only(many))
    words = command(only(many), Path("OUT"))
    assert words[1:5] == ["-m", "accelerate.commands.launch", "--num_processes", "4"]
    assert words[5:7] == ["-m", "lmms_eval"]
    assert command(only(plan()), Path("OUT"))[1:] == words[5:]


def test_judge_takes_the_latest_results_and_counts_different_documents(tmp_path: Path) -> None:
    assert judge(tmp_path).results is None
    folder = tmp_path / "model"
    folder.mkdir()

    def write(date: str, docs: Sequence[int], n: int) -> None:
        rows = "".join(json.dumps({"doc_id": doc}) + "\n" for doc in docs)
        (folder / f"{date}_samples_t.jsonl").write_text(rows)
        results = {"n-samples": {"t": {"effective": n}}}
        (folder / f"{date}_results.json").write_text(json.dumps(results))

    write("20260101_000000", [0, 1], 2)
    assert judge(tmp_path).results == folder / "20260101_000000_results.json"
    write("20260102_000000", [0, 0], 2)
    assert "1 documents of 2" in judge(tmp_path).problem
    (folder / "20260103_000000_results.json").write_text("{")
    assert "cannot be read" in judge(tmp_path).problem
    (folder / "20260104_000000_results.json").write_text('{"n-samples": {}}')
    assert "has no task" in judge(tmp_path).problem


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_stopped_study_stops_its_run(plan: Any, tmp_path: Path) -> None:
    made = plan("sleep")
    script = (
        "import sys; from pathlib import Path; from aurelia_plugin.study.plan import plan_from;"
        "from aurelia_plugin.study.study import run_arms; import json;"
        "run_arms(plan_from(json.loads(sys.argv[1]), 'here'), print)"
    )
    values = json.dumps(made.model_dump(mode="json"))
    process = subprocess.Popen([sys.executable, "-c", script, values], stdout=subprocess.DEVNULL)
    while not starts(made):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    running = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    assert str(made.out) not in running.stdout
    ours = {process for pair in parents(made) for process in pair}
    left = [line for line in running.stdout.splitlines() if line.split()[0] in ours]
    assert not [line for line in left if "warm" in line], left
    assert finished(only(made)) is None
