"""Runs tasks of a model that answers as told, under the harness on PYTHONPATH.

`python asked.py JOB OUT`: JOB is a JSON file with the fields of `Job`, OUT gets what came.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Job"]


class Job(NamedTuple):
    """What is asked.

    Attributes:
        replies: item's id -> reply.
        tasks: the names of tasks or groups.
        folders: of task files, below the harness's own tasks or anywhere.
        hidden: whether the plugin, which the tests' environment has, is hidden.
        scripts: reproductions that are run.
    """

    replies: dict[str, str]
    tasks: list[str]
    folders: list[str]
    hidden: bool = True
    scripts: tuple[str, ...] = ()


class Hidden:
    """Hides the plugin, which is installed in the environment of the tests."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "aurelia_plugin":
            raise ModuleNotFoundError(name)


def main(job: Job, out: Path) -> None:
    if job.hidden:
        sys.meta_path.insert(0, Hidden())

    from lmms_eval import tasks
    from lmms_eval.api.model import lmms
    from lmms_eval.evaluator import simple_evaluate

    asked: dict[str, Any] = {}

    class Told(lmms):  # type: ignore[misc]  # the harness is not typed
        is_simple = False

        def generate_until(self, requests: list[Any]) -> list[str]:
            answers = []
            for request in requests:
                _, doc_to_messages, _, doc_id, task, split = request.args
                doc = self.task_dict[task][split][doc_id]
                asked.setdefault(task, {})[doc["id"]] = doc_to_messages(doc)
                answers.append(job.replies[doc["id"]])
            return answers

        def loglikelihood(self, requests: object) -> list[Any]:
            raise NotImplementedError

        def generate_until_multi_round(self, requests: object) -> list[str]:
            raise NotImplementedError

    own = Path(tasks.__file__).parent
    folders = [str(own / folder) for folder in job.folders]  # of two absolute ones the second
    manager = tasks.TaskManager(include_path=folders, include_defaults=False)
    results = simple_evaluate(Told(), tasks=job.tasks, task_manager=manager, log_samples=True)
    keys = ("score", "accuracy", "unparsed", "rouge_l", "official")
    scores = {
        task: {s["item"]: {key: s[key] for key in keys if key in s} for s in samples}
        for task, samples in results["samples"].items()
    }
    found = {
        "scores": scores,
        "asked": asked,
        "results": {
            task: {key: value for key, value in row.items() if isinstance(value, float)}
            for task, row in {**results["results"], **results.get("groups", {})}.items()
        },
        "verdicts": [verdict(script) for script in job.scripts],
        "without": without() if job.hidden else "",
        "modules": [name for name in sys.modules if name.startswith("aurelia_plugin")],
    }
    out.write_text(json.dumps(found))


def verdict(script: str) -> str:
    """Run a reproduction and return its last line."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path(script, run_name="__main__")
    return said.getvalue().strip().splitlines()[-1]


def without() -> str:
    """Return what the thin model, if there is one, says where the package is not installed."""
    try:
        from lmms_eval.models.chat.aurelia import Aurelia
    except ModuleNotFoundError:
        return "no thin model"
    try:
        Aurelia()
    except ImportError as error:
        return str(error)
    return "nothing"


if __name__ == "__main__":
    main(Job(**json.loads(Path(sys.argv[1]).read_text())), Path(sys.argv[2]))
