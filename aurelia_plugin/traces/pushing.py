"""Traces published: parquet files in a folder, or a data set at the hub."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aurelia_plugin.errors import ConfigError, StoreError
from aurelia_plugin.traces.datasets import COLUMNS, HUB, NUMBERS, TEXTS, Row, row_of
from aurelia_plugin.traces.records import require_traces
from aurelia_plugin.traces.store import TraceStore

if TYPE_CHECKING:
    from datasets import Dataset, Features

__all__ = ["push"]

_ROWS_PER_FILE: Final = 50_000


def _features() -> Features:
    from datasets import Features, List, Value

    kinds: dict[str, object] = {name: List(Value("string")) for name in TEXTS}
    kinds |= {name: Value("int64") for name in NUMBERS}
    return Features({name: kinds.get(name, Value("string")) for name in COLUMNS})


def push(folder: Path, to: str, *, private: bool = True) -> int:
    """Write the finished traces of a folder as a data set.

    Args:
        folder: a traces folder.
        to: `hf:ID`, a data set at the hub that your account may write to, or a folder, whose
            earlier parquet files of traces are replaced.
        private: whether a data set that is made at the hub is private.

    Returns:
        How many traces were written.

    Raises:
        StoreError: there is none, or the folder cannot be written.
        ConfigError: the hub did not take them.
    """
    import datasets

    require_traces(folder)

    def rows() -> Iterator[Row]:
        for trace in TraceStore(folder, writable=False).traces():
            yield row_of(trace)

    with tempfile.TemporaryDirectory() as work:
        if next(rows(), None) is None:
            raise StoreError(f"{folder}: no finished trace.", "Make some with: aurelia distil")
        table = datasets.Dataset.from_generator(rows, features=_features(), cache_dir=work)
        if to.startswith(HUB):
            _to_hub(table, to.removeprefix(HUB), private)
        else:
            _to_folder(table, Path(to))
        return len(table)


def _to_hub(table: Dataset, name: str, private: bool) -> None:
    from httpx import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        table.push_to_hub(name, private=private)
    except (HfHubHTTPError, OfflineModeIsEnabled, HTTPError, OSError, ValueError) as error:
        raise ConfigError(
            f"hf:{name}: {error}", "Log in with `hf auth login`, and name ACCOUNT/DATASET."
        ) from error


def _to_folder(table: Dataset, folder: Path) -> None:
    files = -(-len(table) // _ROWS_PER_FILE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stale = set(folder.glob("traces-*-of-*.parquet"))
        for index in range(files):
            path = folder / f"traces-{index:05d}-of-{files:05d}.parquet"
            part = path.with_name(f".part-{path.name}")
            table.shard(files, index, contiguous=True).to_parquet(part)
            part.replace(path)
            stale.discard(path)
        for path in stale:
            path.unlink()
    except OSError as error:
        raise StoreError(
            f"{folder}: {error.strerror or error}.", "Name a folder that can be written to."
        ) from error
