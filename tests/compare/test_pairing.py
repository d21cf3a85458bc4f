from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from benchmark.handmade import ITEMS

from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.result import Comparison
from aurelia_plugin.errors import ConfigError

from .making_logs import DATE, our_row, row, write_plugin_run, write_run


def rows(scores: Sequence[float]) -> list[dict[str, Any]]:
    return [row(number, score) for number, score in enumerate(scores)]


def both(tmp_path: Path, one: Sequence[float], two: Sequence[float]) -> dict[str, Path]:
    return {
        "one": write_run(tmp_path / "one", {"qa": rows(one)}),
        "two": write_run(tmp_path / "two", {"qa": rows(two)}),
    }


def refusal(runs: dict[str, Path], options: Options | None = None) -> str:
    with pytest.raises(ConfigError) as refused:
        compare(runs, options)
    return str(refused.value)


def test_the_same_is_paired(tmp_path: Path) -> None:
    result = compare(both(tmp_path, [1, 0, 1, 0], [1, 1, 0, 1]))
    found = result.contrast("two", "all")
    assert found is not None
    assert (found.n, found.clusters, found.wins, found.losses, found.ties) == (4, 2, 2, 1, 1)
    assert (found.wrong_to_right, found.right_to_wrong) == (2, 1)
    assert found.gain == pytest.approx(0.25)
    assert found.relative_gain == pytest.approx(0.5)
    assert found.mcnemar == 1.0
    changes = [item.arms["two"].change for item in result.items]
    assert changes == ["right", "wrong_to_right", "right_to_wrong", "wrong_to_right"]


def test_order_in_the_log_does_not_matter(tmp_path: Path) -> None:
    runs = both(tmp_path, [1, 0, 1, 0], [1, 1, 0, 1])
    path = runs["two"] / f"{DATE}_samples_qa.jsonl"
    path.write_text("\n".join(reversed(path.read_text().splitlines())))
    found = compare(runs).contrast("two", "all")
    assert found is not None
    assert (found.wins, found.losses) == (2, 1)


def test_missing_questions_are_named(tmp_path: Path) -> None:
    runs = both(tmp_path, [1, 0, 1, 0], [1, 1])
    text = refusal(runs)
    assert "one and two differ in items: 2 questions (qa/2, qa/3) only in one" in text
    assert text.splitlines()[-1].endswith("add --allow items.")
    result = compare(runs, Options(allow=frozenset({"items"})))
    assert len(result.items) == 2
    assert any("two has 2 of the 4 questions of one." in note for note in result.notes)
    assert any(note.startswith("Allowed: one and two differ in items") for note in result.notes)
    assert result.method.allowed == ("items",)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"input": "Another question?"}, "with another clip or text"),
        ({"target": "B"}, "with another gold answer"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, change: dict[str, str], what: str) -> None:
    changed = rows([1, 0, 1])
    changed[1].update(change)
    runs = {
        "one": write_run(tmp_path / "one", {"qa": rows([1, 0, 1])}),
        "two": write_run(tmp_path / "two", {"qa": changed}),
    }
    assert f"1 question (qa/1) {what}" in refusal(runs)


@pytest.mark.parametrize(
    ("change", "aspect", "what"),
    [
        ({"model": "other"}, "target", "some_model?size=1 / other?size=1"),
        ({"model_args": "size=2"}, "target", "some_model?size=1 / some_model?size=2"),
        (
            {"generation_kwargs": {"max_new_tokens": 99}},
            "target",
            "generation max_new_tokens: 16 / 99 (qa)",
        ),
        (
            {"process_results": "<function other at 0x1>"},
            "parser",
            "process_results=<function other>",
        ),
        ({"filter_list": [{"name": "strict"}]}, "parser", "filters="),
    ],
)
def test_other_settings_are_refused(
    tmp_path: Path, change: dict[str, Any], aspect: str, what: str
) -> None:
    runs = {
        "one": write_run(tmp_path / "one", {"qa": rows([1, 0])}),
        "two": write_run(tmp_path / "two", {"qa": rows([1, 0])}, **change),
    }
    text = refusal(runs)
    assert f"differ in {aspect}: " in text
    assert what in text
    assert text.splitlines()[-1].endswith(f"add --allow {aspect}.")
    assert compare(runs, Options(allow=frozenset({aspect}))).items


def test_an_address_in_memory_is_no_difference(tmp_path: Path) -> None:
    runs = {
        "one": write_run(tmp_path / "one", {"qa": rows([1, 0])}),
        "two": write_run(
            tmp_path / "two",
            {"qa": rows([1, 0])},
            process_results="<function process_results at 0x999>",
        ),
    }
    assert compare(runs).items


def test_another_judge_is_another_parser(tmp_path: Path) -> None:
    judged = [
        [our_row(ITEMS[0], 0, 1, "three", judge={"service": "s", "model": m})] for m in ("x", "y")
    ]
    runs = {
        str(k): write_run(tmp_path / str(k), {"avreasonbench_music_avqa": found})
        for k, found in enumerate(judged)
    }
    assert "differ in parser: avreasonbench_music_avqa: parser" in refusal(runs)


def test_soundtracks_in_another_place_of_the_prompt_are_another_target(tmp_path: Path) -> None:
    def run(label: str, *forms: str) -> Path:
        return write_plugin_run(
            tmp_path / label, "qa", rows([1, 0]), condition="none", soundtrack=forms
        )

    after, mixed = run("after", "after"), run("mixed", "interleaved", "after")
    runs = {"after": after, "mixed": mixed}
    text = refusal(runs)
    assert "differ in target: soundtracks went in after / after and interleaved" in text
    assert compare(runs, Options(allow=frozenset({"target"}))).items
    again, unknown = run("again", "after", "interleaved"), run("unknown")
    assert compare({"mixed": mixed, "again": again, "unknown": unknown}).items


def test_a_clip_that_was_exchanged_is_found_by_the_record(tmp_path: Path) -> None:
    """Same ids and same texts, other clips: only the digest of the content tells."""
    runs = {}
    for label, content in (("none", "aaa"), ("aurelia", "bbb")):
        traces = tmp_path / label / "traces"
        (traces / "runs").mkdir(parents=True)
        record = {"condition": label, "n": 1, "settings": {"condition": label, "media": "full"}}
        base = traces / "runs" / f"20260101T080001Z_{label}"
        base.with_suffix(".json").write_text(json.dumps({**record, "target": "t"}))
        item = {"id": "qa/test/0", "content": content, "seconds": 1.5, "input_tokens": 3}
        base.with_suffix(".items.jsonl").write_text(json.dumps(item) + "\n")
        runs[label] = write_run(
            tmp_path / label,
            {"qa": rows([1])},
            model="aurelia_x",
            model_args=f"condition={label},traces={traces}",
        )
    assert "1 question (qa/0) with another clip or text" in refusal(runs)
    result = compare(runs, Options(allow=frozenset({"items"})))
    figure = result.figure("none", "all")
    assert figure is not None
    assert (figure.seconds, figure.input_tokens, figure.failed) == (1.5, 3, 0)


def test_the_reference_and_names(tmp_path: Path) -> None:
    runs = both(tmp_path, [1, 0], [1, 1])
    assert compare(runs).reference == "one"
    assert compare(runs, Options(reference="two")).reference == "two"
    assert refusal(runs, Options(reference="x")).splitlines()[-1] == "Choose from: one, two"


def test_questions_of_several_tasks_count_once(tmp_path: Path) -> None:
    found = [our_row(item, k, 1, item.answer) for k, item in enumerate(ITEMS[:2])]
    tasks = {"avreasonbench_category_musical_performances": found, "avreasonbench_music": found}
    result = compare({"run": write_run(tmp_path, tasks)})
    assert [item.task for item in result.items] == ["avreasonbench_music"] * 2


def test_logs_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    assert "there is no such file or folder" in refusal({"x": tmp_path / "nowhere"})
    assert "holds no log of samples" in refusal({"x": tmp_path})
    folder = write_run(tmp_path / "a", {"qa": rows([1])})
    path = folder / f"{DATE}_samples_qa.jsonl"
    path.write_text(path.read_text() + "{cut off")
    assert "line 2: not JSON" in refusal({"x": folder})
    path.write_text(json.dumps(row(0, 1)) + "\n" + json.dumps(row(0, 0)) + "\n")
    assert "document 0 has several rows that differ" in refusal({"x": folder})
    path.write_text(json.dumps({**row(0, 1), "acc": "good"}) + "\n")
    text = refusal({"x": folder})
    assert "task qa: no metric gives every document a number" in text
    assert "the log has: acc" in text.splitlines()[-1]


def test_an_older_run_and_a_log_without_results(tmp_path: Path) -> None:
    write_run(tmp_path, {"qa": rows([0, 0])}, date="20250101_080000")
    write_run(tmp_path, {"qa": rows([1, 1])})

    def mean(result: Comparison) -> float:
        figure = result.figure(result.reference, "all")
        assert figure is not None
        return figure.score

    latest = compare({"x": tmp_path})
    assert mean(latest) == 1.0
    assert any("20250101_080000" in note for note in latest.notes)
    assert mean(compare({"x": tmp_path / "20250101_080000_results.json"})) == 0.0
    bare = write_run(tmp_path / "bare", {"qa": rows([1])}, results=False)
    assert any("results.json is missing" in note for note in compare({"x": bare}).notes)


@pytest.mark.parametrize(
    ("value", "score", "right"),
    [
        (1, 1.0, True),
        (True, 1.0, True),
        (0.25, 0.25, None),
        ({"score": 0.5}, 0.5, None),
        ({"correct": False}, 0.0, False),
        ({"pred_answer": "b ", "answer": "B"}, 1.0, True),
        ({"parsed_pred": "C", "answer": "B"}, 0.0, False),
    ],
)
def test_metrics_of_any_form(tmp_path: Path, value: Any, score: float, right: bool | None) -> None:
    result = compare({"x": write_run(tmp_path, {"qa": [{**row(0, 0), "acc": value}]})})
    answer = result.items[0].arms["x"]
    assert (answer.score, answer.right) == (score, right)


def test_words_of_ours_in_a_task_of_others_mean_what_they_mean_there(tmp_path: Path) -> None:
    found = [{**row(k, 1), "item": "fruit", "column": "left", "gold": "A"} for k in range(4)]
    result = compare({"x": write_run(tmp_path, {"qa": found})})
    assert [item.id for item in result.items] == ["qa/0", "qa/1", "qa/2", "qa/3"]
    assert result.columns == ("qa",)


def test_the_metric_and_the_cluster_can_be_chosen(tmp_path: Path) -> None:
    found = [{**row(k, 1), "f1": 0.5, "scene": "s"} for k in range(4)]
    folder = {"x": write_run(tmp_path, {"qa": found})}
    result = compare(folder, Options(metric="f1", cluster="scene"))
    figure = result.figure("x", "all")
    assert figure is not None
    assert (figure.score, figure.clusters) == (0.5, 1)
    assert "task qa: metric bleu does not give every document a number" in refusal(
        folder, Options(metric="bleu")
    )
    assert "has no such key" in refusal(folder, Options(cluster="nothing"))
