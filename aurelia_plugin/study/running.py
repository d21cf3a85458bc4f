"""Running one arm through lmms-eval, once, and remembering that it was done."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from aurelia_plugin import __version__
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.study.plan import Arm
from aurelia_plugin.study.processes import Echo, WarmProcess, run_process
from aurelia_plugin.study.verdict import judge

__all__ = ["Done", "check_unchanged", "command", "finished", "relevant_environment", "run_arm"]

_STATE = "arm.json"
_LOG = "run.log"
_PROBLEM_LINES = 400


_DATA_VARIABLES = "AVREASONBENCH_"
"""What the benchmark's data sets are chosen by."""


class Done(NamedTuple):
    """An arm that was run to its end.

    Attributes:
        run: the folder of the run (`--output_path`).
        results: its results file.
        record: the plugin's record of the run.
        unanswered: questions left without an answer by a failure.
        seconds: wall clock of the process.
    """

    run: Path
    results: Path
    record: Path
    unanswered: int
    seconds: float


def relevant_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that decide on the data, and those that a plan sets."""
    found = {key: value for key, value in os.environ.items() if key.startswith(_DATA_VARIABLES)}
    return {key: _placed(value) for key, value in sorted({**found, **more}.items())}


def _placed(value: str) -> str:
    """Return a path that is there as it is named from everywhere, any other value as it is."""
    is_path = os.sep in value or Path(value).is_dir()
    return os.path.abspath(value) if is_path and Path(value).exists() else value


def _identity(arm: Arm) -> dict[str, Any]:
    """Return everything that makes two runs of an arm the same run."""
    return {
        # The places do not matter: a study that was moved is still the same.
        "arguments": arm.arguments(Path("OUT"), Path("TRACES")),
        "environment": relevant_environment(arm.plan.environment),
        "files": arm.settings.files_digest(),
        "aurelia": __version__,
        "lmms-eval": version("lmms_eval"),
    }


def _state(arm: Arm) -> dict[str, Any] | None:
    path = arm.folder / _STATE
    try:
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return state
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: {error}", "Remove the folder; the arm is then run again from its traces."
        ) from error


def check_unchanged(arm: Arm) -> None:
    """Make sure that what was finished for this arm is what is asked for now.

    Raises:
        ConfigError: the folder holds another study; says what differs.
    """
    state = _state(arm)
    if state is None:
        return
    now = _identity(arm)
    differing = [key for key in now if now[key] != state["identity"].get(key)]
    if differing:
        was, is_ = (
            "; ".join(f"{key}: {_short(one[key])}" for key in differing)
            for one in (state["identity"], now)
        )
        raise ConfigError(
            f"{arm.folder}: this arm was finished with other settings.\nthen: {was}\nnow:  {is_}",
            "Choose another --out, or remove that folder to run the arm again.",
        )


def _short(value: Any) -> str:
    return shlex.join(value) if isinstance(value, list) else str(value)


def finished(arm: Arm) -> Done | None:
    """Return the finished run of an arm, None if there is none or its files are gone."""
    state = _state(arm)
    if state is None:
        return None
    run = arm.folder / state["run"]
    done = Done(
        run=run,
        results=run / state["results"],
        record=arm.plan.traces / "runs" / state["record"],
        unanswered=state["unanswered"],
        seconds=state["seconds"],
    )
    return done if judge(run).results == done.results and done.record.is_file() else None


def command(arm: Arm, output: Path) -> list[str]:
    """Return the command that runs an arm."""
    count = arm.plan.processes
    launch = ["-m", "accelerate.commands.launch", "--num_processes", str(count)]
    words = [sys.executable, *(launch if count > 1 else []), "-m", "lmms_eval"]
    return [*words, *arm.arguments(output, arm.plan.traces)]


def run_arm(arm: Arm, echo: Echo | None = None, warm: WarmProcess | None = None) -> Done | str:
    """Run an arm; what its agents had finished before is taken from the traces.

    Args:
        echo: is handed the run's output as it comes.
        warm: the process that runs it; without one a new process does. It is closed behind a run
            that did not answer everything: nothing of what went wrong is left for the next.

    Returns:
        The finished run, or why it is not finished.
    """
    output = _next_folder(arm.folder)
    before = set(_records(arm))
    started = time.monotonic()
    log = arm.folder / _LOG
    if warm is None:
        run_process(command(arm, output), arm.plan.environment, log, echo)
    else:
        warm.run(arm.arguments(output, arm.plan.traces), log, echo)
    done = _outcome(arm, output, before, round(time.monotonic() - started, 3))
    if warm is not None and (isinstance(done, str) or done.unanswered):
        warm.close()
    return done


def _outcome(arm: Arm, output: Path, before: set[Path], seconds: float) -> Done | str:
    """Return what a run left behind, and note it down; else why it is not finished."""
    verdict = judge(output)
    if verdict.results is None:
        return f"{verdict.problem}; {_log_tail(arm.folder / _LOG)}"
    new = sorted(set(_records(arm)) - before)
    if not new:
        return f"the run left no record in {arm.plan.traces / 'runs'}"
    record = json.loads(new[-1].read_text(encoding="utf-8"))
    done = Done(output, verdict.results, new[-1], record["unanswered"], seconds)
    state = {
        "identity": _identity(arm),
        "run": output.name,
        "results": str(verdict.results.relative_to(output)),
        "record": new[-1].name,
        "unanswered": done.unanswered,
        "seconds": seconds,
    }
    write_atomically(arm.folder / _STATE, json.dumps(state, indent=1).encode())
    return done


def _next_folder(folder: Path) -> Path:
    """Return a new folder, so that what a killed run left behind is never taken for this one's."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while (folder / f"run-{number}").exists():
        number += 1
    (folder / f"run-{number}").mkdir()
    return folder / f"run-{number}"


def _records(arm: Arm) -> list[Path]:
    return [path for path in (arm.plan.traces / "runs").glob("*.json") if path.stat().st_size]


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,\d]* ?\|")  # says the same once more


def _log_tail(log: Path) -> str:
    """Return the end of a run's output that says why it ended: after the last traceback."""
    text = _COLOURS.sub("", log.read_text(encoding="utf-8", errors="replace"))
    lines = [line for line in text.splitlines() if not _LOGGED.match(line)][-_PROBLEM_LINES:]
    starts = [i for i, line in enumerate(lines) if line.startswith("Traceback (most recent")]
    tail = [line for line in lines[starts[-1] if starts else -5 :] if line.strip()]
    # What stands at the margin after the traceback is the error with its fix.
    said = [line for line in tail if not line.startswith((" ", "Traceback", "\r"))][:4]
    return " ".join(dict.fromkeys(said)) or f"see {log}"
