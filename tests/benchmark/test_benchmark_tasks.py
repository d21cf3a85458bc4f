"""`avreasonbench` through the real YAML files and the real harness."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from aurelia_plugin.benchmark.data.home import category_name
from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS, write_items
from aurelia_plugin.benchmark.scoring.captions import CAPTION_METRICS
from aurelia_plugin.errors import ConfigError

pytest.importorskip("lmms_eval")

from lmms_eval import evaluator

from .handmade import ITEMS, make_home
from .stub import TASKS, Stub, manager

_GROUP = "avreasonbench"


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def home(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AVREASONBENCH_HOME", str(_made))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.delenv("AVREASONBENCH_JUDGE", raising=False)
    # METEOR starts a Java machine for seconds; `test_captions` runs it.
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return _made


def _run(stub: Any, tasks: list[str], **more: Any) -> dict[str, Any]:
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
    results = _run(stub, [_GROUP])
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
    results = _run(Stub(lambda doc: _gold(doc) if doc["id"] in right else "no idea"), [_GROUP])
    rows = [results["results"][f"{_GROUP}_{column}"]["score,none"] for column in COLUMNS]
    assert rows[0] == 0.5
    assert rows[3] == 1.0
    assert results["groups"][_GROUP]["score,none"] == pytest.approx(sum(rows) / 7)


def test_one_video_gives_no_clustered_error(home: Path) -> None:
    row = _run(Stub(_gold), [f"{_GROUP}_meme"])["results"][f"{_GROUP}_meme"]
    assert row["by_video_stderr_clustered,none"] == "N/A"
    assert row["by_video,none"] == row["score,none"] == 1.0


def test_two_videos_give_a_clustered_error(tmp_path: Path, home: Path, monkeypatch: Any) -> None:
    items = [item for item in ITEMS if item.column == "captioning"]
    items[1] = items[1].model_copy(update={"video": "v/other.mp4"})
    monkeypatch.setenv("AVREASONBENCH_HOME", str(make_home(tmp_path / "two", items)))
    stub = Stub(lambda doc: _gold(doc) if doc["id"] == "c-1" else "A man.")
    row = _run(stub, [f"{_GROUP}_captioning"])["results"][f"{_GROUP}_captioning"]
    for metric in ("by_video", "cider", "rouge_l"):
        assert row[f"{metric}_stderr_clustered,none"] > 0.0, metric
    assert row["by_video_stderr_clustered,none"] == pytest.approx(row["score_stderr_clt,none"])
    for metric in CAPTION_METRICS:
        absent = metric in ("meteor", "spice")
        assert math.isnan(row[f"{metric},none"]) == absent, metric


def test_the_harness_compares_with_a_baseline(home: Path, tmp_path: Path) -> None:
    task = f"{_GROUP}_compositional"
    before = _run(Stub(lambda doc: "A"), [task])["samples"][task]
    path = tmp_path / "baseline_samples.jsonl"
    keep = [{k: v for k, v in row.items() if k not in ("doc", "arguments")} for row in before]
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in keep))
    row = _run(Stub(_gold), [task], baseline=str(path))["results"][task]
    assert row["paired_baseline_score"] == 0.0
    assert row["score,none"] == 1.0
    assert row["paired_ci_lower"] <= 100.0 <= row["paired_ci_upper"]


def test_dance_clips_are_interleaved_or_one_by_one(home: Path) -> None:
    whole, single = f"{_GROUP}_dm_match", f"{_GROUP}_dm_match_per_candidate"
    # The right sounds are Audio 4 (x-1) and, in shuffled options, Audio 3 (x-2).
    ratings = {"x-1": [3, 3, 2, 9], "x-2": [8, 1, 8, 1]}

    def answer(doc: dict[str, Any]) -> str:
        name, _, number = doc["id"].partition("#")
        return f"Answer: {ratings[name][int(number) - 1]}" if number else _gold(doc)

    stub = Stub(answer)
    results = _run(stub, [whole, single])
    kinds = [[b["type"] for b in turn["content"]] for (turn,) in stub.messages[whole]]
    assert kinds == [["video", *["text", "audio"] * 4, "text"]] * 2
    kinds = [[b["type"] for b in turn["content"]] for (turn,) in stub.messages[single]]
    assert kinds == [["video", "audio", "text"]] * 8
    assert results["results"][whole]["score,none"] == 1.0
    assert results["results"][single]["score,none"] == 0.75  # right, and one of two best
    assert results["results"][single]["unparsed,none"] == 0.0
    assert {row["way"] for row in results["samples"][whole]} == {"all_candidates_at_once"}
    assert {row["way"] for row in results["samples"][single]} == {"one_run_per_candidate"}
    assert results["configs"][single]["metadata"]["way"] == "one_run_per_candidate"


def test_a_category_is_a_task_of_its_own(home: Path) -> None:
    names = [f"{_GROUP}_category_{category_name(category)}" for category in CATEGORIES]
    found = manager()
    assert set(names) < set(found.all_tasks)
    assert len(set(names)) == 17
    asked = ["musical_performances", "indoor_kitchen_scenarios"]
    results = _run(Stub(_gold), [f"{_GROUP}_category_{name}" for name in asked])
    for name in asked:
        rows = results["samples"][f"{_GROUP}_category_{name}"]
        assert len(rows) == 2
        assert len({row["category"] for row in rows}) == 1
        assert results["results"][f"{_GROUP}_category_{name}"]["score,none"] == pytest.approx(1.0)


@pytest.mark.parametrize("group", ["avreasonbench", "avreasonbench_public"])
def test_without_data_the_last_line_gives_the_steps(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AVREASONBENCH_HOME", "AVREASONBENCH_PUBLIC_HOME"):
        monkeypatch.delenv(name, raising=False)
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            manager().load_task_or_group([f"{group}_meme"])
        last = str(caught.value).splitlines()[-1]
        assert last.startswith("1. ")
        assert "aurelia data " in last
        assert f"{group.upper()}_HOME" in last
        variable = "AVREASONBENCH_HOME" if group == "avreasonbench" else "AVREASONBENCH_PUBLIC_HOME"
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))


def test_a_column_without_items_names_those_there_are(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVREASONBENCH_HOME", str(make_home(tmp_path / "few", ITEMS[6:8])))
    with pytest.raises(ConfigError) as caught:
        manager().load_task_or_group([f"{_GROUP}_meme"])
    last = str(caught.value).splitlines()[-1]
    assert last.endswith(f"--tasks {_GROUP}_compositional,{_GROUP}_category_compositional")
    assert manager().load_task_or_group([f"{_GROUP}_compositional"])


def test_a_changed_manifest_is_read_again(tmp_path: Path, home: Path, monkeypatch: Any) -> None:
    few = make_home(tmp_path / "few", ITEMS[6:7])
    monkeypatch.setenv("AVREASONBENCH_HOME", str(few))
    task = f"{_GROUP}_compositional"
    assert len(_run(Stub(_gold), [task])["samples"][task]) == 1
    write_items(few / "manifest.jsonl", ITEMS[6:8])
    assert len(_run(Stub(_gold), [task])["samples"][task]) == 2
    (few / "manifest.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match=r"manifest\.jsonl:1"):
        manager().load_task_or_group([task])


def test_public_tasks_read_the_public_folder(home: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("AVREASONBENCH_PUBLIC_HOME", str(home))
    task = "avreasonbench_public_dm_match"
    assert _run(Stub(_gold), [task])["results"][task]["score,none"] == 1.0
    tasks = {name for name in manager().all_tasks if name.startswith("avreasonbench_public")}
    columns = {*COLUMNS, "dm_match_per_candidate"}
    assert tasks == {"avreasonbench_public", *(f"avreasonbench_public_{name}" for name in columns)}


def test_the_embedded_model_runs_the_whole_benchmark(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aurelia_plugin.model_wrappers.aurelia import Aurelia

    model = Aurelia(target="embedded", max_iterations=1, traces=str(tmp_path / "traces"))
    results = _run(model, [_GROUP])
    assert sum(len(rows) for rows in results["samples"].values()) == len(ITEMS) == 14
    assert 0.0 <= results["groups"][_GROUP]["score,none"] <= 1.0
    (record,) = (tmp_path / "traces" / "runs").glob("*.json")
    counts = json.loads(record.read_text())["by_category"]
    assert sum(count["n"] for count in counts.values()) == 14
    assert set(counts) == {item.category for item in ITEMS}
    assert not any(count["failed"] for count in counts.values())


def test_a_target_that_takes_one_sound_is_asked_for_each_candidate(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real YAML, the real model; only the catalogue's figure is another."""
    from aurelia_plugin.model_wrappers.aurelia import Aurelia
    from aurelia_plugin.model_wrappers.catalogue import row
    from aurelia_plugin.model_wrappers.run import run

    known = row("embedded")
    one = known.model_copy(update={"hears": known.hears.model_copy(update={"clips": 1})})
    task = f"{_GROUP}_dm_match"
    sounds = {}
    for name, entry in {"all at once": known, "one by one": one}.items():
        monkeypatch.setattr(run, "row", lambda _, entry=entry: entry)
        traces = tmp_path / name
        model = Aurelia(target="embedded", condition="none", traces=str(traces))
        rows = _run(model, [task])["samples"][task]
        assert len(rows) == 2
        (record,) = (traces / "runs").glob("*.json")
        counts = json.loads(record.read_text())
        evidence = counts["evidence"]["target"]
        sounds[name] = (evidence["clips"], evidence["dropped"])
    assert sounds["all at once"] == (8, {})
    heard, dropped = sounds["one by one"]
    assert heard == 8  # four candidates of two questions, each alone
    assert dropped == {"sounds rated one by one, for the model takes 1 at a time": 2}


def test_task_files_are_bare(home: Path) -> None:
    boards = ("daily_omni", "jointavbench", "omnivideobench")
    for group in ("avreasonbench", "avreasonbench_public", *boards):
        for file in sorted((TASKS / group).glob("*.yaml")):
            config = yaml.safe_load(file.read_text())
            assert str(config.get("include", "_")).startswith("_")
        readme = (TASKS / group / "README.md").read_text()
        for head in ("Citation", "Groups", "Tasks", "Checklist"):
            assert f"# {head}" in readme, (group, head)
