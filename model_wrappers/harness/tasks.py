"""The questions of lmms-eval tasks without a run: the same requests that a run would make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aurelia_plugin.arguments import read_pairs, split_list
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.harness.instances import InstanceSource
from aurelia_plugin.registration import attach_tasks, tasks_path

if TYPE_CHECKING:
    from lmms_eval.api.task import Task
    from lmms_eval.tasks import TaskManager

__all__ = ["load_sources", "read_model_args"]

_FEWSHOT_SEED = 1234
"""lmms-eval's own default."""


def read_model_args(text: str) -> dict[str, Any]:
    """Return `--model_args` as lmms-eval reads them.

    Raises:
        ConfigError: if they are not key=value pairs.
    """
    from lmms_eval.utils import handle_arg_string

    pairs = read_pairs(split_list(text), "--model_args")
    return {key: handle_arg_string(value) for key, value in pairs.items()}


def load_sources(
    tasks: Sequence[str],
    model: str,
    *,
    limit: float | None = None,
    include_path: str | None = None,
    seed: int = 0,
) -> list[InstanceSource]:
    """Return what makes the questions of tasks, groups and tags, in the harness's order.

    Args:
        tasks: their names.
        model: as `--model` will be: the harness chooses a task's prompts by this name.
        limit: questions of each task; below 1, a share of them.
        include_path: a folder with further tasks.
        seed: as the setting.

    Raises:
        ConfigError: there is no such task, or it is not answered by generated text.
    """
    attach_tasks()
    from lmms_eval.tasks import get_task_dict

    manager = _manager(tasks, model, include_path)
    unknown = [name for name in tasks if not manager.match_tasks([name])]
    if unknown:
        raise ConfigError(
            f"--tasks: lmms-eval knows no {', '.join(unknown)}.",
            'List what there is with: lmms-eval tasks list --include-path "$(aurelia tasks-path)"',
        )
    loaded = dict(_leaves(get_task_dict(list(tasks), manager, "chat")))
    data = {name: task.dataset for name, task in loaded.items()}
    return [
        source
        for name, task in loaded.items()
        for source in _sources(name, task, data, limit, seed)
    ]


def _manager(tasks: Sequence[str], model: str, include_path: str | None) -> TaskManager:
    """Return the harness's index: of the packaged tasks alone where these are all that is asked.

    Reading the index of all its own tasks takes the harness ten seconds; the packaged names are
    none of them.
    """
    from lmms_eval.tasks import TaskManager

    ours = TaskManager(model_name=model, include_path=str(tasks_path()), include_defaults=False)
    if include_path is None and all(ours.match_tasks([name]) for name in tasks):
        return ours
    return TaskManager(model_name=model, include_path=include_path)


def _leaves(tasks: Mapping[object, object]) -> Iterator[tuple[str, Task]]:
    for name, task in tasks.items():
        if isinstance(task, Mapping):
            yield from _leaves(task)
            continue
        found = task[1] if isinstance(task, tuple) else task
        if found is not None:
            yield str(name), found


def _sources(
    name: str, task: Task, data: Mapping[str, Any], limit: float | None, seed: int
) -> Iterator[InstanceSource]:
    from lmms_eval.evaluator_utils import get_sample_size

    if task.get_config("output_type") != "generate_until":
        raise ConfigError(
            f"--tasks {name}: its output type is {task.get_config('output_type')}.",
            "Name tasks of the type generate_until.",
        )
    # What lmms-eval's evaluator sets before it builds requests.
    if task.get_config("num_fewshot") is None:
        task.set_config(key="num_fewshot", value=0)
    task.set_fewshot_seed(seed=_FEWSHOT_SEED)
    task.build_all_requests(limit=get_sample_size(task, limit), rank=0, world_size=1)
    for instance in task.instances:
        yield InstanceSource(instance, data, seed=seed)
