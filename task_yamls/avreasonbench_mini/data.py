"""Where the harness finds the questions: made, on first use, when a task is selected."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.benchmark.data.items import COLUMNS
from aurelia_plugin.benchmark.data.table import item_features
from aurelia_plugin.benchmark.synthetic.build import chosen_folder

__all__ = ["DATASET_KWARGS"]  # noqa: F822 - made by __getattr__


def __getattr__(name: str) -> Any:
    # The harness takes any attribute as a `!function`, and asks for it only when a task is
    # selected. A constant would synthesise the benchmark on import.
    if name != "DATASET_KWARGS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    folder = chosen_folder()
    return {
        "data_files": {column: str(folder / f"{column}.jsonl") for column in COLUMNS},
        "features": item_features(),
    }
