"""From a row of any task's log to a score, right or wrong, a category and a video."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aurelia_plugin.benchmark.data.candidates import outcomes
from aurelia_plugin.compare.inputs.logs import Row, RunLog
from aurelia_plugin.errors import ConfigError

__all__ = ["Scored", "metric_of", "scored_rows"]

_LARGEST: Final = 1e12
"""Beyond this a score is taken for an overflow: squares of it are added up."""

_NUMBERS: Final = ("score", "correct", "is_correct", "accuracy", "acc", "exact_match", "hit")
_SAID: Final = ("pred_answer", "parsed_pred", "parsed_answer", "prediction", "pred")
_GOLD: Final = ("answer", "gold", "ground_truth", "gt_answer", "gt", "label", "target")
_CATEGORIES: Final = ("category", "task_category", "task_type", "question_type", "subject")
_VIDEOS: Final = ("video", "videoID", "video_id", "video_name", "video_path", "image_id")
_OWN: Final = frozenset(("item", "column", "category", "video"))
_NOT_METRICS: Final = frozenset(
    (
        *("doc_id", "target", "filtered_resps", "resps", "token_counts", "doc_hash", "input"),
        *("input_media", "arguments", "doc", "filter", "metrics", "prompt_hash", "target_hash"),
        *("item", "column", "category", "video", "gold", "unparsed", "way"),
    )
)


class Scored(NamedTuple):
    """One row, understood.

    Attributes:
        said: what the task's own parser read, if the log holds it.
        extra: what the log keeps of an item of this package (`benchmark.results.about`).
    """

    task: str
    doc_id: str
    item: str
    column: str
    category: str
    cluster: str
    score: float
    right: bool | None
    unparsed: bool | None
    answer: str
    said: str | None
    target: str
    question: str
    input_tokens: int | None
    output_tokens: int | None
    judge: str | None
    extra: Mapping[str, Any]


def metric_of(log: RunLog, task: str, wanted: str | None = None) -> str:
    """Return the metric that is read as a task's score.

    The one that is wanted; else `score`, this package's; else the first of the task's own list
    that is better when higher and gives every document a number.

    Raises:
        ConfigError: no metric gives every document a number, or one that is read is not finite;
            file and line are named.
    """
    rows = log.rows[task]
    listed = log.task_config(task).get("metric_list") or []
    names = [entry["metric"] for entry in listed if entry.get("higher_is_better", True)]
    names = [name for name in names if isinstance(name, str)]
    present = [key for key in (rows[0] if rows else {}) if key not in _NOT_METRICS]
    named = list(rows[0].get("metrics") or []) if rows else []
    for name in [wanted] if wanted else ["score", *names, *named, *present]:
        if rows and all(_number(row.get(name)) is not None for row in rows):
            _require_finite(log, task, name)
            return name
    raise ConfigError(
        f"{log.folder}: task {task}: "
        + (
            f"metric {wanted} does not give every document a number."
            if wanted
            else "no metric gives every document a number."
        ),
        f"Choose one with --metric; the log has: {', '.join(present) or 'none'}.",
    )


def _require_finite(log: RunLog, task: str, metric: str) -> None:
    """Refuse rows whose score, or another number that is read, is NaN or infinite."""
    for row in log.rows[task]:
        read = {metric: _number(row.get(metric))}
        read |= {key: row.get(key) for key in ("accuracy", "unparsed")}
        for key, value in read.items():
            if isinstance(value, int | float) and not -_LARGEST <= value <= _LARGEST:
                raise ConfigError(
                    f"{log.place(task, row)}: {key} of document {row.get('doc_id')} is {value}, "
                    "which is no score.",
                    "Correct the task's metric (0 for an answer that it cannot score) and run it "
                    "again, or read another metric with --metric KEY.",
                )


def _number(value: Any) -> float | None:
    """Return a metric value as a number: itself, its `score`, or whether answer meets gold."""
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, Mapping):
        return None
    if {"rating", "right", "candidate"} <= set(value):  # one candidate of a rated question
        return 0.0
    for key in _NUMBERS:
        if isinstance(value.get(key), bool | int | float):
            return float(value[key])
    said, gold = _first(value, _SAID), _first(value, _GOLD)
    if isinstance(said, str | int) and isinstance(gold, str | int):
        return float(str(said).strip().casefold() == str(gold).strip().casefold())
    return None


def _first(value: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def scored_rows(log: RunLog, task: str, metric: str, cluster: str | None = None) -> list[Scored]:
    """Return a task's rows, understood; candidates rated one by one become one row each question.

    Args:
        cluster: the key that names the video, in the row or in the metric's value.

    Raises:
        ConfigError: a row lacks that key.
    """
    rows = log.rows[task]
    rated = [
        row for row in rows if isinstance(row.get(metric), Mapping) and "rating" in row[metric]
    ]
    results = outcomes(row[metric] for row in rated)
    groups: dict[str, list[Row]] = {}
    for row in rated:
        groups.setdefault(row[metric]["question"], []).append(row)
    scored = [_scored(task, row, metric, cluster) for row in rows if row not in rated]
    for question, outcome in results.items():
        one = _scored(task, groups[question][0], metric, cluster)
        replies = "\n".join(_text(row) for row in groups[question])
        scored.append(
            one._replace(
                column=f"{one.column} (per candidate)",
                score=outcome.score,
                right=outcome.score == 1.0,
                unparsed=bool(outcome.unparsed),
                answer=replies,
                input_tokens=_total(_tokens(row)[0] for row in groups[question]),
                output_tokens=_total(_tokens(row)[1] for row in groups[question]),
            )
        )
    return scored


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _scored(task: str, row: Row, metric: str, cluster: str | None) -> Scored:
    value = row.get(metric)
    inside: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    score = _number(value)
    assert score is not None  # metric_of has seen to it
    accuracy = row.get("accuracy") if isinstance(row.get("accuracy"), int | float) else None
    said = _first(inside, _SAID)
    unparsed = row.get("unparsed")
    identity = str(row.get("doc_id"))
    logged = row.get("doc")  # lm-eval logs the whole document
    doc: dict[str, Any] = dict(logged) if isinstance(logged, Mapping) else {}
    about = {**doc, **row} if set(doc) >= _OWN else row
    # Another task may use these words for other things: all of them together are ours.
    own = set(about) >= _OWN
    item = str(about["item"]) if own else f"{task}/{identity}"
    gold = about.get("gold")
    judge = row.get("judge")
    tokens = _tokens(row)
    return Scored(
        task=task,
        doc_id=identity,
        item=item,
        column=str(about["column"]) if own else task,
        category=str(about.get("category") or _first(inside, _CATEGORIES) or task),
        cluster=_cluster(about, inside, cluster, item),
        score=score,
        right=accuracy == 1 if accuracy is not None else _right(score),
        unparsed=bool(unparsed) if isinstance(unparsed, int | float) else _silent(inside),
        answer=_text(row),
        said=str(said) if isinstance(said, str | int) and said != "" else None,
        target=_string(row.get("target")),
        question=_question(row),
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        judge=f"{judge['service']}:{judge['model']}" if isinstance(judge, Mapping) else None,
        extra={
            **(gold if own and isinstance(gold, Mapping) else {}),
            **{key: about[key] for key in ("variant",) if key in about},
        },
    )


def _right(score: float) -> bool | None:
    return score == 1 if score in (0, 1) else None


def _silent(inside: Mapping[str, Any]) -> bool | None:
    keys = [key for key in _SAID if key in inside]
    return inside[keys[0]] in (None, "") if keys else None


def _cluster(about: Row, inside: Mapping[str, Any], key: str | None, item: str) -> str:
    if key is None:
        found = _first(about, _VIDEOS) or _first(inside, _VIDEOS)
        return str(found) if isinstance(found, str | int) else item
    found = about.get(key, inside.get(key))
    if found is None:
        known = sorted({*about, *inside})
        raise ConfigError(
            f"--cluster {key}: document {item} has no such key.",
            f"Choose from: {', '.join(known)}",
        )
    return str(found)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _text(row: Row) -> str:
    value = row.get("filtered_resps", row.get("resps"))
    while isinstance(value, Sequence) and not isinstance(value, str) and value:
        value = value[0]
    return _string(value) if value != [] else ""


def _question(row: Row) -> str:
    if "input" in row:
        return _string(row["input"])
    arguments = row.get("arguments")  # lm-eval: {"gen_args_0": {"arg_0": the prompt, ...}}
    while isinstance(arguments, Mapping | list) and arguments:
        arguments = next(iter(arguments.values() if isinstance(arguments, Mapping) else arguments))
    return _string(arguments)


def _tokens(row: Row) -> tuple[int | None, int | None]:
    counts = row.get("token_counts")
    known = [count for count in counts if count] if isinstance(counts, list) else []
    if not known:
        return None, None
    return (
        sum(int(count.get("input_tokens") or 0) for count in known),
        sum(int(count.get("output_tokens") or 0) for count in known),
    )
