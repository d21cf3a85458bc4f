"""A part of it; `python tests/full_size` builds, measures and asks everything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aurelia_plugin.benchmark.data.items import Item, Source

pytest.importorskip("lmms_eval")

from benchmark.standins import music_rows

from .__main__ import main
from .asking import oracle
from .boards import prepare_board
from .building import items_of, measure
from .measuring import Span, spans_of, true_option
from .numbered import MOST, make_clip

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg here")

_INSTRUMENTS = ("violin", "tuba", "saxophone", "guzheng", "congas")
_DESCRIPTIONS = {
    "AbCdEfGhIjK_20.000_30.000": "A dog barks in the yard.",
    "LmNoPqRsTuV_0.000_10.000": "A train whistles as it passes.",
    "XxNoPqRsTuV_0.000_10.000": "A dog barked loudly.",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("annotations")
    music, valor = folder / "avqa-test.json", folder / "desc_test.json"
    music.write_text(music_rows({f"{n:08d}": name for n, name in enumerate(_INSTRUMENTS)}))
    rows = [{"video_id": name, "desc": text} for name, text in _DESCRIPTIONS.items()]
    valor.write_text(json.dumps(rows))
    return [music, valor]


def _words(files: list[Path], work: Path, *more: str) -> list[str]:
    named = [word for path in files for word in ("--annotations", str(path))]
    numbers = ["--compositional", "12", "--geoiq", "6", "--seconds", "4.5"]
    return [*named, "--work", str(work), *numbers, *more]


def test_columns_are_built_measured_and_asked(
    files: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable in ("HF_DATASETS_CACHE", "AURELIA_CACHE", "AVREASONBENCH_PUBLIC_HOME"):
        monkeypatch.setenv(variable, "to be set by the script, and put back after the test")
    assert main(_words(files, tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "measured in the media as the gold says: 12 of 12" in printed
    assert printed.count("100.0 [") == 2  # the oracle
    assert printed.count("embedded, text") == 2
    # A clip in another one's place is found out.
    home, clips = tmp_path / "home", tmp_path / "clips"
    first, other, *_ = (item for item in items_of(home, "compositional") if "swap" in item.id)
    shutil.copyfile(home / str(other.video), home / str(first.video))
    result = measure(home, clips, files)
    assert result.right.total() == 11
    assert [text.partition(":")[0] for text in result.wrong] == [first.source.id]
    assert main(_words(files, tmp_path, "--steps", "measure")) == 1


def test_a_boards_whole_file_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.setenv("AURELIA_DAILY_OMNI_HOME", "to be set by the script")
    questions = [
        {
            **{
                "Question": f"What is heard at {n}?",
                "Answer": "ABCD"[n],
                "video_id": f"clip{n % 2}",
            },
            **{"Type": "Event Sequence", "video_category": "Music", "video_duration": "30s"},
            "Choice": ["A. A bell", "B. A drum", "C. A dog", "D. Nothing"],
        }
        for n in range(4)
    ]
    (tmp_path / "qa.json").write_text(json.dumps(questions))
    (outcome,) = oracle(dict([prepare_board(tmp_path / "qa.json", tmp_path / "work")]))
    assert outcome.is_perfect
    assert (outcome.task, outcome.n) == ("aurelia_daily_omni", 4)


@pytest.mark.parametrize("number", [0, 1, 585, MOST - 1])
def test_a_clip_shows_and_sounds_its_number(number: int, tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", number, 4.0)
    assert spans_of(tmp_path / "clip.mp4") == (Span((number,), frozenset({number})),)


def test_numbers_that_no_clip_has(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no clip"):
        make_clip(tmp_path / "clip.mp4", MOST, 1.0)


_LABELS = {1: "a dog", 2: "a car or truck", 3: "a dog", 4: "a bell"}
_ORDER = (
    "a dog followed by a car or truck",
    "a car or truck followed by a dog",
    "a dog and a car or truck, both at the same time",
    "only one of them (a dog or a car or truck), never the other",
)


@pytest.mark.parametrize(
    ("spans", "place"),
    [
        ([((1,), {1}), ((2,), {2})], 0),
        ([((2,), {2}), ((3,), {3})], 1),
        ([((1, 2), {1, 2})], 2),
        ([((1,), {1}), ((3,), {3})], 3),
        ([((1,), {1})], 3),
        ([((2,), {2})], 3),
        ([((4,), {4})], None),  # neither of them
        ([((1,), {2}), ((2,), {1})], None),  # not its own sound
        ([((1, 2), {1})], None),  # one of two is silent
        ([((1,), {1}), ((2,), {2}), ((1,), {1})], None),
    ],
)
def test_what_was_measured_bears_out_one_option_or_none(
    spans: list[tuple[tuple[int, ...], set[int]]], place: int | None
) -> None:
    item = Item(
        id="x",
        column="compositional",
        category="Compositional",
        question="What is the sequence of events in the video?",
        options=_ORDER,
        answer="A",
        video="x.mp4",
        source=Source(dataset="x", id="x"),
        question_type="order",
    )
    measured = tuple(Span(seen, frozenset(heard)) for seen, heard in spans)
    assert true_option(item, measured, _LABELS) == (None if place is None else _ORDER[place])
