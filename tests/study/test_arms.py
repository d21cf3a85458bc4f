"""How the arms of a study are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.study.arms import ArmSpec, read_arm, read_arms
from aurelia_plugin.study.packaged import packaged_plans
from aurelia_plugin.study.plan import StudyPlan, plan_from, read_plan
from aurelia_plugin.study.provenance import write_plan

GIVEN: dict[str, Any] = {"targets": ["embedded"], "tasks": ["avreasonbench_mini"], "out": "out"}


def plan(**more: Any) -> StudyPlan:
    return plan_from({**GIVEN, **more}, "here")


def model_args(made: StudyPlan, label: str) -> dict[str, str]:
    (arm,) = (one for one in made.arms if one.label == label)
    words = arm.arguments(Path("OUT"), Path("TRACES"))
    pairs = words[words.index("--model_args") + 1].split(",")
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("none", ArmSpec(name="none", condition="none")),
        ("none@muted", ArmSpec(name="none@muted", condition="none", media="muted")),
        ("zero=none", ArmSpec(name="zero", condition="none")),
        (
            "deaf=aurelia[threshold=3]@muted",
            ArmSpec(name="deaf", condition="aurelia", media="muted", settings={"threshold": "3"}),
        ),
        (
            "a=aurelia[evaluator=openai:m?base_url=http://h/v1,max_iterations=2]",
            ArmSpec(
                name="a",
                condition="aurelia",
                settings={"evaluator": "openai:m?base_url=http://h/v1", "max_iterations": "2"},
            ),
        ),
        ({"none": None}, ArmSpec(name="none", condition="none")),
        ({"deaf": "none@muted"}, ArmSpec(name="deaf", condition="none", media="muted")),
        (
            {"steps5": {"condition": "aurelia", "max_iterations": 5}},
            ArmSpec(name="steps5", condition="aurelia", settings={"max_iterations": 5}),
        ),
    ],
)
def test_an_arm_is_read_as_it_is_written(written: Any, wanted: ArmSpec) -> None:
    assert read_arm(written) == wanted
    assert read_arm(wanted.written()) == wanted


def test_a_list_and_a_mapping_and_a_line_are_the_same_arms() -> None:
    line = read_arms("none,steps5=aurelia[max_iterations=5,threshold=7],none@muted")
    assert line == read_arms(["none", "steps5=aurelia[max_iterations=5,threshold=7]", "none@muted"])
    named = {"condition": "aurelia", "max_iterations": "5", "threshold": "7"}
    assert line == read_arms({"none": None, "steps5": named, "none@muted": None})


def test_an_arms_own_settings_go_before_the_targets_and_the_studys() -> None:
    made = plan(
        conditions="none,aurelia,steps5=aurelia[max_iterations=5]",
        model_args={"max_iterations": 2, "threshold": 4},
        target_args={"embedded": {"max_iterations": 3}},
    )
    assert model_args(made, "steps5")["max_iterations"] == "5"
    assert model_args(made, "steps5")["condition"] == "aurelia"
    assert model_args(made, "aurelia")["max_iterations"] == "3"
    assert model_args(made, "steps5")["threshold"] == "4"
    (arm,) = (one for one in made.arms if one.label == "steps5")
    assert arm.settings.max_iterations == 5
    assert arm.folder.name == "steps5"


def test_lists_are_written_as_the_harness_takes_them() -> None:
    made = plan(
        conditions={"bare": {"condition": "aurelia", "without": ["feedback", "summarizer"]}}
    )
    assert model_args(made, "bare")["without"] == "feedback|summarizer"
    assert next(made.arms).settings.without == ("feedback", "summarizer")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ("aurelia[max_iterations=5]", "needs a name"),
        ("a/b=none", "no name"),
        ("none=aurelia", "another one"),
        ("a=none,A=cot", "twice"),
        ("a=aurelia[threshold=11]", "threshold"),
        ("a=aurelia[seed=3]", "sets itself"),
        ("a=aurelia[target=openai:x]", "sets itself"),
        ("a=none@deaf", "no arm 'a'"),
        ("a=nothing", "no arm 'a'"),
        ("a=aurelia[threshold]", "KEY=VALUE"),
        ([["none"]], "no arm"),
        ([{"a": "none", "b": "cot"}], "no arm"),
        ({"a": 3}, "no arm"),
        (7, "conditions"),
    ],
)
def test_what_is_no_arm_is_refused_in_words(conditions: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan(conditions=conditions)


def test_a_written_plan_is_the_same_study(tmp_path: Path) -> None:
    conditions = ["none", "none@muted", {"s": {"condition": "aurelia", "without": ["feedback"]}}]
    made = plan_from({**GIVEN, "out": str(tmp_path), "conditions": conditions}, "here")
    text = write_plan(made).read_text()
    assert yaml.safe_load(text)["conditions"] == conditions
    again = read_plan(tmp_path / "study.yaml", {})
    assert again.conditions == made.conditions


def test_packaged_plans_are_found_by_name_and_fill_a_folder_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert packaged_plans() == ("ablations.yaml", "all_arms.yaml")
    for name in packaged_plans():
        made = read_plan(Path(name), {})
        assert made.out.parent == tmp_path
        assert made.conditions[0].name == "none"
    (tmp_path / "ablations.yaml").write_text("targets: [embedded]\ntasks: [t]\nout: mine\n")
    assert read_plan(Path("ablations.yaml"), {}).out == tmp_path / "mine"
    with pytest.raises(ConfigError, match=r"all_arms\.yaml"):
        read_plan(Path("no_such.yaml"), {})


def test_the_reference_is_an_arms_name() -> None:
    made = plan(conditions="zero=none,aurelia", reference="zero")
    assert made.reference == "zero"
    with pytest.raises(ConfigError, match="reference=none"):
        plan(conditions="zero=none,aurelia", reference="none")
