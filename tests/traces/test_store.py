from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from making import trace

from aurelia_plugin.calling.backend import Evidence, Reply, Usage
from aurelia_plugin.errors import StoreError
from aurelia_plugin.reasoning.trace import Iteration
from aurelia_plugin.traces.store import TraceStore

DONE = trace("ab12", Iteration(steps=("Look.",), score=7))
FAILED = trace("ab12", stop="failed", error="it is down")


def _files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_was_put_is_found_by_another_process_of_the_folder(tmp_path: Path) -> None:
    reply = Reply(
        text="a\nb", usage=Usage(input_tokens=3), evidence=Evidence(dropped=("x",)), model="m"
    )
    store = TraceStore(tmp_path)
    store.put_trace(DONE)
    store.put_call("cd34", reply)
    other = TraceStore(tmp_path)
    assert (other.trace("ab12"), other.call("cd34")) == (DONE, reply)
    assert (other.trace("ab13"), other.call("ab12")) == (None, None)
    assert _files(tmp_path) == {"traces/ab/ab12.json", "calls/cd/cd34.json"}, "nothing half-written"


def test_a_failed_trace_is_kept_for_reading_and_never_replaces_a_finished_one(
    tmp_path: Path,
) -> None:
    store = TraceStore(tmp_path)
    store.put_trace(FAILED)
    assert store.trace("ab12") is None
    assert list(store.traces()) == []
    assert "it is down" in (tmp_path / "traces/ab/ab12.json").read_text()
    store.put_trace(DONE)
    store.put_trace(FAILED)
    assert store.trace("ab12") == DONE


def test_traces_come_in_the_order_of_their_keys(tmp_path: Path) -> None:
    store = TraceStore(tmp_path)
    for key in ("ff", "0a", "ab2", "ab1"):
        store.put_trace(trace(key, Iteration(steps=("a",))))
    assert [t.key for t in store.traces()] == ["0a", "ab1", "ab2", "ff"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema_version": 1}'])
def test_a_damaged_file_is_put_aside_and_made_again(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = TraceStore(tmp_path)
    store.put_trace(DONE)
    place = tmp_path / "traces/ab/ab12.json"
    place.write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        assert store.trace("ab12") is None
    assert "ab12.unreadable" in caplog.text
    assert place.with_suffix(".unreadable").read_bytes() == damage
    store.put_trace(DONE)
    assert store.trace("ab12") == DONE


def test_two_processes_may_put_the_same_damaged_file_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TraceStore(tmp_path)
    store.put_call("cd34", Reply(text="a"))
    (tmp_path / "calls/cd/cd34.json").write_text("{")
    replace = Path.replace

    def too_late(self: Path, target: Path) -> None:
        replace(self, target)
        replace(self, target)

    monkeypatch.setattr(Path, "replace", too_late)
    assert store.call("cd34") is None


def test_two_processes_write_the_same_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from aurelia_plugin.calling.backend import Reply\n"
        "from aurelia_plugin.traces.store import TraceStore\n"
        "store = TraceStore(Path(sys.argv[1]))\n"
        "for turn in range(200):\n"
        "    store.put_call('cd34', Reply(text=sys.argv[2] * 20000))\n"
        "    assert len(set(store.call('cd34').text)) == 1\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), letter], cwd=Path(__file__).parents[2]
        )
        for letter in "ab"
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    assert _files(tmp_path) == {"calls/cd/cd34.json"}


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError) as caught:
            TraceStore(folder)
        assert str(folder) in caught.value.what
        assert str(caught.value).endswith("\nSet traces=DIR to a folder that can be written to.")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_read_only_folder_says_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(StoreError, match="traces=DIR"):
        TraceStore(tmp_path)


def test_a_full_disk_says_what_to_do_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TraceStore(tmp_path)
    store.put_trace(DONE)
    before = (tmp_path / "traces/ab/ab12.json").read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StoreError, match="No space left on device") as caught:
        store.put_trace(trace("ab12", Iteration(steps=("other",))))
    assert "start the same command again" in caught.value.fix
    assert _files(tmp_path) == {"traces/ab/ab12.json"}
    assert (tmp_path / "traces/ab/ab12.json").read_bytes() == before


def test_a_folder_in_the_place_of_a_file_gives_way(tmp_path: Path) -> None:
    store = TraceStore(tmp_path)
    for number in range(2):
        (tmp_path / "calls/cd/cd34.json/below").mkdir(parents=True)
        assert number or store.call("cd34") is None
        store.put_call("cd34", Reply(text="a"))
        assert store.call("cd34") == Reply(text="a")
        (tmp_path / "calls/cd/cd34.json").unlink()
    assert len(list((tmp_path / "calls/cd").glob("*.unreadable/below"))) == 2


@pytest.mark.parametrize("kind", ["file", "link out", "link to nothing"])
def test_what_stands_in_the_place_of_a_folder_gives_way(tmp_path: Path, kind: str) -> None:
    store = TraceStore(tmp_path / "own")
    outside = tmp_path / "outside"
    outside.mkdir()
    place = tmp_path / "own" / "traces" / "ab"
    if kind == "file":
        place.write_text("x")
    else:
        place.symlink_to(outside if kind == "link out" else tmp_path / "nothing")
    store.put_trace(DONE)
    assert store.trace("ab12") == DONE
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "nothing").exists()


def test_a_kind_of_record_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "own" / "traces").symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="leads out of the folder"):
        TraceStore(tmp_path / "own")


def test_files_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        TraceStore(tmp_path).put_trace(DONE)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "traces/ab/ab12.json").stat().st_mode) == 0o644


def test_a_runs_record_never_replaces_another(tmp_path: Path) -> None:
    store = TraceStore(tmp_path)
    paths = [store.put_run("20260101T000000Z_a/b c", {"turn": turn, "ä": "ß"}) for turn in range(3)]
    assert [path.name for path in paths] == [
        "20260101T000000Z_a-b-c.json",
        "20260101T000000Z_a-b-c-1.json",
        "20260101T000000Z_a-b-c-2.json",
    ]
    assert [json.loads(path.read_text())["turn"] for path in paths] == [0, 1, 2]
    assert "ß" in paths[0].read_text(encoding="utf-8")


def test_what_became_of_each_question_lies_beside_the_record(tmp_path: Path) -> None:
    store = TraceStore(tmp_path)
    record = store.put_run("20260101T000000Z_none", {"n": 2})
    path = store.put_items(record, [{"id": "a", "steps": ["ß"]}, {"id": "b"}])
    assert path.name == "20260101T000000Z_none.items.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a", "b"]


def test_a_trace_under_anothers_name_is_not_served(tmp_path: Path) -> None:
    store = TraceStore(tmp_path)
    store.put_trace(trace("aa1"))
    place = tmp_path / "traces" / "aa"
    (place / "aa1.json").rename(place / "aa2.json")
    assert store.trace("aa2") is None
    assert (place / "aa2.unreadable").exists()


@pytest.mark.parametrize("key", ["../../outside", "a/b", "", "a\\b", "..", "a.json"])
def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path, key: str) -> None:
    store = TraceStore(tmp_path / "traces")
    with pytest.raises(StoreError, match="is not a key"):
        store.put_trace(trace(key))
    with pytest.raises(StoreError, match="is not a key"):
        store.call(key)


def test_a_folder_that_is_only_read_stays_as_it_is(tmp_path: Path) -> None:
    TraceStore(tmp_path).put_trace(trace("aa1"))
    damaged = tmp_path / "traces" / "aa" / "aa1.json"
    damaged.write_text("{")
    assert list(TraceStore(tmp_path, writable=False).traces()) == []
    assert damaged.read_text() == "{"


def test_what_a_killed_process_was_about_to_rename_is_no_trace(tmp_path: Path) -> None:
    store = TraceStore(tmp_path)
    store.put_trace(trace("aa1"))
    place = tmp_path / "traces" / "aa"
    (place / ".part-0123.json").write_text('{"key": "aa')
    (place / ".part-4567.json").write_bytes((place / "aa1.json").read_bytes())
    assert [found.key for found in store.traces()] == ["aa1"]
    assert not list(place.glob("*.unreadable"))
