"""`avreasonbench` through the real YAML files and the real harness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.benchmark.schema import COLUMNS

pytest.importorskip("lmms_eval")

from lmms_eval import evaluator

from .handmade import make_home
from .stub import Stub, manager

_GROUP = "avreasonbench"


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def home(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AVREASONBENCH_HOME", str(_made))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.delenv("AVREASONBENCH_JUDGE", raising=False)
    return _made


def run(stub: Any, tasks: list[str], **more: Any) -> dict[str, Any]:
    results = evaluator.simple_evaluate(
        model=stub,
        tasks=tasks,
        task_manager=manager(),
        bootstrap_iters=0,
        log_samples=True,
        **more,
    )
    assert isinstance(results, dict)
    return results


def _gold(doc: dict[str, Any]) -> str:
    return f"Let me see.\n\nAnswer: {doc['answer']}"


def test_gold_answers_score_one(home: Path) -> None:
    stub = Stub(_gold)
    results = run(stub, [_GROUP])
    for column in COLUMNS:
        row = results["results"][f"{_GROUP}_{column}"]
        assert row["score,none"] == row["accuracy,none"] == pytest.approx(1.0), column
        assert row["by_video,none"] == pytest.approx(1.0)
        assert "judged,none" not in row
        assert ("cider,none" in row) == (column in ("avsd", "captioning"))
    assert results["groups"][_GROUP]["score,none"] == pytest.approx(1.0)
    assert results["groups"][_GROUP]["unparsed,none"] == 0.0
    music = results["results"][f"{_GROUP}_music_avqa"]
    assert music["type_both_counting,none"] == music["modality_audio,none"] == 1.0
    assert "modality_visual,none" not in music
    first = results["samples"][f"{_GROUP}_music_avqa"][0]
    assert (first["item"], first["category"]) == ("m-1", "Musical performances")
    assert next(key for key in first if "score" in key) == "score"


def test_the_group_is_the_mean_over_columns(home: Path) -> None:
    right = {"m-1", "o-1", "o-2"}
    results = run(Stub(lambda doc: _gold(doc) if doc["id"] in right else "no idea"), [_GROUP])
    rows = [results["results"][f"{_GROUP}_{column}"]["score,none"] for column in COLUMNS]
    assert rows[0] == 0.5
    assert rows[3] == 1.0
    assert results["groups"][_GROUP]["score,none"] == pytest.approx(sum(rows) / 7)
