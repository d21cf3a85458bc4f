"""Published boards: dated data files, one each, that users can add to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from statistics import fmean
from typing import Final, Literal

import yaml
from pydantic import ValidationError

from aurelia_plugin.benchmark.reported import reported
from aurelia_plugin.compare.result import BoardPlace, BoardRow, Figure, RunInfo
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record
from aurelia_plugin.settings import explain

__all__ = ["Board", "load_board", "packaged_boards", "places"]


class _Row(Record):
    model: str
    score: float
    note: str = ""


class Board(Record):
    """One published board.

    Attributes:
        source: where it was read; `dated`: as of when.
        metric: what the score is, in percent.
        tasks: names of the tasks whose results belong on it; `*` stands for anything.
        n: questions of the board.
        protocol: split, prompt, judge, and, where they are known, frames and form of the sound, in
            words.
        closest: the command that comes closest to the setting of the figures.
        rows: in any order; `reported` takes the paper's table.
    """

    title: str
    source: str
    dated: str
    metric: str
    tasks: tuple[str, ...]
    n: int
    protocol: Mapping[Literal["split", "prompt", "judge", "frames", "sound"], str]
    closest: str = ""
    rows: tuple[_Row, ...] | Literal["reported"]

    def published(self) -> list[_Row]:
        """Return the rows."""
        return list(self.rows) if self.rows != "reported" else list(_paper())

    def has(self, task: str) -> bool:
        """Return whether a task's results belong on the board."""
        return any(fnmatch(task, pattern) for pattern in self.tasks)


def _paper() -> Iterable[_Row]:
    for row in reported().rows:
        cells = row.cells.values()
        yield _Row(model=row.model, score=fmean(cell.second for cell in cells), note="zero-shot")
        gained = [cell.with_aurelia for cell in cells if cell.with_aurelia is not None]
        if len(gained) == len(cells):
            yield _Row(model=f"{row.model} + AURELIA", score=fmean(gained), note="with AURELIA")


def packaged_boards() -> list[str]:
    """Return the names of the boards that come with the package."""
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in files(__package__).iterdir()
        if entry.name.endswith(".yaml")
    )


def load_board(name: str) -> Board:
    """Return a packaged board, or the one in a file of the same form.

    Raises:
        ConfigError: there is none of that name, or the file has faults.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror or error}.", "Name a file.") from error
    elif name in packaged_boards():
        text = (files(__package__) / f"{name}.yaml").read_text("utf-8")
    else:
        raise ConfigError(
            f"board {name}: there is no such board.",
            f"Choose from: {', '.join(packaged_boards())}; or name a YAML file of that form.",
        )
    try:
        return Board.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: {error}", "Correct the YAML.") from error
    except ValidationError as error:
        raise ConfigError(*explain(error, name)) from error


def places(
    names: Sequence[str], runs: Sequence[RunInfo], figures: Sequence[Figure]
) -> tuple[BoardPlace, ...]:
    """Return each board with the measured runs in their places.

    Raises:
        ConfigError: no run has a task of the board.
    """
    return tuple(_place(name, load_board(name), runs, figures) for name in names)


def _place(
    name: str, board: Board, runs: Sequence[RunInfo], figures: Sequence[Figure]
) -> BoardPlace:
    fitting = [run for run in runs if run.tasks and all(board.has(task.name) for task in run.tasks)]
    if not fitting:
        ran = sorted({task.name for run in runs for task in run.tasks})
        raise ConfigError(
            f"--board {name}: no run is of its tasks alone ({', '.join(board.tasks)}); the runs "
            f"have {', '.join(ran)}.",
            "Compare runs of that benchmark, or leave the board out.",
        )
    kinds = ("mean_over_columns",) if board.rows == "reported" else ("all",)
    measured = []
    for run in fitting:
        own = [figure for figure in figures if figure.arm == run.label]
        chosen = [figure for figure in own if figure.kind in kinds] or own[:1]
        measured += [(run, figure) for figure in chosen[:1]]
    rows = [BoardRow(rank=0, model=r.model, score=r.score, note=r.note) for r in board.published()]
    rows += [
        BoardRow(
            rank=0,
            model=f"{run.label}: {run.target}",
            score=100 * figure.score,
            arm=run.label,
            note=f"measured, n = {figure.n}",
        )
        for run, figure in measured
    ]
    rows.sort(key=lambda row: -row.score)
    return BoardPlace(
        board=name,
        title=board.title,
        source=board.source,
        dated=board.dated,
        metric=board.metric,
        rows=tuple(
            row.model_copy(update={"rank": 1 + sum(other.score > row.score for other in rows)})
            for row in rows
        ),
        differs=tuple(_differences(board, measured)),
    )


def _differences(board: Board, measured: Sequence[tuple[RunInfo, Figure]]) -> Iterable[str]:
    """Yield how the runs differ from the board, those that say the same together."""
    counts = {run.label: f"n = {figure.n} of {', '.join(_tasks(run))}" for run, figure in measured}
    prompts = {run.label: _prompt(run) for run, _ in measured}
    parsers = {
        run.label: "; ".join(sorted({task.parser for task in run.tasks})) for run, _ in measured
    }
    published: dict[str, str] = {
        "split": f"{board.protocol.get('split', 'unknown')} (n = {board.n})",
        "prompt": board.protocol.get("prompt", "unknown"),
        "judge": board.protocol.get("judge", "unknown"),
    }
    frames = {run.label: _given(run, _FRAMES) for run, _ in measured}
    sounds = {run.label: _given(run, _SOUND) for run, _ in measured}
    aspects = [("split", counts), ("prompt", prompts), ("judge", parsers)]
    if "frames" in board.protocol:
        published["frames"] = board.protocol["frames"]
        aspects.append(("frames", frames))
    if "sound" in board.protocol:
        published["sound"] = board.protocol["sound"]
        aspects.append(("sound", sounds))
    for what, own in aspects:
        groups: dict[str, list[str]] = {}
        for label, text in own.items():
            groups.setdefault(text, []).append(label)
        here = "; ".join(f"{', '.join(labels)}: {text}" for text, labels in groups.items())
        yield f"{what}: board: {published[what]}; {here}"


_FRAMES: Final = ("max_frames", "frames", "num_frames", "max_num_frames", "fps")
_SOUND: Final = ("soundtrack", "media")


def _given(run: RunInfo, keys: Sequence[str]) -> str:
    """Return what the run was told of the keys, else that it took the target's own."""
    told = [f"{key}={run.model_args[key]}" for key in keys if key in run.model_args]
    return ", ".join(told) or "the target's own default"


def _tasks(run: RunInfo) -> list[str]:
    return [task.name for task in run.tasks]


def _prompt(run: RunInfo) -> str:
    limits = sorted({str(task.generation.get("max_new_tokens", "?")) for task in run.tasks})
    arm = f"condition={run.condition}" if run.condition else "as the task asks"
    return f"{arm}, at most {'/'.join(limits)} tokens"
