"""The boards that have tasks here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aurelia_plugin.benchmark.boards.board_set import BoardSet
from aurelia_plugin.benchmark.boards.daily_omni import DAILY_OMNI
from aurelia_plugin.benchmark.boards.jointavbench import JOINTAVBENCH
from aurelia_plugin.benchmark.boards.omnivideobench import OMNIVIDEOBENCH

__all__ = ["BOARD_SETS", "by_title"]

BOARD_SETS: Final[Mapping[str, BoardSet]] = MappingProxyType(
    {board.name: board for board in (DAILY_OMNI, JOINTAVBENCH, OMNIVIDEOBENCH)}
)
"""Name -> board."""

_TITLES: Final = {board.title: board for board in BOARD_SETS.values()}


def by_title(title: str) -> BoardSet:
    """Return the board whose items have this data set as their source.

    Raises:
        KeyError: there is none.
    """
    return _TITLES[title]
