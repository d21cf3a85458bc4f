"""Folders of strangers: what is bad counts as not there, is named once, and is copied nowhere."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from making import question, trace
from pydantic import JsonValue

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.cli import main
from aurelia_plugin.errors import StoreError
from aurelia_plugin.reasoning.injection import Reasoning
from aurelia_plugin.reasoning.trace import Iteration, Trace
from aurelia_plugin.traces import records
from aurelia_plugin.traces.integrity import check_traces
from aurelia_plugin.traces.merging import merge_folders
from aurelia_plugin.traces.precomputed import open_precomputed
from aurelia_plugin.traces.store import TraceStore

ASKED = question("Who rings?", id="q/0")
GOOD = trace("aa1", Iteration(steps=("Look.",), score=7), question_key=ASKED.key)
BAD = trace("ab1", Iteration(steps=("Lie.",), score=7), question_key="other")

Damage = Callable[[Path], object]


def _fields(**changes: JsonValue) -> Damage:
    def write(path: Path) -> None:
        path.write_text(json.dumps({**BAD.model_dump(mode="json"), **changes}))

    return write


def _text(old: str, new: str) -> Damage:
    def write(path: Path) -> None:
        text = BAD.model_dump_json()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return write


def _bytes(content: bytes) -> Damage:
    return lambda path: path.write_bytes(content)


def _socket(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's whole path may have 100 characters
    try:
        listener.bind(path.name)
    finally:
        os.chdir(here)


def _outside(path: Path) -> Path:
    return path.parents[3] / "outside.json"


def _linked(path: Path) -> None:
    _outside(path).write_text(BAD.model_dump_json())
    path.symlink_to(_outside(path))


def _two_links(path: Path) -> None:
    path.symlink_to(path.with_name("ab2.json"))
    path.with_name("ab2.json").symlink_to(path)


def _iteration(**changes: JsonValue) -> list[JsonValue]:
    return [{"steps": ["Lie."], "score": 7, **changes}]


DAMAGE: dict[str, Damage] = {
    "best out of range": _fields(best=7),
    "best below zero": _fields(best=-1),
    "best of none": _fields(iterations=[], stop="exhausted"),
    "no best": _fields(best=None),
    "accepted without score": _fields(iterations=_iteration(score=2)),
    "no iteration allowed": _fields(max_iterations=0),
    "too many iterations": _fields(max_iterations=1, iterations=2 * _iteration()),
    "threshold out of range": _fields(threshold=99),
    "score out of range": _fields(iterations=_iteration(score=11)),
    "score is a truth value": _fields(iterations=_iteration(score=True)),
    "score is a float": _fields(iterations=_iteration(score=7.0)),
    "number in quotes": _fields(threshold="6"),
    "steps are one text": _fields(iterations=_iteration(steps="Lie.")),
    "steps are nested": _fields(iterations=_iteration(steps=[["Lie."]])),
    "step is null": _fields(iterations=_iteration(steps=[None])),
    "another version": _fields(schema_version=2),
    "another key": _fields(key="ab9"),
    "unknown stop": _fields(stop="bribed"),
    "unknown field": _fields(extra=1),
    "missing field": _text('"question_key":"other",', ""),
    "key twice": _text('"best":0', '"best":0,"best":0'),
    "nested key twice": _text('"score":7', '"score":2,"score":7'),
    "NaN": _text('"seed":0', '"seed":NaN'),
    "infinity": _text('"seed":0', '"seed":1e999'),
    "long number": _text('"seed":0', '"seed":' + "9" * 5_000),
    "lone surrogate": _text('"Lie."', '"\\ud800"'),
    "cut": _bytes(BAD.model_dump_json().encode()[:-20]),
    "empty": _bytes(b""),
    "NUL": _bytes(b"\0" * 100),
    "UTF-16": _bytes(BAD.model_dump_json().encode("utf-16")),
    "a list": _bytes(b"[]"),
    "deep": _bytes(b'{"key": ' + b"[" * 100_000),
    "deep and closed": _bytes(b'{"key": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _socket,
    "a folder": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link out": _linked,
    "a link to itself": lambda path: path.symlink_to(path),
    "links in a circle": _two_links,
}


@pytest.fixture(params=DAMAGE)
def stranger(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A traces folder with one good trace and one bad one."""
    folder = tmp_path / "stranger"
    store = TraceStore(folder)
    store.put_trace(GOOD)
    place = folder / "traces" / "ab" / "ab1.json"
    place.parent.mkdir()
    DAMAGE[request.param](place)
    return folder


def _of_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_it_counts_as_not_there_and_is_named_once(
    stranger: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            store = TraceStore(stranger, writable=False)
            for _ in range(2):
                assert list(store.traces()) == [GOOD]
                assert store.trace("ab1") is None
                assert [found.key for found in store.sample()] == ["aa1"]
        assert open_precomputed(str(stranger))(ASKED) == Reasoning(("Look.",))
    said = [text for text in _of_warnings(caplog) if "ab1.json" in text]
    assert len(said) == 1, said


def test_a_run_puts_it_aside_and_makes_it_again(
    stranger: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = TraceStore(stranger)
    with caplog.at_level(logging.WARNING):
        assert store.trace("ab1") is None
    assert len(_of_warnings(caplog)) == 1
    store.put_trace(BAD)
    assert store.trace("ab1") == BAD
    assert os.path.lexists(stranger / "traces" / "ab" / "ab1.unreadable")


def test_check_names_it(stranger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["traces", "check", str(stranger)]) == 1
    said = capsys.readouterr().out
    assert "ab1.json" in said
    assert "traces: 1 accepted" in said
    assert max(map(len, said.splitlines())) < 600


def test_merge_leaves_it_out(
    stranger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["traces", "merge", str(stranger), "--to", str(tmp_path / "to")]) == 1
    assert "ab1.json" in capsys.readouterr().out
    assert [found.key for found in TraceStore(tmp_path / "to").traces()] == ["aa1"]
    names = [path.name for path in (tmp_path / "to").rglob("*") if not path.is_dir()]
    assert names == ["aa1.json"]


@pytest.mark.parametrize("kind", ["calls", "votes"])
def test_calls_and_votes_are_checked_alike(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = TraceStore(tmp_path)
    good = Reply(text="a")
    store.put_call("cc1", good)
    for name, content in (("cd1", '{"text": 1}'), ("cd2", '{"key": "cd2", "key": "cd2"}')):
        place = tmp_path / kind / name[:2] / f"{name}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(content)
        assert store.call(name) is None or kind == "votes"
        assert store.vote(name, Trace) is None
        place.write_text(content)
    assert main(["traces", "check", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "cd1.json" in said
    assert "cd2.json: the key 'key' comes twice" in said or kind == "calls"


def _linked_run(folder: Path, outside: Path) -> None:
    outside.write_text('{"secret": 1}')
    (folder / "runs" / "r.json").symlink_to(outside)


def _linked_items(folder: Path, outside: Path) -> None:
    outside.write_text('{"id": "secret"}\n')
    (folder / "runs" / "r.json").write_text("{}")
    (folder / "runs" / "r.items.jsonl").symlink_to(outside)


def _linked_runs(folder: Path, outside: Path) -> None:
    outside.mkdir()
    (outside / "r.json").write_text('{"secret": 1}')
    (folder / "runs").rmdir()
    (folder / "runs").symlink_to(outside)


def _linked_shard(folder: Path, outside: Path) -> None:
    outside.mkdir()
    (outside / "ab1.json").write_text(BAD.model_dump_json())
    (folder / "traces" / "ab").symlink_to(outside)


def _linked_kind(folder: Path, outside: Path) -> None:
    (outside / "ab").mkdir(parents=True)
    (outside / "ab" / "ab1.json").write_text(BAD.model_dump_json())
    (folder / "votes").rmdir()
    (folder / "votes").symlink_to(outside)


@pytest.mark.parametrize(
    "link", [_linked_run, _linked_items, _linked_runs, _linked_shard, _linked_kind]
)
def test_merge_never_copies_what_a_link_points_to_outside(
    link: Callable[[Path, Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, outside, to = (tmp_path / name for name in ("stranger", "outside", "to"))
    TraceStore(folder).put_trace(GOOD)
    link(folder, outside)
    before = sorted(tmp_path.rglob("*"))
    assert main(["traces", "check", str(folder)]) == 1
    assert "leads out of the folder" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before
    assert main(["traces", "merge", str(folder), "--to", str(to)]) == 1
    assert "leads out of the folder" in capsys.readouterr().out
    contents = b"".join(path.read_bytes() for path in to.rglob("*") if path.is_file())
    assert b"secret" not in contents
    assert b"Lie" not in contents
    assert TraceStore(to).trace("aa1") == GOOD


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.json", b"{"),
        ("r.json", b"[]"),
        ("r.json", b'{"a": NaN}'),
        ("r.json", b'{"a": 1, "a": 2}'),
        ("r.json", b"[" * 100_000),
        ("r.items.jsonl", b'{"id": "a"}\n{'),
        ("r.items.jsonl", b'{"id": "a"}\n{"steps": []}'),
        ("r.items.jsonl", b'{"id": "a"}\n{"id": 1}'),
        ("r.items.jsonl", b'{"id": "a"}\n\xff'),
        ("r.items.jsonl", b'{"id": "a"}\n\0'),
    ],
)
def test_bad_records_of_runs_are_named_and_left_out(
    name: str, content: bytes, tmp_path: Path
) -> None:
    folder = tmp_path / "stranger"
    TraceStore(folder)
    (folder / "runs" / "r.json").write_text("{}")
    (folder / "runs" / name).write_bytes(content)
    (fault,) = check_traces(folder).faults
    assert fault.path.name == name
    assert "line 2" in fault.cause or name == "r.json"
    merged = merge_folders([folder], tmp_path / "to")
    assert [found.path.name for found in merged.faults] == [name]
    assert not (tmp_path / "to" / "runs" / name).exists()


def test_records_of_runs_are_merged_with_their_questions(tmp_path: Path) -> None:
    folder, to = tmp_path / "own", tmp_path / "to"
    for place, turn in ((folder, 1), (to, 2)):
        store = TraceStore(place)
        store.put_items(store.put_run("r", {"turn": turn}), [{"id": f"q/{turn}"}])
    for _ in range(2):
        assert merge_folders([folder], to).faults == []
    names = sorted(path.name for path in (to / "runs").iterdir())
    assert len(names) == 4
    for record in (to / "runs").glob("*.json"):
        turn = json.loads(record.read_text())["turn"]
        (line,) = record.with_suffix(".items.jsonl").read_text().splitlines()
        assert json.loads(line)["id"] == f"q/{turn}"


def test_votes_are_merged(tmp_path: Path) -> None:
    folder, to = tmp_path / "own", tmp_path / "to"
    TraceStore(folder).put_vote(
        "ee1", records.KeyedVote.model_validate({"key": "ee1", "chosen": 2})
    )
    for count in (1, 0):
        assert merge_folders([folder], to).counts["votes"] == count
    assert json.loads((to / "votes/ee/ee1.json").read_text()) == {"key": "ee1", "chosen": 2}


def test_links_within_the_data_set_of_a_hub_cache_are_followed(tmp_path: Path) -> None:
    cache = tmp_path / "datasets--x--y"
    snapshot = cache / "snapshots" / "abc"
    (snapshot / "traces" / "aa").mkdir(parents=True)
    (cache / "blobs").mkdir()
    (cache / "blobs" / "1").write_text(GOOD.model_dump_json())
    (snapshot / "traces" / "aa" / "aa1.json").symlink_to("../../../../blobs/1")
    (snapshot / "runs").mkdir()
    (cache / "blobs" / "2").write_text("{}")
    (snapshot / "runs" / "r.json").symlink_to("../../../blobs/2")
    assert check_traces(snapshot).good
    assert check_traces(snapshot).runs == 1
    assert TraceStore(snapshot, writable=False).trace("aa1") == GOOD
    assert merge_folders([snapshot], tmp_path / "to").counts["traces"] == 1


def test_what_is_wrong_with_the_machine_is_not_blamed_on_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TraceStore(tmp_path).put_trace(GOOD)

    def broken(path: Path, limit: int) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(records, "read_regular", broken)
    with pytest.raises(StoreError, match="Input/output error"):
        TraceStore(tmp_path).trace("aa1")
    assert (tmp_path / "traces" / "aa" / "aa1.json").exists()


def test_a_file_that_may_not_be_read_is_not_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TraceStore(tmp_path).put_trace(GOOD)

    def refused(path: Path, limit: int) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(records, "read_regular", refused)
    assert TraceStore(tmp_path).trace("aa1") is None
    assert (tmp_path / "traces" / "aa" / "aa1.json").exists()


def test_a_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TraceStore(tmp_path).put_trace(GOOD)
    monkeypatch.setattr(records, "MOST_BYTES", 100)
    (fault,) = check_traces(tmp_path).faults
    assert "larger than" in fault.cause


@pytest.mark.parametrize("name", ["x.json", "aa1.txt", "ab/cd/ab1.json", "a b.json", "ab1.JSON"])
def test_strays_are_named(name: str, tmp_path: Path) -> None:
    TraceStore(tmp_path).put_trace(GOOD)
    place = tmp_path / "traces" / "ab" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(BAD.model_dump_json())
    assert len(check_traces(tmp_path).faults) == 1
    assert list(TraceStore(tmp_path, writable=False).traces()) == [GOOD]
