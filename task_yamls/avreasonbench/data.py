"""Where the harness finds the questions, when a task is selected, and the tasks of the group."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.benchmark.data.groups import group_member
from aurelia_plugin.benchmark.data.home import AUTHORS, dataset_kwargs

__all__ = ["DATASET_KWARGS"]  # noqa: F822 - made by __getattr__


def __getattr__(name: str) -> Any:
    # The harness takes any attribute as a `!function`, and asks for it only when a task or group
    # is selected. A constant would look for the data on import.
    if name in AUTHORS.columns:
        return group_member(AUTHORS, name)
    if name != "DATASET_KWARGS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return dataset_kwargs(AUTHORS)
