from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aurelia_plugin.benchmark.reported import reported
from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.outputs.boards import load_board, packaged_boards
from aurelia_plugin.errors import ConfigError

from .making_logs import row, write_run


def run(folder: Path, task: str, right: int) -> dict[str, Path]:
    rows = [row(k, float(k < right)) for k in range(100)]
    return {"mine": write_run(folder, {task: rows})}


def test_every_packaged_board_is_dated_and_sourced() -> None:
    assert {"av_odyssey", "daily_omni", "omnibench", "paper", "worldsense"} < set(packaged_boards())
    new = {"av_speakerbench", "video_holmes", "xmodbench", "mmou", "cg_av_counting"}
    assert new | {"jointavbench", "omnivideobench"} < set(packaged_boards())
    for name in packaged_boards():
        board = load_board(name)
        assert board.source
        assert "20" in board.dated
        assert {"split", "prompt", "judge"} <= set(board.protocol)
        assert board.closest.startswith("lmms-eval --model aurelia_")
        assert all(0 < published.score < 100 for published in board.published())
        names = [published.model for published in board.published()]
        assert len(names) == len(set(names))


def test_the_papers_board_is_made_of_the_reported_figures() -> None:
    rows = {published.model: published.score for published in load_board("paper").published()}
    vita = reported().row("VITA")
    assert vita is not None
    seconds = [cell.second for cell in vita.cells.values()]
    assert rows["VITA"] == pytest.approx(sum(seconds) / 7)
    assert rows["VITA + AURELIA"] > rows["VITA"]
    assert "Gemini 1.5 Pro + AURELIA" not in rows
    assert not load_board("paper").has("avreasonbench_mini_meme")  # synthetic questions
    assert load_board("paper").has("avreasonbench_meme")


def test_a_measured_row_stands_in_its_place(tmp_path: Path) -> None:
    result = compare(run(tmp_path, "worldsense", 47), Options(boards=("worldsense",)))
    (board,) = result.boards
    (mine,) = [line for line in board.rows if line.arm == "mine"]
    above = [line for line in board.rows if line.score > 47.0]
    assert mine.score == pytest.approx(47.0)
    assert mine.rank == len(above) + 1
    assert [line.score for line in board.rows] == sorted(
        (line.score for line in board.rows), reverse=True
    )
    assert "n = 100" in mine.note
    said = "\n".join(board.differs)
    assert "(n = 3172); mine: n = 100 of worldsense" in said
    for what in ("split", "prompt", "judge"):
        assert f"{what}: board:" in said


@pytest.mark.parametrize("name", packaged_boards())
def test_every_board_takes_runs_of_its_tasks(name: str, tmp_path: Path) -> None:
    task = load_board(name).tasks[0].replace("*", "x")
    result = compare(run(tmp_path, task, 47), Options(boards=(name,), draws=100))
    (board,) = result.boards
    (mine,) = [line for line in board.rows if line.arm == "mine"]
    assert mine.score == pytest.approx(47.0)
    assert len(board.rows) == 1 + len(load_board(name).published())
    frames = [text for text in board.differs if text.startswith("frames: ")]
    assert bool(frames) == ("frames" in load_board(name).protocol)


def test_users_add_boards_as_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    content = {
        "title": "T",
        "source": "S",
        "dated": "2026-01-01",
        "metric": "accuracy",
        "tasks": ["qa*"],
        "n": 100,
        "protocol": {"split": "all"},
        "rows": [{"model": "m", "score": 50.0}],
    }
    path.write_text(yaml.safe_dump(content))
    (board,) = compare(run(tmp_path / "r", "qa", 60), Options(boards=(str(path),))).boards
    assert [line.model for line in board.rows] == ["mine: some_model?size=1", "m"]
    path.write_text(yaml.safe_dump({**content, "rows": [{"model": "m"}]}))
    with pytest.raises(ConfigError, match=r"rows.*0\.score"):
        load_board(str(path))


def test_faults_name_the_fix(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="av_odyssey, av_speakerbench, cg_av_counting"):
        load_board("nothing")
    with pytest.raises(ConfigError, match=r"no run is of its tasks alone .*the runs have qa"):
        compare(run(tmp_path, "qa", 60), Options(boards=("omnibench",)))
    with pytest.raises(ConfigError, match=r"Choose from: Gemini 1\.5 Pro"):
        compare(run(tmp_path / "2", "qa", 60), Options(reported="GPT-9"))
