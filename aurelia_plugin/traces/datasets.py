"""Traces as rows of a data set: parquet files in a folder, or a data set at the hub.

A row has what is needed to use a trace (`question_key`, `steps`, `step_answers`), to choose it
(`score`, `stop`, `roles`, ...) and the whole trace as JSON. Media are named by their clip's digest
and their file names; neither their content nor the folders that they lay in are in a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, TypedDict

from pydantic import ConfigDict

from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.files.places import inside
from aurelia_plugin.files.records import Record, parse_record, problem_of
from aurelia_plugin.files.regular import open_regular
from aurelia_plugin.files.shown import shown
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.records import MOST_BYTES, Fault, Found, trace_fault

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = [
    "COLUMNS",
    "HUB",
    "NUMBERS",
    "TEXTS",
    "Row",
    "parquet_files",
    "pull_rows",
    "read_table",
    "row_of",
]

HUB: Final = "hf:"
_NEEDED: Final = ("question_key", "steps")


class Row(TypedDict):
    """A trace as a row of a data set."""

    key: str
    question_key: str
    question: str
    clip_digest: str
    media: list[str]
    roles: list[str]
    prompts_digest: str
    threshold: int
    max_iterations: int
    seed: int
    stop: str
    score: int | None
    iterations: int
    steps: list[str]
    step_answers: list[str]
    caption: str | None
    trace: str


COLUMNS: Final = tuple(Row.__annotations__)
"""The columns of a row, in order; text but for those that follow."""

TEXTS: Final = ("media", "roles", "steps", "step_answers")
NUMBERS: Final = ("threshold", "max_iterations", "seed", "score", "iterations")


class _PulledRow(Record):
    """What a row must have to be pulled; a data set may have other columns beside."""

    model_config = ConfigDict(strict=True, extra="ignore")

    trace: str
    key: str | None = None
    question_key: str | None = None


def row_of(trace: Trace) -> Row:
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


def _trace_of(row: object, name: str) -> Found | Fault:
    """Return the trace of a row, or what is wrong with it; `name` says which row it is."""
    place = Path(name)
    try:
        pulled = _PulledRow.model_validate(row)
        content = pulled.trace.encode()
        if len(content) > MOST_BYTES:
            return Fault(place, f"its trace is larger than {MOST_BYTES >> 20} MB")
        trace = parse_record(Trace, content)
    except ValueError as error:
        return Fault(place, f"its trace cannot be read: {problem_of(error)}")
    cause = trace_fault(trace, trace.key if pulled.key is None else pulled.key)
    if cause is None and pulled.question_key not in (None, trace.question_key):
        cause = "its question_key is not that of its trace"
    return Fault(place, cause) if cause is not None else Found(place, trace.key, trace)


def parquet_files(folder: Path) -> list[str]:
    """Return the parquet files in and below a folder, without those in the making."""
    return [
        str(path) for path in sorted(folder.rglob("*.parquet")) if not path.name.startswith(".")
    ]


def _data_files(source: str) -> list[str]:
    folder = Path(source).expanduser()
    files = parquet_files(folder)
    if not files:
        raise ConfigError(f"{source}: no parquet files.", "Name a folder that has some.")
    for name in files:
        try:
            inside(folder, Path(name).relative_to(folder).as_posix())
            open_regular(Path(name)).close()
        except (MediaError, OSError) as error:
            cause = error.cause if isinstance(error, MediaError) else error.strerror or error
            raise ConfigError(
                f"{shown(name)}: {cause}.", "Remove it, or put the file itself into the folder."
            ) from error
    return files


def read_table(source: str, columns: tuple[str, ...]) -> list[Dataset]:
    """Return the splits of a data set of traces, with these columns as far as they are there.

    Args:
        source: `hf:ID`, or a folder with parquet files.
        columns: `question_key` and `steps` have to be there if they are among them.

    Raises:
        ConfigError: there is no such data set, or a column that is needed is missing.
    """
    import datasets
    from pyarrow import ArrowException

    try:
        if source.startswith(HUB):
            splits = list(datasets.load_dataset(source.removeprefix(HUB)).values())
        else:
            files = _data_files(source)
            splits = list(datasets.load_dataset("parquet", data_files=files).values())
    except (
        *(OSError, ValueError, RecursionError),
        *(datasets.exceptions.DatasetsError, ArrowException),
    ) as error:
        cause = shown(f"{error} {error.__cause__ or ''}".strip(), 1_000)
        raise ConfigError(f"{source}: {cause}", "Name hf:DATASET or a folder.") from error
    for split in splits:
        missing = {name for name in columns if name in _NEEDED} - set(split.column_names)
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
            yield _trace_of(row, f"{source}, split {number}, row {index}")
