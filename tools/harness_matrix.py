"""Try the plugin with other versions of lmms-eval: `python tools/harness_matrix.py FOLDER...`.

A FOLDER holds a package `lmms_eval`: a checkout, or an unpacked wheel. Each is put in front of the
installed one, in this environment, and checked in four steps: it is imported; it indexes the
plugin's tasks; the README's first command runs with `--limit 1`; the scores logged are those of
the plugin's own reader. Prints a row for each and exits 1 if one does not work.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["STEPS", "Row", "main", "tried"]

STEPS: Final = ("import", "tasks", "run", "scores")
_IMPORT: Final = "import lmms_eval; print(lmms_eval.__path__[0])"
_TASKS: Final = """\
import lmms_eval.models  # loads the plugin's entry point, as every run does
from lmms_eval.tasks import TaskManager
tasks = TaskManager(include_defaults=False).all_tasks
assert "avreasonbench_mini" in tasks, "the plugin's tasks are not indexed"
"""
_TASK: Final = "avreasonbench_mini"
_SCORES: Final = """\
import json, sys
from pathlib import Path
from aurelia_plugin.benchmark.data.items import read_items
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.benchmark.synthetic.build import chosen_folder
columns = chosen_folder().glob("*.jsonl")
items = {item.id: item for column in columns for item in read_items(column)}
rows = [json.loads(line) for path in Path(sys.argv[1]).rglob("*_samples_*.jsonl")
        for line in path.read_text().splitlines()]
for row in rows:
    replies = row["filtered_resps"]  # a text, or a list of one, by version
    reply = replies if isinstance(replies, str) else replies[0]
    score = score_item(items[row["item"]], reply)["score"]
    assert row["score"] == score, f"{row['item']}: {row['score']} logged, {score} read"
assert rows, "no reply was logged"
"""
_VERSION: Final = re.compile(r"^(?:Version: |version = \")([^\s\"]+)", re.MULTILINE)


class Row(NamedTuple):
    """What came of one version.

    Attributes:
        version: as its own files say.
        passed: the steps that were passed, of `STEPS`; the first that fails is the last tried.
        score: of the group.
        why: the last line that was said where one failed.
    """

    version: str
    passed: tuple[str, ...]
    score: float | None = None
    why: str = ""

    @property
    def works(self) -> bool:
        """Whether every step was passed."""
        return self.passed == STEPS


def tried(folder: Path) -> Row:
    """Take the steps under one version of the harness."""
    version = _version(folder)
    with tempfile.TemporaryDirectory() as work:
        run = ["-m", "lmms_eval", "--model", "aurelia_embedded", "--tasks", _TASK, "--limit", "1"]
        run += ["--output_path", "out", "--log_samples"]
        commands = (["-c", _IMPORT], ["-c", _TASKS], run, ["-c", _SCORES, "out"])
        passed: list[str] = []
        score = None
        for step, command in zip(STEPS, commands, strict=True):
            done = subprocess.run(
                [sys.executable, *command],
                cwd=work,
                env={**os.environ, "PYTHONPATH": str(folder)},
                capture_output=True,
                text=True,
                check=False,
            )
            results = sorted(Path(work, "out").rglob("*_results.json")) if step == "run" else []
            if done.returncode or (step == "run" and not results):
                said = (done.stdout + done.stderr).strip().splitlines()
                return Row(version, tuple(passed), score, said[-1] if said else "nothing was said")
            if results:
                group = json.loads(results[-1].read_text())["results"][_TASK]
                score = float(group["score,none"])
            passed.append(step)
        return Row(version, tuple(passed), score)


def _version(folder: Path) -> str:
    """Return what the folder's own files say: a wheel's metadata, or a checkout's project file."""
    for path in (*folder.glob("lmms_eval-*.dist-info/METADATA"), folder / "pyproject.toml"):
        found = _VERSION.search(path.read_text(encoding="utf-8")) if path.is_file() else None
        if found:
            return found[1] if path.name == "METADATA" else f"{found[1]} (checkout)"
    return folder.name


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    rows = [tried(folder.resolve()) for folder in parser.parse_args(arguments).folders]
    print(f"| lmms-eval | {' | '.join(STEPS)} | score | why not |")
    print("|---" * (len(STEPS) + 3) + "|")
    for row in rows:
        marks = " | ".join("yes" if step in row.passed else "no" for step in STEPS)
        score = "" if row.score is None else f"{row.score:.3f}"
        print(f"| {row.version} | {marks} | {score} | {row.why} |")
    return 0 if all(row.works for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
