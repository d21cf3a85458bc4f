"""`aurelia distil`, `aurelia traces` and `aurelia data annotate`, as users call them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from aurelia_plugin.benchmark.data.home import dataset_kwargs
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items, write_items
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.cli import main
from aurelia_plugin.commands import distil as module
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.harness import tasks as harness_tasks
from aurelia_plugin.model_wrappers.run.distil import DistilRun
from aurelia_plugin.registration import tasks_path
from aurelia_plugin.running.distilling import Shard
from aurelia_plugin.traces.store import TraceStore

TASK = "avreasonbench_mini_geoiq"
LIMIT = 6
AGENTS = """\
- contains: 'How well does'
  reply: '{"score": 8, "feedback": "fine"}'
- reply: '{"steps": ["Look.", "Listen."], "answers": ["a", "b"], "final_answer": "c", "score": 8}'
"""


@pytest.fixture(autouse=True)
def _log_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "quiet_harness", lambda: None)


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "agents.yaml"
    path.write_text(AGENTS)
    return f"scripted:{path}"


def distil(folder: Path, script: str, *more: str, settings: str = "") -> int:
    given = f"agents={script},traces={folder}{settings}"
    return main(["distil", "--tasks", TASK, "--limit", str(LIMIT), "--model_args", given, *more])


def traces(folder: Path) -> dict[str, Any]:
    return {trace.key: trace for trace in TraceStore(folder, writable=False).traces()}


def record(folder: Path) -> dict[str, Any]:
    latest = max((folder / "runs").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, Any] = json.loads(latest.read_text())
    return found


def test_a_later_run_of_the_harness_makes_no_agent_call(tmp_path: Path, script: str) -> None:
    folder = tmp_path / "traces"
    assert distil(folder, script) == 0
    assert record(folder)["n"] == record(folder)["accepted"] == LIMIT
    target = tmp_path / "target.yaml"
    target.write_text("- reply: 'Answer: A'\n")
    simple_evaluate(
        model="aurelia",
        model_args=f"target=scripted:{target},agents={script},traces={folder}",
        tasks=[TASK],
        limit=LIMIT,
        task_manager=TaskManager(include_path=str(tasks_path()), include_defaults=False),
    )
    later = record(folder)
    assert later["condition"] == "aurelia"
    assert later["n"] == later["accepted"] == LIMIT
    assert sum(later["calls"].values()) == sum(later["calls_reused"].values()) == 0


def test_a_second_start_repeats_nothing_and_a_failed_question_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, path = tmp_path / "traces", tmp_path / "agents.yaml"
    path.write_text("- contains: 'caption'\n  error: 'down'\n" + AGENTS)
    assert distil(folder, f"scripted:{path}") == 1
    assert "6 failed" in capsys.readouterr().out
    path.write_text(AGENTS)
    assert distil(folder, f"scripted:{path}") == 0
    assert distil(folder, f"scripted:{path}", "--json") == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sum(last["calls"].values()) == 0
    assert last["accepted"] == LIMIT


def test_shards_make_every_trace_once(tmp_path: Path, script: str) -> None:
    whole, parts = tmp_path / "whole", [tmp_path / f"part{n}" for n in range(4)]
    assert distil(whole, script) == 0
    for number, folder in enumerate(parts):
        assert distil(folder, script, "--shard", f"{number}/4") == 0
    assert sum(len(traces(folder)) for folder in parts) == len(traces(whole)) == LIMIT
    assert {key for folder in parts for key in traces(folder)} == set(traces(whole))


@pytest.mark.parametrize("count", [1, 3, 7, 20])
@pytest.mark.parametrize("first", [0, 1])
def test_shares_partition_exactly_however_they_are_counted(count: int, first: int) -> None:
    shares = [Shard.parse(f"{index}/{count}") for index in range(first, first + count)]
    seen = Counter(item for share in shares for item in share.of(range(17)))
    assert seen == dict.fromkeys(range(17), 1)


@pytest.mark.parametrize("text", ["5/4", "1", "a/b", "0/0", "-1/4", "1/4/2"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--shard"):
        Shard.parse(text)


def test_an_estimate_keeps_its_sample(
    tmp_path: Path, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "traces"
    assert distil(folder, script, "--dry-run", "2") == 0
    assert "6 questions, estimated from 2" in capsys.readouterr().out
    assert len(traces(folder)) == 2


def test_a_budget_ends_the_run_before_it_is_passed(
    tmp_path: Path, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "traces"
    assert distil(folder, script, settings=",max_calls=7") == 1
    assert "over budget" in capsys.readouterr().out
    assert sum(record(folder)["calls"].values()) <= 7
    assert record(folder)["n"] == LIMIT


def test_a_target_is_checked_and_not_loaded(tmp_path: Path, script: str) -> None:
    given = {"agents": script, "traces": str(tmp_path / "t")}
    run = DistilRun("aurelia", {**given, "target": "transformers:no/such-model"})
    assert set(run.plan.roles.values()) == {run.roles["reasoner"].identity}
    with pytest.raises(ConfigError, match="colour"):
        DistilRun("aurelia", {**given, "target": "transformers:no/such-model", "colour": "red"})
    with pytest.raises(ConfigError, match="treshold"):
        DistilRun("aurelia", {**given, "treshold": 7})
    with pytest.raises(ConfigError, match="no target is set"):
        DistilRun("aurelia", {"traces": str(tmp_path / "t")})
    with pytest.raises(ConfigError, match="not a model of this plugin"):
        DistilRun("qwen2_5_omni", given)


@pytest.mark.parametrize("more", [["--to", "X"], ["--workers", "3"]])
def test_what_only_ray_takes_is_not_passed_over(
    tmp_path: Path, script: str, capsys: Any, more: list[str]
) -> None:
    given = f"agents=scripted:{script},traces={tmp_path}"
    command = ["distil", "--tasks", "avreasonbench_mini_geoiq", "--model_args", given, *more]
    assert main(command) == 1
    assert f"{' '.join(more)} is for --engine ray." in capsys.readouterr().err


def test_an_unknown_task_is_named(tmp_path: Path, script: str, capsys: Any) -> None:
    given = f"agents={script},traces={tmp_path / 't'}"
    assert main(["distil", "--tasks", "no_such_task", "--model_args", given]) == 1
    assert "no_such_task" in capsys.readouterr().err


def test_every_bad_file_is_named(
    tmp_path: Path, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "traces"
    assert distil(folder, script) == 0
    assert main(["traces", "check", str(folder)]) == 0
    files = sorted((folder / "traces").glob("*/*.json"))
    files[0].write_text("{")
    files[1].write_text(files[1].read_text().replace('"score": 8', '"score": 2'))
    moved = folder / "traces" / "zz" / files[2].name
    moved.parent.mkdir()
    files[2].rename(moved)
    other = folder / "traces" / "00" / f"00{'1' * 62}.json"
    other.parent.mkdir(exist_ok=True)
    other.write_text(files[3].read_text())
    outside = tmp_path / "secret.json"
    outside.write_text("{}")
    link = folder / "traces" / "ff" / f"ff{'1' * 62}.json"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    call = next((folder / "calls").glob("*/*.json"))
    call.write_text('{"text": 3}')
    capsys.readouterr()
    assert main(["traces", "check", str(folder)]) == 1
    said = capsys.readouterr().out
    for bad in (files[0], files[1], moved, other, link, call):
        assert str(bad) in said
    assert "not good: 6 bad files" in said
    assert str(files[4]) not in said


def test_merging_is_idempotent_and_never_unmakes(tmp_path: Path, script: str) -> None:
    good, bad, whole = tmp_path / "good", tmp_path / "bad", tmp_path / "whole"
    assert distil(good, script) == 0
    shutil.copytree(good, bad)
    for path in (bad / "traces").glob("*/*.json"):
        failed = json.loads(path.read_text())
        failed.update(stop="failed", error="down", iterations=[], best=None)
        path.write_text(json.dumps(failed))
    # Whatever the order, the finished ones win; and a failed one comes in where there is nothing.
    assert main(["traces", "merge", str(bad), "--to", str(whole)]) == 0
    assert traces(whole) == {}
    assert main(["traces", "merge", str(good), "--to", str(whole)]) == 0
    finished = traces(whole)
    assert finished == traces(good)
    before = {path: path.read_bytes() for path in whole.rglob("*.json")}
    assert main(["traces", "merge", str(bad), str(good), "--to", str(whole)]) == 0
    assert {path: path.read_bytes() for path in whole.rglob("*.json")} == before


def test_parquet_there_and_back_and_as_precomputed_steps(
    tmp_path: Path, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from aurelia_plugin.reasoning.injection import Reasoning
    from aurelia_plugin.traces.precomputed import open_precomputed

    folder, table, back = (tmp_path / name for name in ("traces", "table", "back"))
    assert distil(folder, script) == 0
    for _ in range(2):  # a second push replaces the first
        assert main(["traces", "push", str(folder), str(table)]) == 0
    assert [path.name for path in table.iterdir()] == ["traces-00000-of-00001.parquet"]
    assert str(tmp_path).encode() not in next(table.iterdir()).read_bytes()
    for _ in range(2):
        assert main(["traces", "pull", str(table), "--to", str(back)]) == 0
    assert "0 traces and 0 calls added" in capsys.readouterr().out
    assert traces(back).keys() == traces(folder).keys()
    source = harness_tasks.load_sources([TASK], "aurelia", limit=1)[0]
    for place in (folder, table):
        found = open_precomputed(str(place))(source())
        assert found == Reasoning(("Look.", "Listen."), ("a", "b"))


def test_a_row_that_lies_is_left_out(tmp_path: Path, script: str, capsys: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder, table, back = (tmp_path / name for name in ("traces", "table", "back"))
    assert distil(folder, script) == 0
    assert main(["traces", "push", str(folder), str(table)]) == 0
    file = next(table.glob("*.parquet"))
    rows = pq.read_table(file).to_pylist()
    rows[0]["key"] = "../../outside"
    rows[1]["trace"] = "{"
    pq.write_table(pa.Table.from_pylist(rows), file)
    assert main(["traces", "pull", str(table), "--to", str(back)]) == 1
    said = capsys.readouterr().out
    assert "row 0" in said
    assert "row 1" in said
    assert len(traces(back)) == LIMIT - 2


def test_a_manifest_is_annotated_with_provenance_and_people_keep_their_steps(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from aurelia_plugin.benchmark.data.home import AUTHORS

    home = tmp_path / "home"
    home.mkdir()
    write_mp4(home / "a.mp4", np.zeros((8, 32, 32, 3), np.uint8), np.zeros(16_000, np.float32))
    common = {
        "column": "avsd",
        "category": "Dynamic scene",
        "answer": "yes",
        "video": "a.mp4",
        "source": {"dataset": "made by hand", "id": "1"},
    }
    own = {"reasoning_steps": ["Mine."]}
    items = [
        Item.model_validate({"id": "1", "question": "Does it ring?", **common}),
        Item.model_validate({"id": "2", "question": "Is it red?", **common, **own}),
    ]
    write_items(home / MANIFEST, items)
    command = ["data", "annotate", str(home), "--model_args"]
    folder = tmp_path / "traces"
    assert main([*command, f"agents={script},traces={folder}"]) == 0
    one, two = read_items(home / MANIFEST)
    (trace,) = traces(folder).values()
    assert (one.reasoning_steps, one.step_answers) == (("Look.", "Listen."), ("a", "b"))
    assert one.reasoning_source is not None
    assert one.reasoning_source.model_dump() == {
        "score": 8,
        "threshold": 6,
        "iterations": 1,
        "trace": trace.key,
        **trace.roles,
        "prompts_digest": trace.prompts_digest,
        "leak": "clean",
    }
    assert two == items[1]
    assert main([*command, f"agents={script},traces={folder}"]) == 0
    assert sum(record(folder)["calls"].values()) == 0
    assert list(read_items(home / MANIFEST)) == [one, two]
    assert main([*command, f"agents={script},traces={folder}", "--replace"]) == 0
    assert all(item.reasoning_source for item in read_items(home / MANIFEST))

    monkeypatch.setenv("AVREASONBENCH_HOME", str(home))
    import datasets

    from aurelia_plugin.benchmark.data.table import item_of_row

    rows = datasets.load_dataset("json", split="avsd", **dataset_kwargs(AUTHORS))
    assert [item_of_row(row) for row in rows] == list(read_items(home / MANIFEST))
    # The traces are those of the benchmark's own task.
    sources = harness_tasks.load_sources(["avreasonbench_avsd"], "aurelia")
    assert {source().key for source in sources} == {
        found.question_key for found in traces(folder).values()
    }


def test_steps_that_were_not_accepted_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text(AGENTS.replace("8", "2"))
    home = tmp_path / "home"
    home.mkdir()
    item = Item.model_validate(
        {
            "id": "1",
            "column": "avsd",
            "category": "Dynamic scene",
            "question": "Does it ring?",
            "answer": "yes",
            "source": {"dataset": "made by hand", "id": "1"},
        }
    )
    write_items(home / MANIFEST, [item])
    given = f"agents=scripted:{path},traces={tmp_path / 't'}"
    assert main(["data", "annotate", str(home), "--model_args", given]) == 0
    assert list(read_items(home / MANIFEST)) == [item]


def test_what_the_budget_did_not_let_begin_is_not_shown_as_failed(
    tmp_path: Path, script: str
) -> None:
    run = DistilRun("aurelia", {"agents": script, "traces": str(tmp_path / "t")})
    bar = module.DistilBar(4, run)
    for made in ("over_budget", "over_budget", "unreadable"):
        bar.done(made)
    bar.close()
    assert bar.state().endswith("1 failed, 2 over_budget")
