"""`aurelia data import`: every question gets its own media, and its own right option."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.benchmark.data.checking import check_folder
from aurelia_plugin.benchmark.data.collecting import MediaFolder, collect
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.benchmark.importing.rows import read_rows
from aurelia_plugin.benchmark.sources.draft import unique_place
from aurelia_plugin.benchmark.synthetic.encode import write_wav
from aurelia_plugin.cli import main
from aurelia_plugin.errors import ConfigError

_ROW = {
    "query": "How high?",
    "answer": "B",
    "options": ["low", "high"],
    "column": "meme",
    "category": "Meme and humor",
}


def _wav(path: Path, hertz: float, seconds: float = 1.0) -> bytes:
    moments = np.arange(round(seconds * 16_000)) / 16_000
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, (0.3 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32))
    return path.read_bytes()


def _import(tmp_path: Path, *rows: Mapping[str, object], media: str = "src") -> int:
    source = tmp_path / "src" / "q.jsonl"
    source.parent.mkdir(exist_ok=True)
    lines = [json.dumps({**_ROW, "id": str(number), **row}) for number, row in enumerate(rows)]
    source.write_text("\n".join(lines))
    arguments = ["data", "import", str(source), "--to", str(tmp_path / "out")]
    return main([*arguments, "--media", str(tmp_path / media)])


def _items(tmp_path: Path) -> list[Item]:
    return list(read_items(tmp_path / "out" / MANIFEST))


def _contents(tmp_path: Path) -> list[list[bytes]]:
    return [
        [(tmp_path / "out" / path).read_bytes() for path in item.media] for item in _items(tmp_path)
    ]


def test_equal_names_in_different_folders_are_different_files(tmp_path: Path) -> None:
    names = [f"{folder}/audio.wav" for folder in "abc"]
    sounds = [_wav(tmp_path / "src" / name, 300 * n) for n, name in enumerate(names, 1)]
    row = {"audio_paths": names, "options": ["Audio 1", "Audio 2", "Audio 3"]}
    assert _import(tmp_path, {**row, "column": "dm_match"}) == 0
    assert _contents(tmp_path) == [sounds]
    assert check_folder(tmp_path / "out").good


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u95ee\u9898\u4e00", "\u95ee\u9898\u4e8c"),
        ("Q", "q"),
        ("caf\u00e9", "cafe\u0301"),
        ("a b", "a_b"),
        ("a/b", "a_b"),
        ("1", "\uff11"),
        ("x" * 300, "x" * 301),
        ("stra\u00dfe", "strasse"),
        ("..", "."),
    ],
)
def test_ids_that_look_alike_have_their_own_files(one: str, other: str, tmp_path: Path) -> None:
    sounds = [_wav(tmp_path / "src" / n / "clip.wav", h) for n, h in (("x", 300), ("y", 600))]
    rows = [{"id": one, "audio_path": "x/clip.wav"}, {"id": other, "audio_path": "y/clip.wav"}]
    assert _import(tmp_path, *rows) == 0
    assert _contents(tmp_path) == [[sounds[0]], [sounds[1]]]
    first, second = (item.media[0] for item in _items(tmp_path))
    assert first.casefold() != second.casefold()
    assert check_folder(tmp_path / "out").good


_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(_ids, _ids, _ids, _ids)
def test_a_place_tells_id_and_name(id_1: str, name_1: str, id_2: str, name_2: str) -> None:
    places = {
        unique_place("c", id_1, name_1).casefold(),
        unique_place("c", id_2, name_2).casefold(),
    }
    assert len(places) == len({(id_1, name_1), (id_2, name_2)})


@pytest.mark.parametrize("name", ["take.2", "abcdefghijk_30.000_40.000", "v1.0.final", ".hidden"])
def test_a_dotted_name_is_a_name(name: str, tmp_path: Path) -> None:
    own = _wav(tmp_path / "src" / f"{name}.wav", 600)
    _wav(tmp_path / "src" / f"{Path(name).stem}.wav", 300)
    own = _wav(tmp_path / "src" / f"{name}.wav", 600)
    assert _import(tmp_path, {"audio_path": name}) == 0
    assert _contents(tmp_path) == [[own]]


def test_a_dotted_name_that_is_not_there_is_missing(tmp_path: Path) -> None:
    _wav(tmp_path / "src" / "take.wav", 300)
    assert _import(tmp_path, {"audio_path": "take.2"}) == 1
    assert (tmp_path / "out" / "missing.txt").read_text() == "take.2\n"


def test_composed_and_decomposed_names_are_found(tmp_path: Path) -> None:
    own = _wav(tmp_path / "src" / "cafe\u0301.wav", 600)
    assert _import(tmp_path, {"audio_path": "caf\u00e9.wav"}) == 0
    assert _contents(tmp_path) == [[own]]


def test_a_replaced_file_is_seen_whatever_its_size(tmp_path: Path) -> None:
    path = tmp_path / "src" / "s.wav"
    _wav(path, 300)
    assert _import(tmp_path, {"audio_path": "s.wav"}) == 0
    status = path.stat()
    new = _wav(tmp_path / "new.wav", 900)
    (tmp_path / "new.wav").replace(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert _import(tmp_path, {"audio_path": "s.wav"}) == 0
    assert _contents(tmp_path) == [[new]]


def test_a_name_that_two_files_have_is_missing_unless_they_are_equal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = _wav(tmp_path / "src" / "x" / "clip.wav", 300)
    _wav(tmp_path / "src" / "y" / "clip.wav", 600)
    with caplog.at_level(logging.WARNING):
        assert _import(tmp_path, {"audio_path": "clip.wav"}) == 1
    assert "could be" in caplog.text
    (tmp_path / "src" / "y" / "clip.wav").write_bytes(one)
    assert _import(tmp_path, {"audio_path": "clip.wav"}) == 0
    assert _contents(tmp_path) == [[one]]
    assert _import(tmp_path, {"audio_path": "/home/me/y/clip.wav"}) == 0, "the folder tells"


def test_a_source_that_is_gone_gives_nobody_anothers_clip(tmp_path: Path) -> None:
    sounds = [_wav(tmp_path / "src" / n / "clip.wav", h) for n, h in (("x", 300), ("y", 600))]
    rows = [{"id": "A", "audio_path": "x/clip.wav"}, {"id": "a", "audio_path": "y/clip.wav"}]
    assert _import(tmp_path, *rows) == 0
    (tmp_path / "empty").mkdir()
    assert _import(tmp_path, rows[1], media="empty") == 0
    assert _contents(tmp_path) == [[sounds[1]]]
    assert _import(tmp_path, {**rows[1], "audio_path": "z/clip.wav"}, media="empty") == 1


def test_links_out_of_the_media_folder_are_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _wav(tmp_path / "outside" / "s.wav", 300)
    _wav(tmp_path / "secret.wav", 300)
    own = _wav(tmp_path / "src" / "own.wav", 600)
    (tmp_path / "src" / "t.wav").symlink_to("own.wav")
    (tmp_path / "src" / "s.wav").symlink_to(tmp_path / "outside" / "s.wav")
    (tmp_path / "src" / "linked").symlink_to(tmp_path / "outside")
    (tmp_path / "src" / "circle").symlink_to(tmp_path / "src")
    (tmp_path / "src" / "self.wav").symlink_to("self.wav")
    os.mkfifo(tmp_path / "src" / "pipe.wav")
    names = ["t.wav", "s.wav", "../secret.wav", str(tmp_path / "secret.wav"), "linked/s.wav"]
    names += ["self.wav", "pipe.wav", "a\0b.wav", "x" * 5_000]
    with caplog.at_level(logging.WARNING):
        assert _import(tmp_path, *({"audio_path": name} for name in names[:7])) == 1
    assert "leads out of the folder" in caplog.text
    assert (tmp_path / "out" / "missing.txt").read_text().splitlines() == names[1:7]
    assert (tmp_path / "out" / _items(tmp_path)[0].media[0]).read_bytes() == own
    assert len(list((tmp_path / "out").rglob("*.wav"))) == 1
    folder = MediaFolder(tmp_path / "src")
    assert [folder.find(name) for name in names[7:]] == [None, None]


def test_two_contents_never_share_a_place(tmp_path: Path) -> None:
    """A video and a sound whose names differ in their ending, and other files found for them."""
    first = _wav(tmp_path / "src" / "x" / "s.ogg", 300)
    second = _wav(tmp_path / "src" / "s.wav", 600)
    assert _import(tmp_path, {"audio_path": "s.wav"}, {"id": "0-s", "audio_path": "x/s.ogg"}) == 0
    assert _contents(tmp_path) == [[second], [first]]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{"id": "1", "query": NaN}', "q.jsonl:1"),
        (b'{"id": "1"}\n{"id": 1e999}', "q.jsonl:2"),
        (b'{"id": "1", "answer": {"a": 1}}', "q.jsonl:1: answer"),
        (b'{"id": "1", "options": [["x"]]}', "q.jsonl:1: options"),
        (b'{"id": "1", "audio_paths": ["a.wav", "", "b.wav"]}', "q.jsonl:1: audios: entry 2"),
        (b'{"id": "1", "id": "2"}', "q.jsonl:1: the key 'id' comes twice"),
        (b'{"id": "1"}\n\n{"id": "1"}', "q.jsonl:3: id '1' is that of"),
        (b'{"id": "1"}\n{"id": " 1"}', "q.jsonl:2: id '1' is that of"),
        (b'{"id": "1"}\n[]', "q.jsonl:2"),
        (b"{" * 100_000, "q.jsonl:1"),
        (b'{"id": "1\0"}', "q.jsonl:1: holds the NUL"),
        (b"\xff\xfe" + '{"id": "1"}'.encode("utf-16-le"), "q.jsonl:1: is UTF-16"),
        ('{"id": "1"}'.encode("utf-16-le"), "q.jsonl:1: holds the NUL"),
        (b'{"id": "\xff"}', "q.jsonl:1: is not UTF-8"),
    ],
)
def test_bad_lines_are_named(content: bytes, where: str, tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_rows(path)
    assert where in caught.value.what
    assert caught.value.fix


def test_marks_of_windows_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "1", "query": "a"}\r\n{"id": "2", "query": "b"}\r\n')
    assert [(row.id, row.question) for row in read_rows(path)] == [("1", "a"), ("2", "b")]
    table = tmp_path / "q.csv"
    table.write_bytes(b'\xef\xbb\xbfid,query\r\n1,a\r\n2,"b\r\nc"\r\n')
    assert [(row.id, row.question) for row in read_rows(table)] == [("1", "a"), ("2", "b\r\nc")]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("id,query\n1,a,b\n", "q.csv:2: has 3 cells"),
        ("id,answer,answer\n1,a,b\n", "q.csv:1: two columns"),
        ("id,query\n1,a\n1,b\n", "q.csv:3: id '1' is that of"),
        ('id,query\n1,"' + "x" * 200_000 + '"\n', "q.csv:2: field larger"),
    ],
)
def test_bad_tables_are_named(text: str, where: str, tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_rows(path)
    assert where in caught.value.what


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "q.jsonl")
    with pytest.raises(ConfigError, match="not a regular file"):
        read_rows(tmp_path / "q.jsonl")


def test_equal_ids_in_two_files_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("x/one", "y/one", "two"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"id": "1", "query": name}))
    assert sorted(row.id for row in read_rows(tmp_path)) == ["two-1", "x-one-1", "y-one-1"]


def test_collecting_nothing_is_fine(tmp_path: Path) -> None:
    assert collect([], tmp_path, None, keep_incomplete=True).items == []
