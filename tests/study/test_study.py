"""A whole study by the command, through lmms-eval itself, with a scripted target."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.cli import main
from aurelia_plugin.compare.result import Comparison

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


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of two arms over two questions."""
    folder = tmp_path_factory.mktemp("study")
    script = folder / "script.yaml"
    script.write_text(SCRIPT)
    out = folder / "out"
    command = [
        "study", "--target", f"scripted:{script}", "--tasks", "avreasonbench_mini_meme",
        "--conditions", "none,consistency", "--limit", "2", "--out", str(out),
        "--page-media", "copy",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVREASONBENCH_MINI_ITEMS", "2")
        assert main(command) == 0
    return out


def arm(study: Path, label: str) -> Path:
    (folder,) = (study / "arms").iterdir()
    return folder / label


def test_the_folder_has_everything(study: Path) -> None:
    for name in ("index.html", "study.yaml", "study.json", "comparison.json"):
        assert (study / name).is_file(), name
    kinds = {path.suffix for path in (study / "tables").iterdir()}
    assert kinds == {".md", ".tex", ".csv", ".json"}
    assert {".png", ".svg"} == {path.suffix for path in (study / "plots").iterdir()}
    assert list((study / "page" / "media").glob("*.mp4"))
    assert list((study / "page" / "media").glob("*.jpg"))


def test_the_arms_answered_as_their_conditions_say(study: Path) -> None:
    made = Comparison.read(study)
    assert [run.label for run in made.runs] == ["none", "consistency"]
    assert made.reference == "none"
    for item in made.items:
        assert {label: answer.read for label, answer in item.arms.items()} == {
            "none": "A",
            "consistency": "A",
        }
        assert item.media
    # Three agent calls made each loop; so three answers were sampled for each question.
    votes = [json.loads(path.read_text()) for path in (study / "traces" / "votes").glob("*/*")]
    assert [len(vote["ballots"]) for vote in votes] == [3, 3]


def test_what_repeats_it_is_written(study: Path) -> None:
    facts = json.loads((study / "study.json").read_text())
    assert {"aurelia", "python", "lmms_eval", "torch"} <= set(facts["versions"])
    (data,) = facts["data"].values()
    assert data["documents"] == 2
    assert (len(data["texts"]), len(data["contents"])) == (1, 1), "all arms were asked the same"
    name = next(name for name in facts["arms"] if name.endswith("/consistency"))
    about = facts["arms"][name]
    assert about["settings"]["condition"] == "consistency"
    assert about["settings"]["vote_temperature"] == 0.7
    assert about["prompts"]["reasoner.jinja"]
    assert about["seeds"]["aurelia"] == 0
    assert about["models"]["target"]
    assert about["tasks"]["avreasonbench_mini_meme"]["generation"]["max_new_tokens"] > 0
    assert about["agents_decode"]["reasoner"]["temperature"] == 0.0
    assert str(study) not in about["command"]


def test_the_plan_goes_on_where_the_arm_was_left(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(study, copy)
    (arm(copy, "consistency") / "arm.json").unlink()  # as if it had been killed
    records = set((copy / "traces" / "runs").glob("*Z_*.json"))
    assert main(["study", str(copy / "study.yaml")]) == 0
    said = capsys.readouterr().out
    assert "none: finished before" in said
    assert "consistency: done" in said
    (record,) = set((copy / "traces" / "runs").glob("*Z_*.json")) - records
    counts: dict[str, Any] = json.loads(record.read_text())
    assert counts["n"] == 2
    assert set(counts["calls"].values()) == {0}, "the loops came from the traces"
    assert counts["evidence"]["target"]["calls"] == 0, "and so did the sampled answers"
    before, after = (Comparison.read(folder) for folder in (study, copy))
    for old, new in zip(before.items, after.items, strict=True):
        assert old.arms["consistency"].answer == new.arms["consistency"].answer


def test_an_arm_that_cannot_run_is_named_and_the_rest_is_shown(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(study, copy)
    plan = (copy / "study.yaml").read_text()
    plan = plan.replace("- consistency\n", "- consistency\n- precomputed\n")
    (copy / "study.yaml").write_text(plan)
    assert main(["study", str(copy / "study.yaml")]) == 1
    said = capsys.readouterr().out
    assert "precomputed: FAILED" in said
    assert "precomputed is not set" in said
    notes = Comparison.read(copy).notes
    assert any("arm precomputed is not finished" in note for note in notes)
