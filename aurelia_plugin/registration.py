"""What lmms-eval finds when it starts: the model manifests and the task folder.

Entry points load this module in every lmms-eval process, so it imports nothing heavy, and nothing
here may raise: one failing plugin would take down all plugins that come after it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["attach_tasks", "manifests", "tasks_path"]

_HARNESS_TASKS = "lmms_eval.tasks"
_MARK = "_aurelia_tasks"
_PREFIX = "aurelia_"
_WRAPPER = "aurelia_plugin.model_wrappers.aurelia"


def tasks_path() -> Path:
    """Return the folder with the packaged tasks."""
    from aurelia_plugin import task_yamls

    return Path(next(iter(task_yamls.__path__))).resolve()


def manifests() -> list[Any]:
    """Return the model manifests for lmms-eval, and see to it that it finds the tasks.

    `aurelia` takes its target from `--model_args`; `aurelia_<id>` stands for a catalogue row.
    """
    from lmms_eval.models.registry_v2 import ModelManifest

    found = [ModelManifest(model_id="aurelia", chat_class_path=f"{_WRAPPER}.Aurelia")]
    try:
        attach_tasks()
        found += [
            ModelManifest(model_id=f"{_PREFIX}{id_}", chat_class_path=f"{_WRAPPER}.Aurelia_{id_}")
            for id_ in _catalogue_ids()
        ]
    except Exception as error:  # noqa: BLE001 - see the module's docstring
        _warn("aurelia-lmms-eval is not fully registered", error)
    return found


def _warn(what: str, error: Exception) -> None:
    from loguru import logger  # only now: a process in which all is well does without

    logger.warning("{}: {}", what, error)


def _catalogue_ids() -> list[str]:
    from aurelia_plugin import model_wrappers

    path = Path(next(iter(model_wrappers.__path__))) / "catalogue.yaml"
    # Importing a YAML parser and parsing all rows would cost every lmms-eval process 35 ms.
    # The rows' form is fixed and checked against the parsed catalogue in the tests.
    return re.findall(r"^  - id: (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def attach_tasks() -> None:
    """Make lmms-eval's task manager index the packaged tasks: now, or when it is imported.

    Importing `lmms_eval.tasks` here would cost seconds and load torch.
    """
    loaded = sys.modules.get(_HARNESS_TASKS)
    if loaded is not None:
        _wrap_task_manager(loaded)
    elif not any(isinstance(finder, _OneShotFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OneShotFinder())


def _wrap_task_manager(module: ModuleType) -> None:
    """Wrap `TaskManager.initialize_tasks` once: add our folder, map our model names."""
    manager = getattr(module, "TaskManager", None)
    if manager is None or hasattr(manager, _MARK):
        return
    original = manager.initialize_tasks

    def initialize_tasks(
        self: Any, include_path: str | Sequence[str] | None = None, include_defaults: bool = True
    ) -> Any:
        # A task's prompts for model X hold for `aurelia_X`: both arms must be asked alike.
        name = getattr(self, "model_name", None)
        if isinstance(name, str) and name.startswith(_PREFIX):
            self.model_name = name.removeprefix(_PREFIX)
        index = original(self, include_path=include_path, include_defaults=include_defaults)
        ours = tasks_path()
        if _holds(index, ours):  # the harness reads `lmms_eval.tasks` entry points, or was told
            return index
        added = original(self, include_path=[str(ours)], include_defaults=False)
        return {**added, **index}  # as in the harness, the first of two tasks of one name counts

    manager.initialize_tasks = initialize_tasks
    setattr(manager, _MARK, True)


def _holds(index: Mapping[str, Any], folder: Path) -> bool:
    """Whether the harness has indexed a task of this folder."""
    names = {path.name for path in folder.rglob("*.yaml")}
    paths = (Path(str(entry.get("yaml_path"))) for entry in index.values())
    # Resolving a path costs; of the harness's thousands only those of such a name are looked at.
    return any(folder in path.resolve().parents for path in paths if path.name in names)


class _OneShotFinder(importlib.abc.MetaPathFinder):
    """Waits for the import of `lmms_eval.tasks`, and removes itself when it comes."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _HARNESS_TASKS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenWrap(spec.loader)
        return spec


class _ThenWrap(importlib.abc.Loader):
    """The harness's own loader, with one step after it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # get_source, is_package and the like

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        try:
            _wrap_task_manager(module)
        except Exception as error:  # noqa: BLE001 - the harness must start without our tasks
            _warn("the AURELIA tasks cannot be found by name", error)
