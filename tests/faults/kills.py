"""Processes killed at random moments, one or several on one folder, and started again."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from aurelia_plugin.traces.store import TraceStore
from faults.counting import Tally

_AT_ONCE = 8

# Every look for a finished call is written down before it, every finished call after it was stored.
_WORKER = """
import asyncio, json, os, sys
from pathlib import Path
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.calling.backend import Generation, Message, Text
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.traces.store import TraceStore

folder, log, first, last, at_once = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])

def note(what, key):
    with open(log, "a") as file:
        file.write(json.dumps([os.getpid(), what, key]) + "\\n")

class Store(TraceStore):
    def call(self, key):
        note("looked", key)
        return super().call(key)

    def put_call(self, key, reply):
        super().put_call(key, reply)
        note("finished", key)

def script(role):
    async def answer(prompt):
        await asyncio.sleep(0.01)
        text = "".join(p.text for p in prompt.parts() if isinstance(p, Text))
        if role == "reasoner":
            return json.dumps({"steps": ["Look at " + text[-60:]], "answers": ["x"]})
        return "A caption." + text[:20] if role == "summarizer" else '{"score": 3}'
    return ScriptedBackend(answer, identity=role)

backends = {role: script(role) for role in ROLES}
plan = LoopPlan(PromptSet(), {role: role for role in ROLES}, threshold=6, max_iterations=3)
agents = Agents(backends, plan, Store(folder))
turns = asyncio.Semaphore(at_once)

async def one(number):
    text = Text(f"What is number {number}?")
    async with turns:
        asked = Question(f"q/{number}", (Message("user", (text,)),), Generation())
        trace = await agents.trace(asked)
    assert trace.stop == "exhausted" and len(trace.iterations) == 3, trace
    assert trace.question == text.text, trace

async def main():
    await asyncio.gather(*(one(number) for number in range(first, last)))

asyncio.run(main())
print("complete")
"""


def try_kills(kills: int, *, processes: int = 1, questions: int = 40, seed: int = 0) -> Tally:
    """Kill so often, then let the work come to its end.

    Args:
        kills: SIGKILLs in all.
        processes: how many work on the same questions in the same folder at once.
        questions: in one batch; a batch that is done before it was killed is followed by another.
        seed: of the moments, up to a tenth of a second after the work began.
    """
    tally = Tally("SIGKILL" if processes == 1 else f"SIGKILL, {processes} processes")
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "worker.py").write_text(_WORKER)
        log, first = work / "log.jsonl", 0
        while tally.tried < kills:
            span = (first, first + questions)
            workers = [_start(work, span) for _ in range(processes)]
            wait_for_work(log, workers)
            time.sleep(rng.random() * 0.1)
            for worker in workers:
                worker.send_signal(signal.SIGKILL)
                tally.tried += worker.wait() == -signal.SIGKILL
            if all(worker.returncode == 0 for worker in workers):
                first += questions
        tally.questions = first + questions
        for begin in range(0, tally.questions, questions):
            done = [_start(work, (begin, begin + questions)) for _ in range(processes)]
            tally.wrong += sum(b"complete" not in worker.communicate()[0] for worker in done)
        tally.survived = len(list(TraceStore(work / "traces", writable=False).traces()))
        tally.lost = tally.questions - tally.survived
        tally.repeated = repeated_in(log)
        tally.lost += sum(1 for _ in (work / "traces").rglob("*.unreadable"))
    return tally


def _start(work: Path, span: Sequence[int]) -> subprocess.Popen[bytes]:
    arguments = [str(work / "traces"), str(work / "log.jsonl"), *map(str, span), str(_AT_ONCE)]
    command = [sys.executable, str(work / "worker.py"), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def wait_for_work(log: Path, workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until one of the workers has begun, or all have ended."""
    before = log.stat().st_size if log.exists() else 0
    while any(worker.poll() is None for worker in workers):
        if log.exists() and log.stat().st_size > before:
            return
        time.sleep(0.001)


def repeated_in(log: Path) -> int:
    """Count calls that a process finished without having looked for them in vain."""
    finished: set[str] = set()
    in_vain: set[tuple[int, str]] = set()
    repeated = 0
    for line in log.read_text().splitlines():
        try:
            pid, what, key = json.loads(line)
        except ValueError:  # a line that a kill cut off, and what was written behind it
            continue
        if what == "looked":
            if key not in finished:
                in_vain.add((pid, key))
        else:
            repeated += (pid, key) not in in_vain
            in_vain.discard((pid, key))
            finished.add(key)
    return repeated
