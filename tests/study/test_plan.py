from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.running.conditions.table import CONDITIONS
from aurelia_plugin.study.plan import DEFAULT_CONDITIONS, plan_from, read_plan
from aurelia_plugin.study.provenance import write_plan

GIVEN: dict[str, Any] = {"targets": ["embedded"], "tasks": ["avreasonbench_mini"], "out": "out"}


def arguments(**more: Any) -> list[list[str]]:
    plan = plan_from({**GIVEN, **more}, "here")
    return [arm.arguments(Path("OUT"), Path("TRACES")) for arm in plan.arms]


def settings(words: list[str]) -> dict[str, str]:
    pairs = words[words.index("--model_args") + 1].split(",")
    return dict(pair.split("=", 1) for pair in pairs)


def test_every_condition_is_an_arm_and_nothing_else_differs() -> None:
    arms = arguments(limit=3, model_args={"threshold": 7, "agents": "gemini:flash"})
    assert [settings(words)["condition"] for words in arms] == list(DEFAULT_CONDITIONS)
    for words in arms:
        given = settings(words)
        del given["condition"]
        assert given == {
            "seed": "0",
            "threshold": "7",
            "agents": "gemini:flash",
            "traces": "TRACES",
        }
        assert words[:2] == ["--model", "aurelia_embedded"]
        assert words[words.index("--limit") + 1] == "3"
        assert "--log_samples" in words


def test_a_spec_is_a_target_and_options_of_one_target_are_its_own() -> None:
    spec = "openai:some/model?base_url=http://127.0.0.1:1/v1"
    one, two = arguments(
        targets=["embedded", spec], conditions=["none"], target_args={spec: {"max_frames": 4}}
    )
    assert "max_frames" not in settings(one)
    assert two[:2] == ["--model", "aurelia"]
    assert settings(two)["target"] == spec
    assert settings(two)["max_frames"] == "4"


def test_evidence_can_be_taken_away() -> None:
    (words,) = arguments(conditions=["none@muted"])
    assert (settings(words)["condition"], settings(words)["media"]) == ("none", "muted")


def test_folders_of_arms_never_meet(tmp_path: Path) -> None:
    targets = ["scripted:a/b.yaml", "scripted:a-b.yaml", "embedded"]
    plan = plan_from({**GIVEN, "targets": targets, "conditions": ["none", "none@muted"]}, "here")
    folders = {arm.folder for arm in plan.arms}
    assert len(folders) == 6
    assert all(plan.out in folder.parents for folder in folders)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"conditions": ["nothing"]}, "no arm 'nothing'"),
        ({"conditions": ["none@deaf"]}, "no arm 'none@deaf'"),
        ({"conditions": ["none", "none"]}, "twice"),
        ({"targets": ["no_such_model"]}, "not in the catalogue"),
        ({"targets": []}, "targets"),
        ({"limit": 2.5}, "limit"),
        ({"limit": 0}, "limit"),
        ({"model_args": {"threshold": 11}}, "threshold"),
        ({"model_args": {"condition": "none"}}, "sets condition"),
        ({"model_args": {"traces": "x"}}, "sets traces"),
        ({"model_args": {"prompts": "it's"}}, "cannot take"),
        ({"model_args": {"prompts": "a,b"}}, "cannot take"),
        ({"target_args": {"vita": {}}}, "no target of this study"),
        ({"reference": "cot", "conditions": ["none"]}, "not an arm"),
        ({"colour": "red"}, "colour"),
        ({"boards": ["nope"]}, "no such board"),
        ({"environment": {"GEMINI_API_KEY": "x"}}, "looks like a secret"),
    ],
)
def test_a_wrong_plan_is_refused_before_anything_runs(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        plan_from({**GIVEN, **wrong}, "here")
    assert caught.value.fix


def test_a_limit_below_one_is_a_share() -> None:
    assert plan_from({**GIVEN, "limit": 0.5}, "here").limit == 0.5
    assert plan_from({**GIVEN, "limit": 2.0}, "here").limit == 2


def test_a_file_can_be_given_and_flags_replace_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("targets: embedded\ntasks: a,b\nout: results\nlimit: 4\nseed: 3\n")
    plan = read_plan(path, {"limit": 2, "conditions": ["none"]})
    assert (plan.tasks, plan.limit, plan.seed) == (("a", "b"), 2, 3)
    assert plan.out == tmp_path / "results", "beside the file, wherever it is started from"
    assert read_plan(path, {"out": tmp_path / "other"}).out == tmp_path / "other"
    for text in ("- a list", "targets: [", "targets: embedded\n"):
        path.write_text(text)
        with pytest.raises(ConfigError):
            read_plan(path, {})


def test_the_plan_that_is_written_is_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AVREASONBENCH_MINI_ITEMS", raising=False)
    given = {
        **GIVEN,
        "out": tmp_path / "s",
        "limit": 2,
        "model_args": {"threshold": 8},
        "environment": {"AVREASONBENCH_MINI_ITEMS": "2"},
        "prices": {"m": [1.0, 2.0]},
        "page_media": "copy",
    }
    plan = plan_from(given, "here")
    assert read_plan(write_plan(plan), {}) == plan
    assert yaml.safe_load((plan.out / "study.yaml").read_text())["out"] == "."
    monkeypatch.setenv("AVREASONBENCH_MINI_SEED", "5")
    written = read_plan(write_plan(plan), {})
    assert written.environment == {**plan.environment, "AVREASONBENCH_MINI_SEED": "5"}


def test_model_args_of_the_command_line_are_read_as_the_harness_reads_them() -> None:
    from aurelia_plugin.arguments import read_pairs, split_list

    given = split_list('a=1,b={"x": [1, 2]},c=u?k=v')
    expected = {"a": "1", "b": '{"x": [1, 2]}', "c": "u?k=v"}
    assert read_pairs(given, "--model_args") == expected


def test_the_help_names_the_arms_of_a_study_that_names_none_and_all_conditions() -> None:
    command = [sys.executable, "-m", "aurelia_plugin", "study", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = " ".join(done.stdout.split())
    assert f"(default: {','.join(DEFAULT_CONDITIONS)})" in said
    assert all(f"{name}: " in said for name in CONDITIONS)
