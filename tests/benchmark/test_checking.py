"""`aurelia data check`: every fault, with its line, and the exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurelia_plugin.benchmark.data import items as schema
from aurelia_plugin.benchmark.data.checking import check_folder
from aurelia_plugin.benchmark.data.items import MANIFEST, item_schema
from aurelia_plugin.benchmark.synthetic.encode import write_mp4, write_wav
from aurelia_plugin.cli import main
from aurelia_plugin.errors import ConfigError

from .handmade import ITEMS, make_home, media

_ROWS = [item.model_dump(mode="json") for item in ITEMS]
_CHOICE = next(row for row in _ROWS if row["id"] == "o-1")
_DANCE = next(row for row in _ROWS if row["id"] == "x-1")
_OPEN = next(row for row in _ROWS if row["id"] == "g-1")


def _faults(folder: Path, *rows: Any, files: bool = False) -> list[str]:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / MANIFEST).write_text("\n".join(lines) + "\n")
    report = check_folder(folder, media=files)
    assert report.good == (not report.faults)
    return [str(fault).removeprefix(f"{folder / MANIFEST}:") for fault in report.faults]


def test_a_good_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = make_home(tmp_path / "home")
    assert main(["data", "check", str(home)]) == 0
    printed = capsys.readouterr()
    for column in schema.COLUMNS:
        assert [column, "2"] in [line.split() for line in printed.out.splitlines()]
    assert "Musical performances          2" in printed.out
    assert printed.out.splitlines()[-4:-2] == ["media: 11 files", "good"]
    assert "checking media" in printed.err


def test_a_bad_folder_has_exit_status_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _faults(tmp_path, _OPEN, "", {**_CHOICE, "answer": "D"})
    assert main(["data", "check", str(tmp_path)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{tmp_path / MANIFEST}:1: video v/geoiq.mp4: is missing"
    assert f"{tmp_path / MANIFEST}:3: answer 'D' is not one of A, B, C" in out
    assert out[-1] == "not good: 3 faults"
    assert main(["data", "check", str(tmp_path), "--annotations-only"]) == 1
    assert "missing" not in capsys.readouterr().out
    assert main(["data", "check", str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("Name a folder with a manifest")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("{", "1: is not JSON: Expecting property name"),
        ("[1]", "1: is not a JSON object"),
        ({**_OPEN, "colour": "red"}, "1: colour: Extra inputs are not permitted"),
        ({key: _OPEN[key] for key in _OPEN if key != "question"}, "1: question: Field required"),
        ({**_OPEN, "column": "dance"}, "1: column 'dance' is not one of music_avqa"),
        ({**_OPEN, "category": "Dance"}, "1: category 'Dance' is not one of Country"),
        ({**_CHOICE, "answer": "D"}, "1: answer 'D' is not one of A, B, C"),
        ({**_OPEN, "video": "/etc/x.mp4"}, "1: video: '/etc/x.mp4' is not a path below"),
        ({**_OPEN, "video": "../x.mp4"}, "1: video: '../x.mp4' is not a path below"),
        ({**_OPEN, "audio": "a/../../x.wav"}, "1: audio: 'a/../../x.wav' is not a path"),
        ({**_OPEN, "video": "a\\x.mp4"}, r"1: video: 'a\\x.mp4' is not a path below"),
        ({**_OPEN, "video": "C:/x.mp4"}, "1: video: 'C:/x.mp4' is not a path below"),
        ({**_OPEN, "video": " "}, "1: video: ' ' is not a path below"),
        ({**_OPEN, "id": ""}, "1: id: String should have at least 1 character"),
        ({**_OPEN, "video": None}, "1: names no video and no audio"),
        ({**_OPEN, "question": " "}, "1: question is empty"),
        ({**_OPEN, "answer": ""}, "1: answer is empty"),
        ({**_CHOICE, "options": ["x"], "answer": "A"}, "1: has 1 options"),
        ({**_CHOICE, "options": ["x", "X "], "answer": "A"}, "1: two options are the same"),
        ({**_CHOICE, "options": ["x", ""], "answer": "A"}, "1: has 1 options with a text"),
        ({**_DANCE, "options": None}, "1: options: a dm_match item is a choice"),
        ({**_DANCE, "audios": ["a/1.wav"]}, "1: audios: names 1 sounds"),
        ({**_DANCE, "audios": ["a/1.wav", "a/2.wav"]}, "1: has 4 options for 2 sounds"),
        ({**_OPEN, "step_answers": ["x"]}, "1: step_answers and reasoning_steps differ"),
    ],
)
def test_faults_of_the_manifest(row: Any, fault: str, tmp_path: Path) -> None:
    faults = _faults(tmp_path, row)
    assert [text for text in faults if text.startswith(fault)], faults


def test_all_faults_of_a_line_and_doubled_ids_are_told(tmp_path: Path) -> None:
    bad = {**_OPEN, "column": "dance", "category": "Dance"}
    faults = _faults(tmp_path, _OPEN, bad, {**_OPEN, "video": 1, "audios": 2})
    assert len(faults) == 5
    assert "column 'dance'" in faults[0] + faults[1]
    assert "category 'Dance'" in faults[0] + faults[1]
    assert sum("is that of line 1 already" in fault for fault in faults) == 2


def test_an_empty_manifest(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("\n")
    assert [str(f) for f in check_folder(tmp_path).faults] == [
        f"{tmp_path / MANIFEST}: holds no item"
    ]
    (tmp_path / MANIFEST).write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="in UTF-8"):
        check_folder(tmp_path)


def _wav(seconds: float = 1.0, loud: float = 1.0) -> Callable[[Path], None]:
    return lambda path: write_wav(path, loud * media(seconds)[1])


def _mp4(seconds: float = 1.0, loud: float = 1.0) -> Callable[[Path], None]:
    frames, sound = media(seconds)
    return lambda path: write_mp4(path, frames, loud * sound)


def _bytes(content: bytes) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(content), None)[1]


def _cut(path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (24, 64, 64, 3), dtype=np.uint8)
    write_wav_of = media(3.0)[1]
    write_mp4(path, frames, write_wav_of)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("field", "make", "fault"),
    [
        ("video", None, "is missing"),
        ("video", _bytes(b""), "cannot be decoded"),
        ("video", _bytes(b"no media at all" * 50), "cannot be decoded"),
        ("video", _cut, "cannot be decoded"),
        ("video", _mp4(loud=0.0), "is silent"),
        ("video", _mp4(0.25), "is too short: 0.25 s"),
        ("video", _wav(), "is no video but audio"),
        ("audio", None, "is missing"),
        ("audio", _bytes(b"RIFF"), "cannot be decoded"),
        ("audio", _wav(loud=0.0), "is silent"),
        ("audio", _wav(0.1), "is too short: 0.10 s of sound"),
        ("video", _mp4(), None),
        ("audio", _wav(), None),
        ("audio", _mp4(), None),
    ],
)
def test_faults_of_media(
    field: str, make: Callable[[Path], None] | None, fault: str | None, tmp_path: Path
) -> None:
    if make is not None:
        make(tmp_path / "x.mp4")
    row = {**_OPEN, "video": None, field: "x.mp4"}
    faults = _faults(tmp_path, row, {**row, "id": "other"}, files=True)
    if fault is None:
        assert faults == []
    else:
        assert len(faults) == 2
        for number, text in enumerate(faults, start=1):
            assert text.startswith(f"{number}: {field} x.mp4: {fault}"), text


def test_candidates_that_are_one_file_are_told(tmp_path: Path) -> None:
    _mp4()(tmp_path / "x.mp4")
    for number, loud in enumerate((1.0, 0.5, 1.0, 0.25), 1):
        _wav(loud=loud)(tmp_path / f"{number}.wav")
    row = {**_DANCE, "video": "x.mp4", "audios": [f"{number}.wav" for number in range(1, 5)]}
    assert _faults(tmp_path, row, files=True) == ["1: audios: 1.wav and 3.wav are one file"]
    (tmp_path / "3.wav").unlink()
    (tmp_path / "3.wav").symlink_to("1.wav")
    assert _faults(tmp_path, row, files=True) == ["1: audios: 1.wav and 3.wav are one file"]
    twice = {**row, "audios": ["1.wav", "2.wav", "1.wav", "4.wav"]}
    assert _faults(tmp_path, twice) == ["1: audios: 1.wav is named twice"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (json.dumps({**_OPEN, "facts": {"a": float("nan")}}), "1: is not JSON: NaN"),
        (json.dumps(_OPEN)[:-1] + ', "id": "b"}', "1: is not JSON: the key 'id' comes twice"),
        ("[" * 100_000, "1: is not JSON: it is nested too deeply"),
        ({**_OPEN, "question": "a\0b"}, "1: question: holds the NUL"),
        ({**_OPEN, "video": "a\0.mp4"}, "1: video: its name holds the NUL"),
        ({**_OPEN, "video": "x" * 300 + ".mp4"}, "1: video: its name is too long"),
        ({**_OPEN, "video": "a/" * 5_000}, "1: video: its name is too long"),
        (json.dumps({**_OPEN, "id": "\ud800"}), "1: Invalid JSON"),
        ({**_OPEN, "question": ["nested"]}, "1: question: Input should be a valid string"),
        ({**_CHOICE, "options": ["x", "", "z"], "answer": "B"}, "1: answer B is an option without"),
    ],
)
def test_hostile_lines_are_told_with_and_without_media(
    line: object, fault: str, tmp_path: Path
) -> None:
    for files in (False, True):
        faults = _faults(tmp_path, line, files=files)
        assert [text for text in faults if text.startswith(fault)], faults
        assert max(map(len, faults)) < 1_000
    with pytest.raises(ConfigError, match=rf"{MANIFEST}:1: "):
        list(schema.read_items(tmp_path / MANIFEST))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_named_with_its_line(encoding: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(json.dumps(_OPEN).encode(encoding))
    with pytest.raises(ConfigError, match=rf"{MANIFEST}:1: .*\n.*in UTF-8"):
        check_folder(tmp_path)


def test_marks_of_windows_are_read(tmp_path: Path) -> None:
    content = f"\ufeff{json.dumps(_OPEN)}\r\n\r\n{json.dumps(_CHOICE)}\r\n"
    (tmp_path / MANIFEST).write_bytes(content.encode())
    assert check_folder(tmp_path, media=False).good


def test_a_silent_video_may_have_separate_sound(tmp_path: Path) -> None:
    _mp4(loud=0.0)(tmp_path / "x.mp4")
    _wav()(tmp_path / "x.wav")
    row = {**_OPEN, "video": "x.mp4"}
    assert _faults(tmp_path, {**row, "audio": "x.wav"}, files=True) == []
    assert _faults(tmp_path, row, files=True) == ["1: video x.mp4: is silent"]


def test_the_exported_schema_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == item_schema()
    shipped = Path(schema.__file__).with_name("manifest.schema.json")
    assert json.loads(shipped.read_text()) == printed
    assert printed["properties"]["category"]["examples"] == list(schema.CATEGORIES)
    assert printed["properties"]["column"]["enum"] == [*schema.COLUMNS, "custom"]
    assert len(printed["properties"]["category"]["examples"]) == 17
    assert set(printed["required"]) == {"id", "column", "category", "question", "answer", "source"}
