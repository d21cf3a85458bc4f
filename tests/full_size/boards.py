"""Others' boards: their own annotation files, and one stand-in clip under every video's name."""

from __future__ import annotations

import os
from pathlib import Path

from aurelia_plugin.benchmark.boards.known import BOARD_SETS
from aurelia_plugin.benchmark.boards.places import dataset_kwargs
from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.files.strict_json import parse_json
from full_size.numbered import make_clip

__all__ = ["prepare_board"]

_SECONDS = 2.0


def prepare_board(annotations: Path, work: Path) -> tuple[str, list[Item]]:
    """Lay out a board's folder for its task; return the task and its items.

    Args:
        annotations: the board's whole file; its name, such as `qa.json`, tells which board.
        work: below which the folder is made.
    """
    known = {board.annotations: board for board in BOARD_SETS.values()}
    board = known[annotations.name]
    items = list(board.items(parse_json(annotations.read_bytes())))
    folder = work / board.name
    clip = work / "clip.mp4"
    if not clip.is_file():
        make_clip(clip, 0, _SECONDS)
    for video in {item.video for item in items if item.video}:
        place = folder / video
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            os.link(clip, place)
    (folder / board.annotations).write_bytes(annotations.read_bytes())
    os.environ[board.variable] = str(folder)
    dataset_kwargs(board)  # says what is wrong, if anything is
    return f"aurelia_{board.name}", items
