"""Where an arm comes from: everything that is known of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.compare.inputs.logs import RunLog
from aurelia_plugin.compare.inputs.records import Record, cost_of
from aurelia_plugin.compare.inputs.scores import Scored
from aurelia_plugin.compare.result import RunInfo, TaskInfo
from aurelia_plugin.settings import AureliaSettings

__all__ = ["asked_model", "run_info"]

_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")


def run_info(
    label: str,
    log: RunLog,
    record: Record | None,
    metrics: Mapping[str, str],
    questions: Sequence[Scored],
    prices: Prices | None,
) -> RunInfo:
    """Return what the harness's results and the plugin's record say of a run.

    Args:
        metrics: task to the metric that is read as its score.
        questions: the arm's.
    """
    config = log.config
    values = record.values if record is not None else {}
    settings: Mapping[str, Any] = values.get("settings") or {}
    used = dict.fromkeys(question.task for question in questions)
    tokens = values.get("tokens") or {}
    models = values.get("models") or {}
    model = str(config.get("model") or log.results.get("model_source") or "unknown")
    return RunInfo(
        label=label,
        harness=log.harness,
        folder=str(log.folder),
        date=log.date,
        files=tuple(str(path) for path in log.files),
        model=model,
        model_args=log.model_args,
        condition=values.get("condition") or _given(log, "condition"),
        media=settings.get("media") or _given(log, "media"),
        target=str(values.get("target") or asked_model(model, log.model_args)),
        agents=values.get("roles") or {},
        threshold=values.get("threshold"),
        max_iterations=values.get("max_iterations"),
        prompts=values.get("prompts") or {},
        settings=settings,
        config_digest=values.get("config_digest"),
        versions=_versions(log, values, used),
        models={role: tuple(names) for role, names in models.items() if names},
        seeds=_seeds(log, settings),
        limit=config.get("limit"),
        tasks=tuple(_task(log, task, metrics[task], questions) for task in used),
        n=len(questions),
        seconds=log.seconds if log.seconds is not None else values.get("seconds"),
        cost=_cost(values, prices),
        tokens=tokens,
        calls={
            **(values.get("calls") or {}),
            **_target_calls(values),
        },
        dropped={
            role: evidence["dropped"]
            for role, evidence in (values.get("evidence") or {}).items()
            if evidence.get("dropped")
        },
        problems=tuple(values.get("problems") or ()),
        record=str(record.path) if record is not None else None,
        traces=str(record.traces) if record is not None else None,
    )


def _given(log: RunLog, key: str) -> str | None:
    if "aurelia" not in f"{log.config.get('model')} {log.config.get('model_backend')}":
        return None
    return log.model_args.get(key) or str(AureliaSettings.model_fields[key].default)


def asked_model(model: str, model_args: Mapping[str, str]) -> str:
    """Return the model with the arguments that are its own, where no record names it."""
    own = {
        key: value
        for key, value in sorted(model_args.items())
        if key == "target" or key not in AureliaSettings.model_fields
    }
    pairs = "&".join(f"{key}={value}" for key, value in own.items())
    return f"{model}{f'?{pairs}' if pairs else ''}"


def _versions(log: RunLog, values: Mapping[str, Any], tasks: Iterable[str]) -> dict[str, str]:
    found = {"harness": log.results.get("lmms_eval_version") or log.results.get("lm_eval_version")}
    found["aurelia"] = values.get("version")
    found["transformers"] = log.results.get("transformers_version")
    versions = log.results.get("versions") or {}
    found.update({f"task:{task}": versions.get(task) for task in tasks})
    return {name: str(version) for name, version in found.items() if version is not None}


def _seeds(log: RunLog, settings: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name: log.config.get(name)
        for name in ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")
    }
    found["aurelia"] = settings.get("seed")
    return {name: str(seed) for name, seed in found.items() if seed is not None}


def _task(log: RunLog, task: str, metric: str, questions: Sequence[Scored]) -> TaskInfo:
    config = log.task_config(task)
    own = [question for question in questions if question.task == task]
    judges = sorted({question.judge for question in own if question.judge is not None})
    parser = [f"process_results={_name(config.get('process_results'))}"]
    parser.append(f"filters={_name(config.get('filter_list') or 'none')}")
    parser += [f"judge={judge}" for judge in judges]
    data = [config.get("dataset_path"), config.get("dataset_name")]
    files = (config.get("dataset_kwargs") or {}).get("data_files")
    if isinstance(files, Mapping):
        data.append(files.get(config.get("test_split")))
    version = (log.results.get("versions") or {}).get(task)
    return TaskInfo(
        name=task,
        version=str(version) if version is not None else None,
        metric=metric,
        graded=any(question.score not in (0, 1) for question in own),
        n=len(own),
        parser=", ".join(parser),
        generation=config.get("generation_kwargs") or {},
        data=" ".join(str(part) for part in data if part),
    )


def _name(value: Any) -> str:
    return _ADDRESS.sub("", str(value))


def _target_calls(values: Mapping[str, Any]) -> dict[str, int]:
    target = (values.get("evidence") or {}).get("target")
    return {"target": target["calls"]} if target else {}


def _cost(values: Mapping[str, Any], prices: Prices | None) -> float | None:
    """Return what the run's own calls cost: by the prices given, else what the record says."""
    if prices is None:
        recorded = ((values.get("usage") or {}).get("total") or {}).get("cost_usd")
        return float(recorded) if recorded is not None else None
    tokens: Mapping[str, Mapping[str, int]] = values.get("tokens") or {}
    models: Mapping[str, Iterable[str]] = values.get("models") or {}
    if not tokens:
        return None
    calls = []
    for role, count in tokens.items():
        names = list(models.get(role, ()))
        usage = Usage(
            input_tokens=count["input"],
            output_tokens=count["output"],
            cached_tokens=count.get("cached", 0),
        )
        if len(names) > 1 and usage.total:
            return None  # several models answered: whose tokens are whose is not recorded
        seconds = ((values.get("evidence") or {}).get(role) or {}).get("sound_seconds", 0.0)
        calls.append(((names or [role])[0], usage, Evidence(sound_seconds=seconds)))
    return cost_of(calls, prices)
