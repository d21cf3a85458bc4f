"""`aurelia summary`: figures from the harness's log of samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.benchmark.data.candidates import candidate_results, expanded, outcomes, rating
from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS
from aurelia_plugin.benchmark.figures import read_run
from aurelia_plugin.benchmark.results import item_results
from aurelia_plugin.cli import main

from .handmade import ITEMS

_DATE = "20260101_000000"


def _log(folder: Path, task: str, rows: list[dict[str, Any]], date: str = _DATE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{date}_samples_{task}.jsonl"
    path.write_text("".join(json.dumps({"doc_id": n, **row}) + "\n" for n, row in enumerate(rows)))
    return path


def _rows(column: str, reply: str | None = None) -> list[dict[str, Any]]:
    return [
        item_results(item, f"Answer: {item.answer if reply is None else reply}")
        for item in ITEMS
        if item.column == column
    ]


def test_columns_categories_and_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "aurelia_embedded"
    for column in COLUMNS:
        _log(run, f"avreasonbench_{column}", _rows(column, "A" if column == "meme" else None))
    _log(run, "avreasonbench_compositional", _rows("compositional", "A"), "20250101_000000")
    _log(run, "avreasonbench_category_compositional", _rows("compositional", "A"))
    _log(run, "another_task", [{"accuracy": 1.0}])
    figures = read_run(tmp_path)
    assert figures.items.n == 14
    assert figures.items.score == pytest.approx(13 / 14)
    assert figures.mean_over_columns == pytest.approx(6.5 / 7)
    assert figures.columns["compositional"].score == 1.0
    assert figures.columns["meme"].score == 0.5
    assert list(figures.categories) == list(CATEGORIES)
    assert figures.categories["Commonsense reasoning"].score == 0.0  # type: ignore[union-attr]
    assert figures.categories["Currency"] is None
    assert figures.ways == {"all_candidates_at_once": 2}
    assert figures.other_runs == ("20250101_000000",)
    assert read_run(tmp_path, "20250101_000000").items.score == 0.0
    assert main(["summary", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    for category in CATEGORIES:
        assert category in text
    assert "all items" in text
    assert "mean over columns: score 92.9" in text
    assert main(["summary", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"]["n"] == 14


def test_faults_name_the_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(tmp_path)]) == 1
    assert "--log_samples" in capsys.readouterr().err.splitlines()[-1]
    _log(tmp_path / "one", "avreasonbench_one", _rows("meme"))
    assert main(["summary", str(tmp_path), "--run", "20200101_000000"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"Choose from: {_DATE}"
    for model in ("one", "two"):
        _log(tmp_path / model, f"avreasonbench_{model}", _rows("meme"))
    assert main(["summary", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("Name one of: ")
    (tmp_path / "one" / f"{_DATE}_samples_x.jsonl").write_text("{")
    assert main(["summary", str(tmp_path / "one")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_the_judge_is_counted_apart(tmp_path: Path) -> None:
    first, second = _rows("geoiq")
    judge = {"model": "j-1", "service": "openai"}
    first |= {"judge": judge, "judged": 1.0, "judge_failures": 0.0}
    second |= {"judge": judge, "judge_failures": 1.0}
    _log(tmp_path, "avreasonbench_geoiq", [first, second])
    figures = read_run(tmp_path)
    assert figures.judge == {
        "models": "openai:j-1",
        "n": 1,
        "right": 1.0,
        "failures": 1,
        "share": 50.0,
    }
    assert "1 failures, not scored" in figures.text()


def test_candidates_become_questions_again(tmp_path: Path) -> None:
    dance = next(item for item in ITEMS if item.id == "x-2")  # the third sound is right
    rows = [
        candidate_results(item, reply)
        for item, reply in zip(expanded(dance), ("5", "no idea", "8/10", "8"), strict=True)
    ]
    _log(tmp_path, "avreasonbench_dm_match_per_candidate", rows)
    figures = read_run(tmp_path)
    assert figures.items.n == 1
    assert figures.items.score == 0.5
    assert figures.columns.keys() == {"dm_match (per candidate)"}
    assert figures.ways == {"one_run_per_candidate": 1}


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("7", 7),
        ("Answer: 10", 10),
        ("Answer: seven", 7),
        ("8/10", 8),
        ("I would say 8 out of 10.", 8),
        ("10/10", 10),
        ("3, or maybe 4", None),
        ("7.5", None),
        ("0", None),
        ("11", None),
        ("-3 degrees", None),
        ("Not at all.", None),
        ("", None),
    ],
)
def test_ratings(reply: str, number: int | None) -> None:
    assert rating(reply) == number


def test_the_rule_for_candidates() -> None:
    def value(rating: int | None, right: bool = False) -> dict[str, Any]:
        return {"question": "q", "rating": rating, "right": right}

    cases = [
        ([value(9, True), value(1), value(2)], (1.0, 0.0)),
        ([value(9), value(9, True), value(2)], (0.5, 0.0)),
        ([value(9), value(9), value(2, True)], (0.0, 0.0)),
        ([value(None, True), value(1), value(1)], (0.0, 0.0)),
        ([value(None, True), value(None)], (0.0, 1.0)),
    ]
    for values, outcome in cases:
        assert outcomes(values)["q"] == outcome


def test_expanded_items_name_the_right_sound() -> None:
    first, second = (item for item in ITEMS if item.column == "dm_match")
    assert [item.answer for item in expanded(first)] == ["no", "no", "no", "yes"]
    assert [item.answer for item in expanded(second)] == ["no", "no", "yes", "no"]
    assert [item.id for item in expanded(second)] == ["x-2#1", "x-2#2", "x-2#3", "x-2#4"]
    assert expanded(second)[2].audio == "a/3.wav"
    words = second.model_copy(update={"options": ("blues", "folk", "jazz", "hip-hop")})
    assert [item.answer for item in expanded(words)] == ["yes", "no", "no", "no"]
