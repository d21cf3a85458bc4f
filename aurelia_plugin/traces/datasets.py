"""Traces as rows of a data set: parquet files in a folder, or a data set at the hub.

A row has what is needed to use a trace (`question_key`, `steps`, `step_answers`), to choose it
(`score`, `stop`, `roles`, ...) and the whole trace as JSON. Media are named by their clip's digest
and their file names; neither their content nor the folders that they lay in are in a row.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from pydantic import ValidationError

from aurelia_plugin.errors import ConfigError, StoreError
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.integrity import Fault, Found, trace_fault
from aurelia_plugin.traces.store import TraceStore

__all__ = [
    "COLUMNS",
    "HUB",
    "NUMBERS",
    "TEXTS",
    "parquet_files",
    "pull_rows",
    "push",
    "read_table",
    "row_of",
    "trace_of",
]

HUB = "hf:"
_ROWS_PER_FILE = 50_000
_NEEDED = ("question_key", "steps")


def row_of(trace: Trace) -> dict[str, Any]:
    """Return a trace as a row."""
    named = trace.model_copy(
        update={"media": tuple(PurePath(name.replace("\\", "/")).name for name in trace.media)}
    )
    best = None if trace.best is None else trace.iterations[trace.best]
    return {
        "key": trace.key,
        "question_key": trace.question_key,
        "question": trace.question,
        "clip_digest": trace.clip_digest,
        "media": list(named.media),
        "roles": [f"{role}={identity}" for role, identity in sorted(trace.roles.items())],
        "prompts_digest": trace.prompts_digest,
        "threshold": trace.threshold,
        "max_iterations": trace.max_iterations,
        "seed": trace.seed,
        "stop": trace.stop,
        "score": None if best is None else best.score,
        "iterations": len(trace.iterations),
        "steps": list(trace.steps),
        "step_answers": list(trace.step_answers),
        "caption": None if best is None else best.caption,
        "trace": named.model_dump_json(),
    }


COLUMNS = (
    "key",
    "question_key",
    "question",
    "clip_digest",
    "media",
    "roles",
    "prompts_digest",
    "threshold",
    "max_iterations",
    "seed",
    "stop",
    "score",
    "iterations",
    "steps",
    "step_answers",
    "caption",
    "trace",
)
"""The columns of a row, in order; text but for those that follow."""

TEXTS = ("media", "roles", "steps", "step_answers")
NUMBERS = ("threshold", "max_iterations", "seed", "score", "iterations")


def _features() -> Any:
    from datasets import Features, List, Value

    kinds: dict[str, Any] = {name: List(Value("string")) for name in TEXTS}
    kinds |= {name: Value("int64") for name in NUMBERS}
    return Features({name: kinds.get(name, Value("string")) for name in COLUMNS})


def trace_of(row: Mapping[str, Any], name: str) -> Found | Fault:
    """Return the trace of a row, or what is wrong with it; `name` says which row it is."""
    place = Path(name)
    try:
        trace = Trace.model_validate_json(row["trace"])
    except (KeyError, TypeError):
        return Fault(place, "it has no text in the column trace")
    except ValidationError as error:
        return Fault(place, f"its trace cannot be read: {error.errors()[0]['msg']}")
    cause = trace_fault(trace, str(row.get("key", trace.key)))
    if cause is None and row.get("question_key", trace.question_key) != trace.question_key:
        cause = "its question_key is not that of its trace"
    return Fault(place, cause) if cause is not None else Found(place, trace.key, trace)


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

    if not (folder / "traces").is_dir():
        raise StoreError(f"{folder}: not a traces folder.", "Name one that holds traces/.")

    def rows() -> Iterator[dict[str, Any]]:
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


def _to_hub(table: Any, name: str, private: bool) -> None:
    from httpx import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        table.push_to_hub(name, private=private)
    except (HfHubHTTPError, OfflineModeIsEnabled, HTTPError, OSError, ValueError) as error:
        raise ConfigError(
            f"hf:{name}: {error}", "Log in with `hf auth login`, and name ACCOUNT/DATASET."
        ) from error


def _to_folder(table: Any, folder: Path) -> None:
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


def parquet_files(folder: Path) -> list[str]:
    """Return the parquet files in and below a folder, without those in the making."""
    return [
        str(path) for path in sorted(folder.rglob("*.parquet")) if not path.name.startswith(".")
    ]


def read_table(source: str, columns: tuple[str, ...]) -> list[Any]:
    """Return the splits of a data set of traces, with these columns as far as they are there.

    Args:
        source: `hf:ID`, or a folder with parquet files.
        columns: `question_key` and `steps` have to be there if they are among them.

    Raises:
        ConfigError: there is no such data set, or a column that is needed is missing.
    """
    import datasets

    try:
        if source.startswith(HUB):
            splits = list(datasets.load_dataset(source.removeprefix(HUB)).values())
        else:
            files = parquet_files(Path(source).expanduser())
            if not files:
                raise ConfigError(f"{source}: no parquet files.", "Name a folder that has some.")
            splits = list(datasets.load_dataset("parquet", data_files=files).values())
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise ConfigError(f"{source}: {error}", "Name hf:DATASET or a folder.") from error
    missing = {name for name in columns if name in _NEEDED} - set(splits[0].column_names)
    if missing:
        raise ConfigError(
            f"{source}: the data set lacks {', '.join(sorted(missing))}.",
            "It needs the columns question_key and steps.",
        )
    return [
        split.select_columns([name for name in columns if name in split.column_names])
        for split in splits
    ]


def pull_rows(source: str) -> Iterator[Found | Fault]:
    """Yield the trace of every row of a data set, and a fault for each row that holds none.

    Raises:
        ConfigError: see `read_table`.
    """
    for number, split in enumerate(read_table(source, ("key", "question_key", "trace"))):
        for index, row in enumerate(split):
            yield trace_of(row, f"{source}, split {number}, row {index}")
