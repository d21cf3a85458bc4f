"""What lmms-eval finds without being told, and what that costs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "transformers", "google.genai", "openai", "av", "numpy", "pydantic")


def python(code: str, **environment: str) -> str:
    """Run code in a fresh interpreter and return what it prints last."""
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_importing_the_models_loads_nothing_heavy_of_ours() -> None:
    code = f"""
import sys, importlib.metadata as md
import lmms_eval.models.registry_v2
before = set(sys.modules)
from aurelia_plugin.registration import manifests
found = [m.model_id for m in manifests()]
new = set(sys.modules) - before
print(sorted(new & set({HEAVY!r})), "aurelia" in found, "aurelia_embedded" in found)
"""
    assert python(code) == "[] True True"


def test_the_harness_knows_our_models() -> None:
    code = """
from lmms_eval.models import get_model
import lmms_eval.models as models
names = models.MODEL_REGISTRY_V2.list_model_names()
row = get_model("aurelia_embedded")
print("aurelia" in names, "aurelia_embedded" in names, row.default_target, row.is_simple)
"""
    assert python(code) == "True True embedded False"


FIND = """
manager = TaskManager(model_name="aurelia_embedded")
ours = [name for name in manager.all_tasks if name.startswith("avreasonbench_mini")]
print(len(ours), manager.model_name, len(manager.all_tasks) > 100)
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import lmms_eval.models\nfrom lmms_eval.tasks import TaskManager",
        "from lmms_eval.tasks import TaskManager\nimport lmms_eval.models",
        # A harness that loads its plugins twice, on top of it.
        "import lmms_eval.models, aurelia_plugin.registration as r\nr.manifests(); r.manifests()\n"
        "from lmms_eval.tasks import TaskManager\nr.manifests()",
    ],
)
def test_tasks_are_found_in_both_import_orders(imports: str) -> None:
    assert python(imports + FIND) == "8 embedded True"


def test_a_folder_that_is_given_too_is_not_indexed_twice() -> None:
    code = """
import lmms_eval.models
from lmms_eval.tasks import TaskManager
from aurelia_plugin.registration import tasks_path
both = TaskManager(include_path=[str(tasks_path())], include_defaults=False)
alone = TaskManager(include_path=str(tasks_path()), include_defaults=False)
print(both.all_tasks == alone.all_tasks, "avreasonbench_mini" in both.all_groups)
"""
    assert python(code) == "True True"


def test_listing_makes_nothing(tmp_path: Path) -> None:
    code = """
import lmms_eval.models
from lmms_eval.tasks import TaskManager
TaskManager()
print("done")
"""
    assert python(code, AURELIA_CACHE=str(tmp_path / "cache")) == "done"
    assert not (tmp_path / "cache").exists()


def test_our_error_leaves_other_plugins_alone() -> None:
    code = """
import aurelia_plugin.registration as registration
def broken(): raise RuntimeError("no catalogue")
registration._catalogue_ids = broken
print([m.model_id for m in registration.manifests()])
"""
    assert python(code) == "['aurelia']"


def test_a_task_manager_that_has_changed_does_not_stop_the_harness() -> None:
    code = """
import aurelia_plugin.registration as registration
registration._wrap_task_manager = lambda module: 1 / 0
registration.attach_tasks()
import lmms_eval.tasks
print(hasattr(lmms_eval.tasks, "TaskManager"))
"""
    assert python(code) == "True"


def test_the_command_prints_the_folder() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aurelia_plugin", "tasks-path"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (Path(done.stdout.strip()) / "avreasonbench_mini" / "avreasonbench_mini.yaml").is_file()
