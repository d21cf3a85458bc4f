"""The boards' tasks under upstream's names: without the plugin, and beside the plugin's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from boards import FILES, board_files

from aurelia_plugin.benchmark.boards.known import BOARD_SETS
from aurelia_plugin.benchmark.boards.places import dataset_kwargs
from aurelia_plugin.benchmark.data.items import Item, read_items
from aurelia_plugin.benchmark.reading import options_of, score_item
from aurelia_plugin.media.audio import has_sound
from aurelia_plugin.media.medium import Media

from .asked import Job
from .conftest import ROOT, Laid, asked

REPLIES = (
    "{right}",
    "The answer is ({right}).",
    "{other}",
    "{text}",
    "<think>{other}</think>{right}",
    "?",
)
SOUNDTRACK = "omnivideobench_soundtrack"


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Folders of the three boards, by the variables of the plugin and of upstream."""
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))
    found = {}
    for name in FILES:
        variable = BOARD_SETS[name].variable
        found[variable] = str(board_files(name, tmp_path / name))
        found[variable.removeprefix("AURELIA_")] = found[variable]
        monkeypatch.setenv(variable, found[variable])
    found["LMMS_EVAL_HOME"] = str(tmp_path / "lmms_eval")
    found["HF_DATASETS_CACHE"] = str(tmp_path / "datasets")
    return found


def board_items() -> dict[str, list[Item]]:
    made = {}
    for name, board in BOARD_SETS.items():
        files = dataset_kwargs(board)["data_files"]
        assert isinstance(files, dict)
        made[name] = list(read_items(Path(files["test"])))
    return made


def replies(items: dict[str, list[Item]]) -> dict[str, str]:
    """Return a reply to each item, of every form in turn."""
    said = {}
    for number, item in enumerate(item for rows in items.values() for item in rows):
        other = next(letter for letter in item.letters if letter != item.answer)
        text = options_of(item)[item.answer]
        said[item.id] = REPLIES[number % len(REPLIES)].format(
            right=item.answer, other=other, text=text
        )
    return said


def test_boards_score_alike_without_the_plugin_and_beside_it(
    laid: Laid, homes: dict[str, str], tmp_path: Path
) -> None:
    items = board_items()
    said = replies(items)
    scratch = laid("b")
    names = [*BOARD_SETS, SOUNDTRACK]
    alone = asked(Job(said, names, list(BOARD_SETS)), scratch, tmp_path, **homes)
    assert alone["modules"] == []
    ours = [f"aurelia_{name}" for name in BOARD_SETS]
    folders = [*BOARD_SETS, *(str(ROOT / "task_yamls" / name) for name in BOARD_SETS)]
    both = asked(Job(said, [*BOARD_SETS, *ours], folders, hidden=False), scratch, tmp_path, **homes)
    for name, rows in items.items():
        for item in rows:
            theirs = alone["scores"][name][item.id]
            assert {key: theirs[key] for key in ("score", "accuracy", "unparsed")} == score_item(
                item, said[item.id]
            )
            official = BOARD_SETS[name].official(said[item.id], item.answer, options_of(item))
            assert theirs["official"]["right"] is official
        assert both["scores"][name] == alone["scores"][name]
        metrics = both["results"][f"aurelia_{name}"]
        for found in (alone, both):
            shared = {k: found["results"][name][k] for k in metrics if k in found["results"][name]}
            assert shared == pytest.approx({k: metrics[k] for k in shared}, nan_ok=True)
            assert {"score,none", "by_video,none", "official,none"} <= shared.keys()

    for name, rows in items.items():
        (turn,) = alone["asked"][name][rows[0].id]
        (own,) = both["asked"][f"aurelia_{name}"][rows[0].id]
        assert [part["type"] for part in turn["content"]] == ["video", "audio", "text"]
        assert turn["content"][-1] == own["content"][-1]
        assert not has_sound(Media.file("video", Path(turn["content"][0]["url"])))
        assert has_sound(Media.file("audio", Path(turn["content"][1]["url"])))
    (turn,) = alone["asked"][SOUNDTRACK][items["omnivideobench"][0].id]
    assert [part["type"] for part in turn["content"]] == ["video", "text"]
    assert has_sound(Media.file("video", Path(turn["content"][0]["url"])))
