"""`aurelia data build` and `aurelia data import`, through the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from aurelia_plugin.benchmark.data.checking import check_folder
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.benchmark.importing.soundtracks import is_soundtrack
from aurelia_plugin.benchmark.synthetic.encode import write_mp4, write_wav
from aurelia_plugin.cli import main

from .handmade import media
from .test_sources import odyssey_file, odyssey_row

_DATA = Path(__file__).resolve().parents[1] / "data"
_MUSIC = str(_DATA / "music_avqa_test_update_sample.json")
_DIALOGS = str(_DATA / "avsd_dstc7_test_sample.json")
_SIX = str(_DATA / "avsd_dstc7_test_multiref_sample.json")


def _items(folder: Path) -> list[Item]:
    return list(read_items(folder / MANIFEST))


def _build(column: str, to: Path, *more: str) -> int:
    return main(["data", "build", column, "--to", str(to), *more])


def test_annotations_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    music = ["--annotations", _MUSIC, "--annotations-only"]
    assert _build("music_avqa", tmp_path, *music) == 1
    # A sample has few of the rows that everybody is to have.
    assert "rows are not in the annotations" in capsys.readouterr().err
    assert _build("music_avqa", tmp_path, *music, "--number", "0") == 0
    printed = capsys.readouterr()
    assert "MIT" in printed.out
    assert "54 rows in the source, 54 chosen, 54 in" in printed.out
    assert "collecting media" in printed.err
    files = ["--annotations", _DIALOGS, "--references", _SIX]
    assert _build("avsd", tmp_path, *files, "--annotations-only", "--number", "7") == 0
    items = _items(tmp_path)
    assert [item.column for item in items] == ["music_avqa"] * 54 + ["avsd"] * 7
    assert all(item.source.licence for item in items)
    names = (tmp_path / "missing_music_avqa.txt").read_text().split()
    assert set(names) == {f"{row['video_id']}.mp4" for row in json.loads(Path(_MUSIC).read_text())}
    assert check_folder(tmp_path, media=False).good


def test_without_files_it_says_what_to_download(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "build", "avsd"]) == 1
    printed = capsys.readouterr().out
    assert "vu17_test.tar" in printed
    assert "aurelia data build avsd --annotations FILE --references FILE" in printed


def test_a_build_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [odyssey_row(number) for number in range(2)]
    rows[1] |= {"video_path": ["v/0.mp4"]}  # two questions about one dance
    annotations = ["--annotations", str(odyssey_file(tmp_path, rows))]
    source, to = tmp_path / "media", tmp_path / "built"
    (source / "v").mkdir(parents=True)
    (source / "a").mkdir()
    write_mp4(source / "v" / "0.mp4", *media())
    for place in range(1, 4):
        write_wav(source / "a" / f"0_{place}.wav", place / 4 * media()[1])
    arguments = [*annotations, "--media", str(source)]
    assert _build("dm_match", to, *arguments) == 1
    names = (to / "missing_dm_match.txt").read_text().split()
    assert names == ["a/0_4.wav", *(f"a/1_{place}.wav" for place in range(1, 5))]
    assert "  a/0_4.wav" in capsys.readouterr().out
    assert _items(to) == []
    there = {path: path.stat().st_mtime_ns for path in to.rglob("media/**/*.wav")}
    assert len(there) == 3
    write_wav(source / "a" / "0_4.mp3", media()[1])  # as a download with another ending
    for place in range(1, 5):
        write_wav(source / "a" / f"1_{place}.wav", place / 4 * media()[1])
    assert _build("dm_match", to, *arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in there} == there
    assert not (to / "missing_dm_match.txt").exists()
    first, second = _items(to)
    assert first.audios[3] == "media/dm_match/16_0-0_4.mp3"
    assert second.answer == "B"
    assert check_folder(to).good
    # A source that is gone does no harm: what was collected stays.
    assert _build("dm_match", to, *annotations) == 0
    assert _items(to) == [first, second]
    assert not list(to.rglob("*.tmp"))


def test_ids_choose_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--annotations", _MUSIC, "--annotations-only"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert _build("music_avqa", one, *arguments, "--number", "5", "--seed", "3") == 0
    ids = one / "row_ids" / "music_avqa.txt"
    lines = ids.read_text().splitlines()
    assert "5 items of 54 rows" in lines[0]
    assert "seed 3" in lines[0]
    assert len(lines) == 6
    assert _build("music_avqa", two, *arguments, "--ids", str(ids)) == 0
    assert _items(two) == _items(one)
    ids.write_text("nothing/1\n")
    capsys.readouterr()
    assert _build("music_avqa", two, *arguments, "--ids", str(ids)) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("Use the annotation file")


# Import


def _official(number: int) -> dict[str, object]:
    return {
        "query": f"What rings {number}?",
        "video_path": f"/content/videos/{number}.mp4",
        "audio_path": f"/content/audios/{number}.wav",
        "reasoning_steps": {"Step_1": "Look.", "Step_2": "Listen."},
    }


def _media(folder: Path, numbers: range) -> None:
    for number in numbers:
        write_mp4(folder / f"{number}.mp4", *media())
        write_wav(folder / f"{number}.wav", media()[1])


def test_a_question_that_lacks_a_field_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "own.csv"
    source.write_text("question,video,answer\nWhat?,1.mp4,yes\nWho?,1.mp4,\n")
    _media(tmp_path, range(1, 2))
    assert main(["data", "import", str(source), "--to", str(tmp_path / "home")]) == 1
    assert f"answer is missing in 1 of 2 questions: {source}:3" in capsys.readouterr().out


def test_the_official_form_asks_for_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, to = tmp_path / "official.json", tmp_path / "home"
    source.write_text(json.dumps([_official(number) for number in range(2)]))
    _media(tmp_path, range(2))
    arguments = ["data", "import", str(source), "--to", str(to), "--column", "geoiq"]
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "answer is missing in 2 of 2 questions" in printed
    assert "category is missing in 2 of 2 questions" in printed
    assert f"--fill {to / 'to_fill_in.csv'}" in printed
    form = to / "to_fill_in.csv"
    with form.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["answer"] = "a bell"
    with form.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert main([*arguments, "--fill", str(form), "--category", "Language"]) == 0
    first, _ = _items(to)
    assert first.question == "What rings 0?"
    assert (first.answer, first.column, first.category) == ("a bell", "geoiq", "Language")
    assert first.reasoning_steps == ("Look.", "Listen.")
    assert check_folder(to).good


@pytest.mark.parametrize("form", ["folder", "jsonl", "csv", "by id"])
def test_common_variants(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "question": "What makes it funny?",
        "options": ["A. the dog", "B. the cat"],
        "answer": "the cat",
        "video": "0.mp4",
        "task": "AV-Meme",
        "category": "Meme and humor",
        "reasoning": "Look.\nListen.",
    }
    source = tmp_path / "in"
    source.mkdir()
    _media(source, range(1))
    if form == "folder":
        (source / "one.json").write_text(json.dumps(row))
        path = source
    elif form == "jsonl":
        path = source / "rows.jsonl"
        path.write_text(json.dumps(row) + "\n\n")
    elif form == "by id":
        path = source / "rows.json"
        path.write_text(json.dumps({"meme-7": row}))
    else:
        path = source / "rows.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writeheader()
            writer.writerow({**row, "options": "A. the dog|B. the cat"})
    assert main(["data", "import", str(path), "--to", str(tmp_path / "home")]) == 0
    (item,) = _items(tmp_path / "home")
    assert (item.column, item.options, item.answer) == ("meme", ("the dog", "the cat"), "B")
    assert item.reasoning_steps == ("Look.", "Listen.")
    assert (item.id == "meme-7") == (form == "by id")
    assert check_folder(tmp_path / "home").good


def test_a_soundtrack_is_not_given_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames, _ = media(3.0)
    rng = np.random.default_rng(5)
    loudness = np.repeat(rng.uniform(0.01, 0.5, 30), 1600)
    first, other = (
        loudness * rng.standard_normal(48_000) for loudness in (loudness, loudness[::-1])
    )
    write_mp4(tmp_path / "same.mp4", frames, first.astype(np.float32))
    write_wav(tmp_path / "same.wav", first.astype(np.float32))
    write_wav(tmp_path / "other.wav", other.astype(np.float32))
    write_wav(tmp_path / "short.wav", first[:24_000].astype(np.float32))
    sounds = ("same", "other", "short")
    rows = [
        {"id": name, "query": "?", "video_path": "same.mp4", "audio_path": f"{name}.wav"}
        for name in sounds
    ]
    filled = {"answer": "x", "column": "geoiq", "category": "Language"}
    source = tmp_path / "rows.json"
    source.write_text(json.dumps([{**row, **filled} for row in rows]))
    assert main(["data", "import", str(source), "--to", str(tmp_path / "home")]) == 0
    assert "1 sounds are the soundtracks" in capsys.readouterr().out
    assert [item.audio is None for item in _items(tmp_path / "home")] == [True, False, False]
    assert not is_soundtrack(tmp_path / "none.mp4", tmp_path / "same.wav")


def test_import_names_missing_media_and_bad_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "rows.json"
    row = {"question": "?", "answer": "x", "column": "geoiq", "category": "Language"}
    source.write_text(json.dumps([{**row, "video": "gone/1.mp4"}]))
    assert main(["data", "import", str(source), "--to", str(tmp_path / "home")]) == 1
    assert "  gone/1.mp4" in capsys.readouterr().out
    source.write_text(json.dumps([{**row, "category": "Cooking"}]))
    assert main(["data", "import", str(source), "--to", str(tmp_path / "home")]) == 1
    assert "category 'Cooking' is not one of" in capsys.readouterr().err
    source.write_text("{")
    assert main(["data", "import", str(source), "--to", str(tmp_path / "home")]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("Name a .csv")
