"""The tasks through the real harness."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from aurelia_plugin.benchmark.data.items import COLUMNS
from aurelia_plugin.errors import ConfigError

pytest.importorskip("lmms_eval")

from lmms_eval import evaluator

from aurelia_plugin.benchmark.tasks import doc_to_target

from .stub import TASKS, Stub, manager

_GROUP = "avreasonbench_mini"


def _gold(doc: dict[str, Any]) -> str:
    return f"Let me look and listen.\n\n**Answer:** {doc_to_target(doc)}"


@pytest.fixture(autouse=True)
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVREASONBENCH_MINI_ITEMS", "3")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))


def _run(stub: Stub, tasks: list[str]) -> dict[str, Any]:
    results = evaluator.simple_evaluate(
        model=stub, tasks=tasks, task_manager=manager(), bootstrap_iters=0, log_samples=True
    )
    assert isinstance(results, dict)
    return results


def test_gold_answers_score_one_and_the_group_is_their_mean() -> None:
    stub = Stub(_gold)
    results = _run(stub, [_GROUP])
    for column in COLUMNS:
        row = results["results"][f"{_GROUP}_{column}"]
        assert row["score,none"] == row["accuracy,none"] == 1.0, column
        assert row["unparsed,none"] == 0.0
        assert ("rouge_l,none" in row) == (column in ("avsd", "captioning"))
        assert len(results["samples"][f"{_GROUP}_{column}"]) == 3
    group = results["groups"][_GROUP]
    assert group["score,none"] == group["accuracy,none"] == 1.0
    assert group["unparsed,none"] == 0.0
    assert all(kwargs["until"] == [] for kwargs in stub.generation)


def test_empty_answers_are_unparsed_and_wrong() -> None:
    results = _run(Stub(lambda _: ""), [_GROUP])
    group = results["groups"][_GROUP]
    assert group["score,none"] == group["accuracy,none"] == 0.0
    assert group["unparsed,none"] == 1.0


def test_messages_are_typed_and_absolute_and_interleaved() -> None:
    stub = Stub(_gold)
    _run(stub, [f"{_GROUP}_dm_match", f"{_GROUP}_meme"])
    for (turn,) in stub.messages[f"{_GROUP}_dm_match"]:
        content = turn["content"]
        kinds = [block["type"] for block in content]
        assert kinds == ["video", *["text", "audio"] * 4, "text"]
        named = [block["text"] for block in content[1:9:2]]
        assert named == ["Audio 1:", "Audio 2:", "Audio 3:", "Audio 4:"]
        assert content[-1]["text"].endswith("Answer: <letter>")
    for messages in stub.messages.values():
        for (turn,) in messages:
            for block in turn["content"]:
                if block["type"] != "text":
                    assert os.path.isabs(block["url"])
                    assert os.path.getsize(block["url"]) > 0


def test_indexing_makes_nothing(cache: Path) -> None:
    found = manager()
    assert {f"{_GROUP}_{column}" for column in COLUMNS} < set(found.all_tasks)
    assert _GROUP in found.all_groups
    assert not cache.exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AVREASONBENCH_MINI_SEED", "-1"),
        ("AVREASONBENCH_MINI_SEED", "x"),
        ("AVREASONBENCH_MINI_ITEMS", "0"),
        ("AVREASONBENCH_MINI_ITEMS", "2.5"),
    ],
)
def test_bad_settings_name_the_fix_last(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    found = manager()
    with pytest.raises(ConfigError) as caught:
        found.load_task_or_group([f"{_GROUP}_meme"])
    last = str(caught.value).splitlines()[-1]
    assert last.startswith(f"Set {variable} to a whole number")


def test_task_files_are_bare_and_the_template_holds_the_functions() -> None:
    files = sorted((TASKS / _GROUP).glob("*.yaml"))
    assert len(files) == len(COLUMNS) + 1
    for file in files:
        config = yaml.safe_load(file.read_text())
        assert config.get("include") in (
            {None} if "group" in config else {"_template", "_sentences"}
        )
    assert "!function" in (TASKS / _GROUP / "_template").read_text()


def test_no_metric_name_contains_another() -> None:
    names = ("score", "accuracy", "unparsed", "rouge_l")
    assert not [(a, b) for a in names for b in names if a != b and a in b]
