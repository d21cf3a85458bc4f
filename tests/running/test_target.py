"""Finished replies of the target are kept, and no finished call is made twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from making import Line, Made, answers, question, text_of

from aurelia_plugin.calling.backend import Generation, Prompt
from aurelia_plugin.errors import BackendError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.running.conditions.packaged import ZeroShot
from aurelia_plugin.traces.store import TraceStore


def _line(folder: Path, target: ScriptedBackend, *, fresh: bool = False) -> Line:
    return Line(target, ZeroShot(), store=TraceStore(folder), fresh=fresh)


def _echo(identity: str = "m-1") -> ScriptedBackend:
    return ScriptedBackend(lambda prompt: text_of(prompt), identity=identity)


def test_a_second_run_asks_nothing_again_unless_it_is_told_to(tmp_path: Path) -> None:
    sources = [Made(n) for n in range(5)]
    first = answers(_line(tmp_path, _echo()), sources)
    again, target = _line(tmp_path, warm := _echo()), warm
    assert answers(again, sources) == first
    assert target.prompts == []
    record = again.outcome.record()
    assert (record["answers_reused"], record["evidence"]["target"]["calls"]) == (5, 0)
    assert record["unanswered"] == 0
    fresh = _echo()
    assert answers(_line(tmp_path, fresh, fresh=True), sources) == first
    assert len(fresh.prompts) == 5
    other = _echo("m-2")
    answers(_line(tmp_path, other), sources)
    assert len(other.prompts) == 5, "another model"


def test_a_failed_call_is_made_again(tmp_path: Path) -> None:
    def down(prompt: Prompt) -> str:
        if "Question 1?" in text_of(prompt):
            raise BackendError("m-1", "is down", "Start it.")
        return text_of(prompt)

    sources = [Made(n) for n in range(3)]
    answers(_line(tmp_path, ScriptedBackend(down, identity="m-1")), sources)
    up = _echo()
    assert answers(_line(tmp_path, up), sources)[1] == "Question 1?"
    assert [text_of(prompt) for prompt in up.prompts] == ["Question 1?"]


def test_sampled_replies_are_kept_by_number(tmp_path: Path) -> None:
    warm = Generation(temperature=0.7)
    sources = [Made(n, lambda n: replace(question(id=f"q/{n}"), generation=warm)) for n in range(3)]
    turns = iter("abc")
    target = ScriptedBackend(lambda prompt: next(turns), identity="m-1")
    first = answers(_line(tmp_path, target), sources)
    assert sorted(first) == ["a", "b", "c"], "each is a sample of its own"
    again = ScriptedBackend(lambda prompt: "x", identity="m-1")
    assert sorted(answers(_line(tmp_path, again), sources)) == ["a", "b", "c"]
    greedy = ScriptedBackend(lambda prompt: "g", identity="m-1")
    same = [Made(n, lambda n: question(id=f"q/{n}")) for n in range(3)]
    assert answers(_line(tmp_path, greedy), same) == ["g"] * 3
    assert len(greedy.prompts) == 1, "equal greedy requests have one reply"


_RUN = """
import os, signal, sys
from pathlib import Path
from making import Line, Made, answers, text_of
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.running.conditions.packaged import ZeroShot
from aurelia_plugin.traces.store import TraceStore
folder, die_at = Path(sys.argv[1]), int(sys.argv[2])
done = 0
def reply(prompt):
    global done
    if done == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
    done += 1
    with (folder / "asked").open("a") as file:
        file.write(text_of(prompt) + chr(10))
    return "yes"
line = Line(ScriptedBackend(reply, identity="m-1"), ZeroShot(), store=TraceStore(folder), window=1)
print(answers(line, [Made(n) for n in range(6)]))
"""


@pytest.mark.parametrize("steps", [1, 4])
def test_after_a_kill_no_finished_call_is_made_again(tmp_path: Path, steps: int) -> None:
    """Killed while a call is under way, so that at most one call is finished and not kept."""
    helpers = Path(__file__).parents[1] / "helpers"
    env = {**os.environ, "PYTHONPATH": str(helpers)}
    command = [sys.executable, "-c", _RUN, str(tmp_path)]
    killed = 0
    while (done := _run([*command, str(steps)], env)).returncode == -signal.SIGKILL:
        killed += 1
        assert killed < 6, "every life finishes what the one before had not"
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert sorted(asked) == sorted(f"Question {n}?" for n in range(6))
    assert killed == (5 if steps == 1 else 1)


def _run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)
