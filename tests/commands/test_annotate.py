"""`aurelia data annotate` for publication: audited, redone, left out, described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from aurelia_plugin.benchmark.annotation.card import ACCOUNT
from aurelia_plugin.benchmark.annotation.fates import tallies
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, Source, read_items, write_items
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.cli import main
from aurelia_plugin.commands import data_annotate

AGENTS = """\
- contains: 'How well does'
  reply: '{"score": 8, "feedback": "fine"}'
- contains: 'must only say'
  reply: '{"steps": ["Look at it.", "Listen."], "answers": ["a", "b"], "score": 8}'
- contains: 'Which animal'
  reply: '{"steps": ["See the dog."], "answers": ["a"], "final_answer": "c", "score": 8}'
- reply: '{"steps": ["Look.", "Listen."], "answers": ["a", "b"], "final_answer": "c", "score": 8}'
"""
STUBBORN = AGENTS.replace("'must only say'", "'no such words'")


@pytest.fixture(autouse=True)
def _log_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_annotate, "quiet_harness", lambda: None)


def _item(name: str, question: str, answer: str, category: str, **more: Any) -> Item:
    source = Source(dataset="mine | <b>", id=name, licence="CC0")
    return Item(
        id=name,
        column="custom",
        category=category,
        question=question,
        answer=answer,
        video="a.mp4",
        source=source,
        **more,
    )


ITEMS = [
    _item("1", "Which animal?", "dog", "Animals"),
    _item("2", "Which bird?", "heron", "Animals"),
    _item("3", "Which vehicle?", "tram", "<i>x|y"),
    _item("4", "Which tool?", "saw", "Tools", reasoning_steps=("It is a saw.",)),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    write_mp4(folder / "a.mp4", np.zeros((8, 32, 32, 3), np.uint8), np.zeros(16_000, np.float32))
    write_items(folder / MANIFEST, ITEMS)
    return folder


def _annotate(home: Path, agents: str = AGENTS, *more: str) -> int:
    script = home.parent / "agents.yaml"
    script.write_text(agents)
    given = f"agents=scripted:{script},traces={home.parent / 'traces'}"
    return main(["data", "annotate", str(home), "--model_args", given, *more])


def _fates(home: Path) -> dict[str, dict[str, Any]]:
    account = json.loads((home / ACCOUNT).read_text())
    return {row["id"]: row for row in account["items"]}


def test_steps_that_give_the_answer_away_are_written_anew(home: Path) -> None:
    assert _annotate(home) == 0
    one, two, _, four = read_items(home / MANIFEST)
    assert one.reasoning_steps == ("Look at it.", "Listen.")
    assert one.reasoning_source is not None
    assert (one.reasoning_source.leak, one.reasoning_source.attempt) == ("clean", 2)
    assert two.reasoning_source is not None
    assert two.reasoning_source.attempt is None
    assert four == ITEMS[3], "people's steps stay, and are audited"
    fates = _fates(home)
    assert [fates[name]["fate"] for name in "1234"] == [*["annotated"] * 3, "kept"]
    assert fates["4"]["leak"] == "leak"


def test_steps_that_stay_leaking_are_left_out(home: Path) -> None:
    assert _annotate(home, STUBBORN, "--redo", "2") == 0
    one, two, *_ = read_items(home / MANIFEST)
    assert one == ITEMS[0]
    assert two.reasoning_steps
    assert _fates(home)["1"]["fate"] == "leaking"
    assert _fates(home)["1"]["attempts"] == 3
    assert _annotate(home, AGENTS, "--redo", "0") == 0
    assert next(iter(read_items(home / MANIFEST))) == ITEMS[0], "not once is anew"


def test_leaking_steps_of_an_earlier_annotation_are_taken_out(home: Path) -> None:
    assert _annotate(home) == 0
    one, *others = read_items(home / MANIFEST)
    leaking = {"reasoning_steps": ("A dog.",), "step_answers": None}
    write_items(home / MANIFEST, [one.model_copy(update=leaking), *others])
    failing = AGENTS.replace('"score": 8', '"score": 1')
    _annotate(home, failing)
    one, two, *_ = read_items(home / MANIFEST)
    assert one.reasoning_steps is None
    assert one.reasoning_source is None
    assert two.reasoning_steps, "clean ones stay until there are better"


def test_a_second_run_asks_nobody_and_changes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _annotate(home) == 0
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    capsys.readouterr()
    assert _annotate(home) == 0
    assert capsys.readouterr().out.count("agent calls: 0 made") == 2
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


def test_the_card_says_shares_agents_and_sources(home: Path) -> None:
    assert _annotate(home, STUBBORN) == 0
    text = (home / "README.md").read_text()
    head = yaml.safe_load(text.split("---")[1])
    assert head["configs"][0]["data_files"] == [{"split": "test", "path": MANIFEST}]
    assert "| Animals | 2 | 1 | 0 | 2 | 100.0% | 1 | 0 | 0 |" in text
    assert "| \\<i\\>x\\|y | 1 | 1 | 0 | 1 | 100.0% | 0 | 0 | 0 |" in text
    assert "| mine \\| \\<b\\> | CC0 | 4 |" in text
    assert "the steps of 1 more questions were left out" in text
    assert "| evaluator | scripted:" in text
    (home / "README.md").write_text("mine")
    assert _annotate(home, STUBBORN) == 0
    assert (home / "README.md").read_text() == "mine"
    assert "Steps per category" in (home / "ANNOTATION.md").read_text()


def test_the_share_is_of_those_whose_loop_ended(home: Path) -> None:
    from aurelia_plugin.benchmark.annotation.fates import ItemFate

    fates = [
        ItemFate("1", "A", "annotated"),
        ItemFate("2", "A", "leaking"),
        ItemFate("3", "A", "not accepted"),
        ItemFate("4", "A", "unfinished"),
        ItemFate("5", "A", "kept"),
    ]
    tally = tallies(fates)["A"]
    assert (tally.items, tally.asked, tally.accepted) == (5, 3, 2)
    assert tally.share == pytest.approx(2 / 3)
