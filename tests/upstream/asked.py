"""Runs what contributions add, without the plugin, under the harness on PYTHONPATH.

`python asked.py REPLIES OUT SCRIPT...` asks the AVReasonBench tasks of a model that answers as told
(REPLIES maps item ids to replies), then the thin model, and runs the scripts; OUT gets what came.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any


class Hidden:
    """Hides the plugin, which is installed in the environment of the tests."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "aurelia_plugin":
            raise ModuleNotFoundError(name)


def main(replies: Path, out: Path, scripts: list[str]) -> None:
    sys.meta_path.insert(0, Hidden())  # type: ignore[arg-type]

    from lmms_eval import tasks
    from lmms_eval.api.model import lmms
    from lmms_eval.evaluator import simple_evaluate

    said = json.loads(replies.read_text())
    asked: dict[str, Any] = {}

    class Told(lmms):  # type: ignore[misc]  # the harness is not typed
        is_simple = False

        def generate_until(self, requests: list[Any]) -> list[str]:
            answers = []
            for request in requests:
                _, doc_to_messages, _, doc_id, task, split = request.args
                doc = self.task_dict[task][split][doc_id]
                asked[doc["id"]] = doc_to_messages(doc)
                answers.append(said[doc["id"]])
            return answers

        def loglikelihood(self, requests: object) -> list[Any]:
            raise NotImplementedError

        def generate_until_multi_round(self, requests: object) -> list[str]:
            raise NotImplementedError

    folder = Path(tasks.__file__).parent / "avreasonbench"
    manager = tasks.TaskManager(include_path=str(folder), include_defaults=False)
    results = simple_evaluate(
        Told(), tasks=["avreasonbench"], task_manager=manager, log_samples=True
    )
    samples = [sample for rows in results["samples"].values() for sample in rows]
    keys = ("score", "accuracy", "unparsed", "rouge_l")
    scores = {s["item"]: {key: s[key] for key in keys if key in s} for s in samples}
    found = {
        "scores": scores,
        "asked": asked,
        "mean": results["groups"]["avreasonbench"]["score,none"],
        "verdicts": [verdict(script) for script in scripts],
        "without": without(),
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
    """Return what the thin model says where the package is not installed."""
    from lmms_eval.models.chat.aurelia import Aurelia

    try:
        Aurelia()
    except ImportError as error:
        return str(error)
    return "nothing"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
