from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from making import trace as made_trace
from making_comparisons import ARMS, comparison, item, run

from aurelia_plugin.compare.result import ArmAnswer, Comparison
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.notebooks import Results, open_run, open_study
from aurelia_plugin.reasoning.trace import Iteration
from aurelia_plugin.traces.store import TraceStore

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study's folder: two arms over four questions, one of them spoiled, with its loop."""
    store = TraceStore(tmp_path / "traces")
    loop = Iteration(
        steps=("Look.", "Listen."), step_answers=("A bell.",), caption="A bell", score=8
    )
    store.put_trace(made_trace("a" * 64, loop, best=0))
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"here")
    rows = []
    for number in range(4):
        right = number != 1
        reasoned = ArmAnswer(
            score=float(right),
            right=right,
            answer=f"Answer {number}",
            read="A",
            change="right" if right else "right_to_wrong",
            trace="a" * 64,
        )
        plain = ArmAnswer(score=1.0, right=True, answer="A", read="A")
        media = (str(clip), str(tmp_path / "gone.mp4"))
        rows.append(item(number, {"none": plain, "aurelia": reasoned}, media=media))
    runs = tuple(run(arm, traces=str(store.folder), n=4) for arm in ("none", "aurelia"))
    comparison(4, ("none", "aurelia"), items=rows, runs=runs).write(tmp_path)
    return tmp_path


def test_tables_hold_what_the_comparison_does(study: Path) -> None:
    found = open_study(study)
    assert found.arms == ("none", "aurelia")
    assert found.verdict.startswith("aurelia: ")
    none, aurelia = found.rows()
    assert (none["arm"], none["score"], none["gain"]) == ("none", 1.0, None)
    assert (aurelia["score"], aurelia["gain"]) == (0.75, -0.25)
    table: Any = found.table("questions")
    assert len(table) == 8
    assert list(table[table["change"] == "right_to_wrong"]["id"]) == ["avsd-00001"]
    with pytest.raises(ConfigError, match="no table"):
        found.rows("nothing")  # type: ignore[arg-type]


def test_without_pandas_tables_are_rows(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aurelia_plugin.notebooks.results.find_spec", lambda _: None)
    found = open_study(study)
    assert found.table() == found.rows()


def test_questions_come_with_their_traces_and_media(study: Path) -> None:
    found = open_study(study)
    (spoiled,) = found.questions(arm="aurelia", change="right_to_wrong")
    assert spoiled.answers["aurelia"].text == "Answer 1"
    assert [path.name for path in spoiled.media] == ["clip.mp4"]
    trace = spoiled.trace("aurelia")
    assert trace is not None
    assert trace.steps == ("Look.", "Listen.")
    assert spoiled.trace("none") is None
    assert len(list(found.questions(arm="aurelia", right=True))) == 3
    assert [q.id for q in found.questions(column="avsd")] == ["avsd-00001"]
    for wrong in ({"arm": "no such"}, {"change": "right"}, {"right": True}):
        with pytest.raises(ConfigError):
            found.questions(**wrong)


def test_traces_that_are_gone_are_none(study: Path) -> None:
    (study / "traces").rename(study / "elsewhere")
    (spoiled,) = open_study(study).questions(arm="aurelia", change="right_to_wrong")
    assert spoiled.trace("aurelia") is None


def test_a_study_of_several_targets_asks_which(tmp_path: Path) -> None:
    for name in ("one", "two"):
        comparison(4).write(tmp_path / "targets" / name)
    with pytest.raises(ConfigError, match="2 targets") as caught:
        open_study(tmp_path)
    assert "one, two" in caught.value.fix
    assert open_study(tmp_path, "two").arms == ARMS


def test_a_folder_without_results_says_so(tmp_path: Path) -> None:
    for opened in (open_study, open_run):
        with pytest.raises(ConfigError):
            opened(tmp_path)


def test_results_are_made_of_any_comparison() -> None:
    made: Comparison = comparison(10)
    assert [row["arm"] for row in Results(made).rows("columns")][:7] == ["none"] * 7


@pytest.mark.parametrize("name", ["read_a_study.py", "read_traces.py"])
def test_the_examples_run(study: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = study / "traces" if name == "read_traces.py" else study
    runpy.run_path(str(EXAMPLES / name))["main"](str(folder))
    said = capsys.readouterr().out
    assert "Listen." in said


def test_the_notebook_runs_and_was_executed(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AURELIA_EXAMPLE_STUDY", str(study))
    cells = json.loads((EXAMPLES / "study.ipynb").read_text())["cells"]
    known: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["execution_count"], "execute the notebook before it is committed"
            exec("".join(cell["source"]), known)
    assert "Look. -> A bell." in capsys.readouterr().out


def test_the_own_model_answers() -> None:
    import asyncio

    from aurelia_plugin.calling.backend import Message, Prompt, Text

    model = runpy.run_path(str(EXAMPLES / "own_model.py"))["FirstOption"]()
    asked = Prompt((Message("user", (Text("Which?\nA. a bell\nB. a drum"),)),))
    assert asyncio.run(model(asked)).text == "Answer: A"
    counted = Prompt((Message("user", (Text("How many?"),)),))
    assert asyncio.run(model(counted)).text == "Answer: 0"
