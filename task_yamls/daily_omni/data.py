"""Where the harness finds the questions of Daily-Omni, when its task is selected."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.benchmark.boards.known import BOARD_SETS
from aurelia_plugin.benchmark.boards.places import dataset_kwargs

__all__ = ["DATASET_KWARGS"]  # noqa: F822 - made by __getattr__


def __getattr__(name: str) -> Any:
    # The harness takes any attribute as a `!function`, and asks for it only when a task is
    # selected. A constant would look for the data on import.
    if name != "DATASET_KWARGS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return dataset_kwargs(BOARD_SETS["daily_omni"])
