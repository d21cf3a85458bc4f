"""`avreasonbench_public`'s own columns, built from stand-in clips, through the real YAML files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.cli import main

pytest.importorskip("lmms_eval")

from lmms_eval import evaluator

from .standins import Clip, make_clips, music_rows
from .stub import Stub, manager

_COLUMNS = ("compositional", "geoiq")
_INSTRUMENTS = {
    "00000001": "violin",
    "00000002": "tuba",
    "00000003": "saxophone",
    "00000004": "erhu",
    "00000005": "congas",
}


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, home = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("home")
    (source / "avqa-test.json").write_text(music_rows(_INSTRUMENTS))
    clips = {
        f"{video}.mp4": Clip((40 * number, 250 - 40 * number, 90), 300 + 250 * number)
        for number, video in enumerate(_INSTRUMENTS, start=1)
    }
    make_clips(source / "videos", clips, 2.0)
    files = ["--annotations", str(source / "avqa-test.json"), "--media", str(source / "videos")]
    for column in _COLUMNS:
        arguments = ["data", "build", column, *files, "--to", str(home), "--number", "12"]
        assert main(arguments) == 0
    return home


@pytest.fixture
def home(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AVREASONBENCH_PUBLIC_HOME", str(_made))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.delenv("AVREASONBENCH_JUDGE", raising=False)
    return _made


def _run(model: Any) -> dict[str, Any]:
    results = evaluator.simple_evaluate(
        model=model,
        tasks=[f"avreasonbench_public_{column}" for column in _COLUMNS],
        task_manager=manager(),
        bootstrap_iters=0,
        log_samples=True,
    )
    assert isinstance(results, dict)
    return results


def test_an_oracle_that_reads_the_gold_scores_one(home: Path) -> None:
    stub = Stub(lambda doc: f"Answer: {doc['answer']}")
    results = _run(stub)
    for column in _COLUMNS:
        task = f"avreasonbench_public_{column}"
        row = results["results"][task]
        assert row["score,none"] == row["accuracy,none"] == 1.0
        assert row["unparsed,none"] == 0.0
        assert len(results["samples"][task]) == 12
        for (turn,) in stub.messages[task]:
            video, text = turn["content"]
            assert (video["type"], text["type"]) == ("video", "text")
            assert Path(video["url"]).is_file()
            assert "\nC. " in text["text"]


def test_the_embedded_model_answers_them(home: Path, tmp_path: Path) -> None:
    from aurelia_plugin.model_wrappers.aurelia import Aurelia

    model = Aurelia(target="embedded", max_iterations=1, traces=str(tmp_path / "traces"))
    results = _run(model)
    for column in _COLUMNS:
        row = results["results"][f"avreasonbench_public_{column}"]
        assert 0.0 <= row["score,none"] <= 1.0
    (record,) = (tmp_path / "traces" / "runs").glob("*.json")
    counts = json.loads(record.read_text())["by_category"]
    assert sum(count["n"] for count in counts.values()) == 24
    assert not any(count["failed"] for count in counts.values())
