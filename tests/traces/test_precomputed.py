from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from making import question, trace

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.injection import Reasoning
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import Iteration
from aurelia_plugin.traces.precomputed import open_precomputed
from aurelia_plugin.traces.store import TraceStore

ASKED = question("Who rings?", id="q/0")
OTHER = question("Who sings?", id="q/1")


def _stored(folder: Path, key: str, *steps: str, stop: str | None = None) -> None:
    made = Iteration(steps=steps, step_answers=tuple("b" for _ in steps), score=7)
    TraceStore(folder).put_trace(trace(key, made, question_key=ASKED.key, stop=stop))


def test_a_traces_folder(tmp_path: Path) -> None:
    _stored(tmp_path, "k1", "Look.")
    look_up = open_precomputed(str(tmp_path))
    assert look_up(ASKED) == Reasoning(("Look.",), ("b",))
    assert look_up(OTHER) is None


def test_failed_traces_are_not_steps(tmp_path: Path) -> None:
    _stored(tmp_path, "k1", "Look.", stop="failed")
    assert open_precomputed(str(tmp_path))(ASKED) is None


def test_equal_steps_twice_are_fine_and_different_ones_are_not(tmp_path: Path) -> None:
    _stored(tmp_path, "k1", "Look.")
    _stored(tmp_path, "k2", "Look.")
    assert open_precomputed(str(tmp_path))(ASKED) == Reasoning(("Look.",), ("b",))
    _stored(tmp_path, "k3", "Listen.")
    with pytest.raises(ConfigError, match="different steps for one question") as caught:
        open_precomputed(str(tmp_path))
    assert "one configuration" in caught.value.fix


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        (["Look.", " ", "Listen. "], ("Look.", "Listen.")),
        ("Look.\n\n Listen.", ("Look.", "Listen.")),
        ("", None),
        ([], None),
        (None, None),
    ],
)
def test_a_field_of_the_items(value: object, steps: tuple[str, ...] | None) -> None:
    asked = question("Who?", fields={"hints": value})
    assert open_precomputed("field:hints")(asked) == (Reasoning(steps) if steps else None)
    assert open_precomputed("field:other")(asked) is None
    assert open_precomputed("field:hints")(ASKED) is None


def _data_set(folder: Path, *rows: Mapping[str, object]) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"hf:{folder}"


@pytest.fixture(autouse=True)
def _data_sets_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "data sets cache"))


def test_a_data_set(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"question_key": ASKED.key, "steps": ["Look.", "Listen."], "step_answers": ["a", "b"]},
        {"question_key": OTHER.key, "steps": ["Wait."], "step_answers": None},
    ]
    look_up = open_precomputed(_data_set(tmp_path / "data", *rows))
    assert look_up(ASKED) == Reasoning(("Look.", "Listen."), ("a", "b"))
    assert look_up(OTHER) == Reasoning(("Wait.",))
    assert look_up(question("Else?")) is None


def test_a_data_set_with_a_text_of_steps(tmp_path: Path) -> None:
    row = {"question_key": ASKED.key, "steps": "Look.\nListen."}
    look_up = open_precomputed(_data_set(tmp_path / "data", row))
    assert look_up(ASKED) == Reasoning(("Look.", "Listen."))


def test_a_data_set_that_cannot_serve(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lacks question_key, steps"):
        open_precomputed(_data_set(tmp_path / "a", {"id": "a"}))
    rows = [{"question_key": ASKED.key, "steps": [step]} for step in ("Look.", "Listen.")]
    with pytest.raises(ConfigError, match="different steps"):
        open_precomputed(_data_set(tmp_path / "b", *rows))
    (tmp_path / "c").mkdir()
    for name in ("c", "none"):
        with pytest.raises(ConfigError, match=f"precomputed=hf:.*{name}"):
            open_precomputed(f"hf:{tmp_path / name}")


@pytest.mark.parametrize("source", [None, "", "nowhere", "field:", "hf:", "git:abc"])
def test_a_source_that_is_none_says_what_there_is(source: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        open_precomputed(source)
    assert caught.value.fix == "Set precomputed= to a traces folder, hf:DATASET or field:NAME."


def test_a_folder_without_traces_is_not_a_traces_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a traces folder"):
        open_precomputed(str(tmp_path))
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


def _named(folder: Path, asked: Question, *steps: str, threshold: int = 6) -> Path:
    """Store a trace under the key that a run would give it."""
    made = Iteration(steps=steps, score=7)
    plain = trace("k", made, question_key=asked.key, threshold=threshold)
    key = plain.made_by.trace_key(asked.key)
    TraceStore(folder).put_trace(plain.model_copy(update={"key": key}))
    return folder / "traces" / key[:2] / f"{key}.json"


def _many(folder: Path, count: int) -> list[Question]:
    asked = [question(f"Who sings song {number}?", id=f"q/{number}") for number in range(count)]
    for each in asked:
        _named(folder, each, f"Look at {each.text}")
    return asked


def test_a_folder_of_one_configuration_is_opened_without_reading_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _many(tmp_path, 700)
    read: list[Path] = []
    real = TraceStore._read

    def noted(self: TraceStore, path: Path, *form: Any) -> Any:
        read.append(path)
        return real(self, path, *form)

    monkeypatch.setattr(TraceStore, "_read", noted)
    look_up = open_precomputed(str(tmp_path))
    assert len(read) <= 64
    read.clear()
    for each in asked[::70]:
        assert look_up(each) == Reasoning((f"Look at {each.text}",), ())
    assert len(read) == 10


def test_a_question_without_a_trace_of_that_name_is_looked_for_everywhere(tmp_path: Path) -> None:
    asked = _many(tmp_path, 3)
    look_up = open_precomputed(str(tmp_path))
    assert look_up(ASKED) is None
    late = open_precomputed(str(tmp_path))
    _named(tmp_path, ASKED, "Look again.", threshold=9)
    assert late(ASKED) == Reasoning(("Look again.",), ())
    assert late(asked[0]) == Reasoning((f"Look at {asked[0].text}",), ())


def test_two_configurations_that_disagree_are_still_refused(tmp_path: Path) -> None:
    _named(tmp_path, ASKED, "Look.")
    _named(tmp_path, ASKED, "Listen.", threshold=9)
    with pytest.raises(ConfigError, match="different steps for one question"):
        open_precomputed(str(tmp_path))


def _table(folder: Path, **columns: list[object]) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / "table.parquet")
    return str(folder)


@pytest.mark.parametrize(
    ("columns", "where"),
    [
        ({"steps": [["a"], None]}, None),
        ({"steps": [["a"], ["b", None]]}, "row 1: steps"),
        ({"steps": [["a"], ["b\0"]]}, "row 1: steps"),
        ({"steps": [[["a"]], [["b"]]]}, "row 0: steps"),
        ({"steps": [[1.0], [float("nan")]]}, "row 0: steps"),
        ({"steps": [float("nan"), 2.0]}, "row 0: steps"),
        ({"steps": [{"a": "b"}, {"a": "c"}]}, "row 0: steps"),
        ({"question_key": ["k", None]}, "row 1: question_key: is missing"),
        ({"question_key": [1, 2]}, "row 0: question_key"),
        ({"step_answers": [["x"], ["x", "y"]]}, "row 1: 1 steps, and 2 answers"),
        ({"step_answers": [["x"], [None]]}, "row 1: step_answers"),
        ({"stop": [1, 2]}, "row 0: stop"),
    ],
)
def test_a_row_that_is_none_is_named_when_the_table_is_opened(
    columns: dict[str, list[object]], where: str | None, tmp_path: Path
) -> None:
    good: dict[str, list[object]] = {"question_key": [ASKED.key, "other"], "steps": [["a"], ["b"]]}
    source = _table(tmp_path / "table", **{**good, **columns})
    if where is None:
        assert open_precomputed(source)(ASKED) == Reasoning(("a",))
        return
    with pytest.raises(ConfigError) as caught:
        open_precomputed(source)
    assert source in caught.value.what
    assert where in caught.value.what
    assert caught.value.fix.startswith("Correct the row")


def test_answers_stay_with_their_steps(tmp_path: Path) -> None:
    source = _table(
        tmp_path / "table",
        question_key=[ASKED.key],
        steps=[["a", " ", "c"]],
        step_answers=["x\ny\nz"],
    )
    assert open_precomputed(source)(ASKED) == Reasoning(("a", "c"), ("x", "z"))


def test_tables_that_are_links_out_or_no_files_are_refused(tmp_path: Path) -> None:
    outside = _table(tmp_path / "outside", question_key=[ASKED.key], steps=[["a"]])
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "t.parquet").symlink_to(Path(outside) / "table.parquet")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "t.parquet")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "t.parquet").write_text("PAR1 it is not")
    for name, what in (("linked", "leads out"), ("pipe", "not a regular"), ("text", "text")):
        with pytest.raises(ConfigError, match=what):
            open_precomputed(str(tmp_path / name))


@pytest.mark.parametrize(
    "value",
    [5, float("nan"), {"a": "b"}, [["a"]], ["a", None], ["a", float("nan")], "a\0", ["\ud800"]],
)
def test_a_field_of_another_form_is_named(value: object) -> None:
    asked = question("Who?", fields={"hints": value}, id="task/test/3")
    with pytest.raises(ConfigError, match="field:hints: task/test/3"):
        open_precomputed("field:hints")(asked)
