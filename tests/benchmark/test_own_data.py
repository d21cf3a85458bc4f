"""Own data: a table beside clips becomes a folder that runs, whatever it asks."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.benchmark.data.documents import question_text
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.benchmark.data.run_command import run_command
from aurelia_plugin.benchmark.figures import read_run
from aurelia_plugin.benchmark.importing.own_data import open_answer
from aurelia_plugin.benchmark.reading import read_item, score_item
from aurelia_plugin.benchmark.synthetic.encode import write_mp4, write_wav
from aurelia_plugin.cli import main

from .handmade import ITEMS, make_home, media

pytest.importorskip("lmms_eval")

_TABLE = """\
question,file,A,B,C,answer,category
Which tone is heard?,one.mp4,low,middle,high,A,Tones
Is there a tone?,two.mp4,,,,yes,Tones
How many tones are heard?,one.mp4,,,,two,
What is heard?,three.wav,,,,a steady tone,
Describe the clip.,two,,,,A grey picture grows brighter while one low tone goes on.,Scenes
"""


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, name in enumerate(("one.mp4", "two.mp4")):
        write_mp4(folder / name, *media(hertz=300.0 + 100 * number))
    write_wav(folder / "three.wav", media(hertz=700.0)[1])
    (folder / "questions.csv").write_text(_TABLE)
    return folder


def _imported(clips: Path, *more: str) -> tuple[Path, list[Item]]:
    home = clips.parent / "home"
    assert main(["data", "import", str(clips), "--to", str(home), *more]) == 0
    return home, list(read_items(home / MANIFEST))


def test_a_table_beside_clips_is_enough(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, items = _imported(clips)
    assert "own data (column custom)" in capsys.readouterr().out
    assert {item.column for item in items} == {"custom"}
    assert [item.category for item in items[:3]] == ["Tones", "Tones", "Uncategorised"]
    assert [item.answer_kind for item in items] == [None, "yes_no", "number", None, "sentence"]
    assert items[0].options == ("low", "middle", "high")
    assert items[3].video is None
    assert items[3].audio is not None
    assert items[0].source.dataset == "own data"
    assert main(["data", "check", str(home)]) == 0
    assert capsys.readouterr().out.rstrip().splitlines()[-1] == run_command(home)


def test_a_named_column_and_kind_stay(clips: Path) -> None:
    table = (clips / "questions.csv").read_text().replace("category", "category,answer_kind", 1)
    table = table.replace("a steady tone,", "a steady tone,,sentence")
    (clips / "questions.csv").write_text(table)
    _, items = _imported(clips, "--column", "custom", "--dataset", "tones")
    assert items[3].answer_kind == "sentence"
    assert {item.source.dataset for item in items} == {"tones"}
    bad = table.replace(",,sentence", ",,essay")
    (clips / "questions.csv").write_text(bad)
    assert main(["data", "import", str(clips), "--to", str(clips.parent / "home")]) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Yes.", "yes_no"),
        ("no", "yes_no"),
        ("three", "number"),
        ("12", "number"),
        ("third", None),
        ("a red car", None),
        ("the dog runs to the door", "sentence"),
    ],
)
def test_the_form_is_that_of_the_answer(answer: str, kind: str | None) -> None:
    assert open_answer(answer) == kind


@pytest.mark.parametrize(
    ("number", "right", "wrong"),
    [
        (0, "Answer: A", "Answer: B"),
        (1, "Yes, there is.", "Answer: no"),
        (2, "I hear 2 tones.\nAnswer: 2", "Answer: 3"),
        (3, "Answer: steady tone", "Answer: a dog"),
    ],
)
def test_every_kind_is_read(clips: Path, number: int, right: str, wrong: str) -> None:
    item = _imported(clips)[1][number]
    assert score_item(item, right)["accuracy"] == 1.0
    assert score_item(item, wrong)["accuracy"] == 0.0
    without = item.model_copy(update={"answer": "B" if number == 0 else "something else"})
    assert read_item(without, right) == read_item(item, right), "the gold answer was looked at"


def test_every_kind_says_its_form(clips: Path) -> None:
    forms = [question_text(item).rpartition("Answer: ")[2] for item in _imported(clips)[1]]
    assert forms == [
        "<letter>",
        "<yes or no>",
        "<a number>",
        "<a word or a short phrase>",
        "<sentence>",
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("question;File;Answer\nWas hört man?;one.mp4;einen Ton, tief\n", "1 items in"),
        ("\ufeffquestion\tfile\tanswer\nWhat?\tone.mp4\ta tone\n", "1 items in"),
        ("question,file,answer\n\nWhat?,one.mp4,B\n", "questions.csv:3: B is taken as a word"),
    ],
)
def test_tables_as_programs_write_them(
    clips: Path, table: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (clips / "questions.csv").write_text(table, encoding="utf-8")
    _, (item,) = _imported(clips)
    assert item.column == "custom"
    assert item.video is not None
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", ["questions.csv: holds no questions."]),
        ("question,file,answer\n", ["questions.csv: holds no questions.", "Write a head"]),
        (
            "question,file,answer\nWhat?,gone.mp4,red\n",
            ["gone.mp4 (", "questions.csv:2)", "--media"],
        ),
        ("question,file,A,B,answer\nWhat?,one.mp4,red,,A\n", ["csv:2: options: only A has a text"]),
        (
            "question,file,A,B,answer\nOne?,one.mp4,x,y,C\nTwo?,one.mp4,x,y,D\n",
            ["csv:2: question questions-0002: answer 'C'", "csv:3: question questions-0003:"],
        ),
        ("what,file,answer\nWhat?,one.mp4,red\n", ["in a column that is called question"]),
        ("question,file\nWhat?,one.mp4\n", ["answer is missing", "they get the column custom"]),
        ('question,file,answer\n"What?,one.mp4,red\n', ["csv:2: a quotation mark is not closed"]),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_place_and_the_way_on(
    clips: Path, table: str, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (clips / "questions.csv").write_text(table)
    assert main(["data", "import", str(clips), "--to", str(clips.parent / "home")]) == 1
    printed = capsys.readouterr()
    assert all(part in printed.out + printed.err for part in said)


def test_a_check_of_own_data_shows_no_columns_of_the_paper(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, _ = _imported(clips)
    capsys.readouterr()
    main(["data", "check", str(home)])
    printed = capsys.readouterr().out
    assert "custom" in printed
    assert "meme" not in printed
    assert "Currency" not in printed


def _run(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Run the command of `data check` in this process, with an oracle as the model."""
    from lmms_eval import evaluator

    from .stub import Stub, manager

    variable, program, *words = shlex.split(command)
    assert program == "lmms-eval"
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.delenv("AVREASONBENCH_JUDGE", raising=False)
    results = evaluator.simple_evaluate(
        model=Stub(lambda doc: f"Answer: {doc['answer']}"),
        tasks=words[words.index("--tasks") + 1].split(","),
        task_manager=manager(),
        bootstrap_iters=0,
        log_samples=True,
    )
    assert isinstance(results, dict)
    return results


def test_the_last_line_of_a_check_runs_what_is_there(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)  # no Java machine for METEOR
    home, _ = _imported(clips)
    results = _run(run_command(home), monkeypatch, tmp_path)
    row = results["results"]["avreasonbench_custom"]
    assert row["score,none"] == pytest.approx(1.0)
    assert row["cider,none"] >= 0  # of the one sentence


def test_a_group_runs_the_columns_that_are_there_and_names_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = [item for item in ITEMS if item.column in ("meme", "geoiq")]
    own = chosen[0].model_copy(update={"id": "own", "column": "custom", "category": "Own words"})
    home = make_home(tmp_path / "home", [*chosen, own])
    assert "--tasks avreasonbench " in run_command(home)
    with caplog.at_level(logging.WARNING):
        results = _run(run_command(home), monkeypatch, tmp_path)
    there = ["avreasonbench_custom", "avreasonbench_geoiq", "avreasonbench_meme"]
    assert sorted(name for name in results["samples"]) == there
    assert results["groups"]["avreasonbench"]["score,none"] == pytest.approx(1.0)
    assert "no items of music_avqa, avsd, captioning, compositional, dm_match" in caplog.text


def test_a_rebuilt_folder_is_that_of_the_public_benchmark(tmp_path: Path) -> None:
    home = make_home(tmp_path / "it's", ITEMS[:4])
    assert run_command(home).startswith("AVREASONBENCH_HOME='")
    (home / "row_ids").mkdir()
    command = shlex.split(run_command(home))
    assert command[0] == f"AVREASONBENCH_PUBLIC_HOME={home}"
    assert command[command.index("--tasks") + 1] == "avreasonbench_public"
    own = ITEMS[8].model_copy(update={"column": "custom"})
    make_home(home, [own])
    assert "--tasks avreasonbench_custom " in run_command(home), "no column of the public one"


def test_categories_of_ones_own_have_figures(tmp_path: Path) -> None:
    from compare.making_logs import our_row, write_run

    item = ITEMS[8].model_copy(update={"column": "custom", "category": "Own words"})
    write_run(tmp_path, {"avreasonbench_custom": [our_row(item, 0, 1.0, "Asia")]})
    figures = read_run(tmp_path)
    assert list(figures.categories) == ["Own words"]
    assert list(figures.columns) == ["custom"]
