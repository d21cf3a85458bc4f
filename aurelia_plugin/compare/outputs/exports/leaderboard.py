"""Results for model pages and boards: Hugging Face's two forms, and a Markdown row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, eval_result_entries_to_yaml
from huggingface_hub.repocard_data import eval_results_to_model_index

from aurelia_plugin.compare.outputs.cells import between, share, slug
from aurelia_plugin.compare.result import Comparison, Figure, RunInfo
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.escaping import for_markdown

__all__ = ["Publication", "export_leaderboard"]


class Publication(NamedTuple):
    """How the results are to be published.

    Attributes:
        model: the model's id on the hub; the run's target if None.
        dataset: the data set's id on the hub, for tasks whose data are local files.
        url: where the logs can be read.
    """

    model: str | None = None
    dataset: str | None = None
    url: str | None = None


def export_leaderboard(
    result: Comparison, folder: Path, arm: str | None, publication: Publication
) -> list[Path]:
    """Write an arm's results: `model-index.yaml`, `.eval_results/*.yaml`, `row.md`.

    `.eval_results` names a data set of the hub, so it is written for tasks whose data come from
    there, and for others if the publication names one.

    Raises:
        ConfigError: the arm is not there, or must be named.
    """
    run = _run(result, arm)
    files = {"row.md": _row(result, run, publication)}
    index = eval_results_to_model_index(
        publication.model or run.target, list(_model_index(result, run, publication))
    )
    files["model-index.yaml"] = yaml.safe_dump(
        {"model-index": _without_none(index)}, sort_keys=False, allow_unicode=True
    )
    entries = list(_entries(result, run, publication))
    if entries:
        files[f".eval_results/{slug(run.label)}.yaml"] = yaml.safe_dump(
            eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True
        )
    for name, text in files.items():
        write_atomically(folder / name, text.encode("utf-8"))
    return [folder / name for name in files]


def _run(result: Comparison, arm: str | None) -> RunInfo:
    labels = [run.label for run in result.runs]
    if arm is None and len(labels) == 1:
        return result.runs[0]
    if arm not in labels:
        raise ConfigError(
            f"--arm {arm}: no such run." if arm else "There are several runs.",
            f"Name one with --arm: {', '.join(labels)}",
        )
    return result.runs[labels.index(arm)]


def _columns(result: Comparison, run: RunInfo) -> Iterator[tuple[str, Figure]]:
    """Yield each column with its task's name, and the mean over columns at the end."""
    tasks = {item.column: item.task for item in result.items}
    for column in result.columns:
        figure = result.figure(run.label, "column", column)
        if figure is not None:
            yield tasks[column], figure


def _notes(run: RunInfo, figure: Figure) -> str:
    parts = [f"n={figure.n}", f"95% interval {between(figure)}"]
    if run.condition:
        parts.append(f"condition={run.condition}")
    parts += [f"{role}={identity}" for role, identity in run.agents.items()]
    if run.media not in (None, "full"):
        parts.append(f"media={run.media}")
    return ", ".join(parts)


def _data(run: RunInfo, task: str) -> str:
    return next((info.data for info in run.tasks if info.name == task), "")


def _model_index(result: Comparison, run: RunInfo, how: Publication) -> Iterator[EvalResult]:
    for task, figure in _columns(result, run):
        version = run.versions.get(f"task:{task}")
        yield EvalResult(
            task_type="visual-question-answering",
            task_name="Audio-visual question answering",
            dataset_type=how.dataset or task,
            dataset_config=task,
            dataset_name=f"{task} (version {version})" if version else task,
            metric_type="accuracy" if _is_right_or_wrong(run, task) else "score",
            metric_name=_metric(run, task),
            metric_value=round(100 * figure.score, 2),
            metric_args={"notes": _notes(run, figure)},
            verified=False,
            source_name="lmms-eval with aurelia-lmms-eval" if how.url else None,
            source_url=how.url,
        )


def _is_right_or_wrong(run: RunInfo, task: str) -> bool:
    return any(info.name == task and not info.graded for info in run.tasks)


def _metric(run: RunInfo, task: str) -> str:
    return next((info.metric for info in run.tasks if info.name == task), "score")


def _entries(result: Comparison, run: RunInfo, how: Publication) -> Iterator[EvalResultEntry]:
    for task, figure in _columns(result, run):
        data = how.dataset or _data(run, task).split(" ")[0]
        if data.count("/") != 1 or data.startswith(("/", ".")):
            continue  # local files: no data set of the hub
        yield EvalResultEntry(
            dataset_id=data,
            task_id=task,
            value=round(100 * figure.score, 2),
            date=result.created,
            source_url=how.url,
            source_name="lmms-eval with aurelia-lmms-eval" if how.url else None,
            notes=_notes(run, figure),
        )


def _row(result: Comparison, run: RunInfo, how: Publication) -> str:
    figures = [(figure.name, figure) for _, figure in _columns(result, run)]
    mean = result.figure(run.label, "mean_over_columns")
    if mean is not None:
        figures.append(("mean", mean))
    head = " | ".join(["model", "condition", *(for_markdown(name) for name, _ in figures)])
    cells = [f"{share(f.score)} ({between(f)})" for _, f in figures]
    name = for_markdown(how.model or run.target)
    return (
        f"| {head} |\n|{'---|' * (len(figures) + 2)}\n"
        f"| {' | '.join([name, for_markdown(run.condition or '-'), *cells])} |\n"
    )


def _without_none(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list) else value
