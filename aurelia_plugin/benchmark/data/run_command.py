"""The command that runs what a folder holds."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

from aurelia_plugin.benchmark.data.groups import columns_there
from aurelia_plugin.benchmark.data.home import AUTHORS, PUBLIC, Benchmark

__all__ = ["run_command"]

_ROW_IDS: Final = "row_ids"
"""Folder that `aurelia data build` writes beside the manifest."""


def run_command(folder: Path) -> str:
    """Return a line for a shell that evaluates all columns of a folder with a manifest.

    The model is the packaged one, which needs no download; any other may stand in its place.

    Raises:
        ConfigError: a line of the manifest is not an item.
    """
    folder = folder.expanduser().resolve()
    benchmark = _benchmark(folder)
    columns = columns_there(benchmark, folder)
    if not columns:  # none of the public benchmark's
        benchmark, columns = AUTHORS, columns_there(AUTHORS, folder)
    tasks = benchmark.name if len(columns) > 1 else f"{benchmark.name}_{columns[0]}"
    return (
        f"{benchmark.variable}={shlex.quote(str(folder))} lmms-eval --model aurelia_embedded "
        f"--tasks {tasks} --log_samples --output_path results"
    )


def _benchmark(folder: Path) -> Benchmark:
    """Return the benchmark whose folder this is: rebuilt ones have lists of row ids."""
    named = os.environ.get(PUBLIC.variable, "").strip()
    known = [PUBLIC.default_folder(), *([Path(named)] if named else [])]
    public = folder in [path.expanduser().resolve() for path in known]
    return PUBLIC if public or (folder / _ROW_IDS).is_dir() else AUTHORS
