"""Killed at any moment and started again: no finished call is repeated, no trace is lost."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

KILLS = 20
QUESTIONS = 40

# Each agent call takes a while, is written down when it is *finished* (its reply is about to be
# stored), and is written down with what tells calls apart.
WORKER = """
import asyncio, json, os, sys
from pathlib import Path
from aurelia_plugin.agents import Agents
from aurelia_plugin.backend import Generation, Message, Text
from aurelia_plugin.counts import RunCount
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.store import TraceStore

folder, log = Path(sys.argv[1]), sys.argv[2]

class Store(TraceStore):
    def put_call(self, key, reply):
        super().put_call(key, reply)
        with open(log, "a") as file:
            file.write(json.dumps({"finished": key}) + "\\n")

def script(role):
    async def answer(prompt):
        with open(log, "a") as file:
            file.write(json.dumps({"asked": role}) + "\\n")
        await asyncio.sleep(0.05)
        text = "".join(p.text for p in prompt.parts() if isinstance(p, Text))
        if role == "reasoner":
            return json.dumps({"steps": ["Look at " + text[-40:]], "answers": ["x"]})
        return "A caption." + text[:20] if role == "summarizer" else '{"score": 3}'
    return ScriptedBackend(answer, identity=role)

backends = {role: script(role) for role in ROLES}
plan = LoopPlan(PromptSet(), {role: role for role in ROLES}, threshold=6, max_iterations=3)
agents = Agents(backends, plan, Store(folder))

async def main():
    questions = [
        Question(f"q/{i}", (Message("user", (Text(f"What is number {i}?"),)),), Generation())
        for i in range(int(sys.argv[3]))
    ]
    traces = await asyncio.gather(*(agents.trace(q) for q in questions))
    assert all(t.stop == "exhausted" and len(t.iterations) == 3 for t in traces)

asyncio.run(main())
print("complete")
"""


def test_twenty_kills_repeat_no_finished_call(tmp_path: Path) -> None:
    script, log, folder = tmp_path / "worker.py", tmp_path / "log.jsonl", tmp_path / "traces"
    script.write_text(WORKER)
    command = [sys.executable, str(script), str(folder), str(log), str(QUESTIONS)]
    rng = random.Random(0)
    killed = 0
    while killed < KILLS:
        started = len(read(log, "asked"))
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while worker.poll() is None and len(read(log, "asked")) == started:
            time.sleep(0.001)
        time.sleep(rng.random() * 0.03)
        assert worker.poll() is None, "the work was done before the last kill: raise QUESTIONS"
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        killed += 1
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "complete"
    finished = Counter(read(log, "finished"))
    assert set(finished.values()) == {1}
    assert len(list(folder.glob("traces/*/*.json"))) == QUESTIONS
    before = len(read(log, "asked"))
    subprocess.run(command, capture_output=True, check=True)
    assert len(read(log, "asked")) == before  # all traces are there: nobody is asked


def read(log: Path, kind: str) -> list[str]:
    if not log.exists():
        return []
    rows = []
    for line in log.read_text().splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line that a kill cut off
        if kind in row:
            rows.append(row[kind])
    return rows
