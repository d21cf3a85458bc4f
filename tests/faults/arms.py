"""Every arm that takes several calls, killed at random moments and started again."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults.counting import Tally
from faults.kills import repeated_in, wait_for_work

__all__ = ["ARMS", "try_arm"]

ARMS: dict[str, dict[str, object]] = {
    "self_refine": {"condition": "self_refine"},
    "best_of_n": {"condition": "best_of_n"},
    "look_again": {"condition": "look_again"},
    "avcd": {"condition": "avcd"},
    "mad": {"condition": "mad"},
    "no feedback": {"condition": "aurelia", "without": "feedback"},
    "no summarizer": {"condition": "aurelia", "without": "summarizer"},
    "no evaluator": {"condition": "aurelia", "without": "evaluator"},
    "agents see": {"condition": "aurelia", "agents_media": "muted"},
    "one iteration's steps": {"condition": "aurelia", "iteration": 1},
    "placebo of it": {"condition": "placebo", "iteration": 1},
}

# Replies are functions of what is asked, so that an answer to anything else shows; every look for a
# finished call is written down before it, every finished call after it was stored.
_WORKER = """
import asyncio, json, os, sys
from pathlib import Path
import numpy as np
from aurelia_plugin.calling.backend import Generation, Message, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.media.clip import Media, Waveform
from aurelia_plugin.model_wrappers.run.stage import plan_for, senses_of
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.running.conditions.table import RunContext, condition_info
from aurelia_plugin.running.kept_replies import KeptReplies
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.pipeline import Pipeline
from aurelia_plugin.running.target import Target
from aurelia_plugin.settings import validated
from aurelia_plugin.traces.store import TraceStore

folder, log, questions = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
settings, prompts = validated(json.loads(sys.argv[4])), PromptSet()

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

class Target_(ScriptedBackend):
    contrasts = True

def script(role):
    async def answer(prompt):
        await asyncio.sleep(0.004)
        mark = prompt.digest()[:8]
        if role == "reasoner":
            return json.dumps({"steps": ["Look " + mark], "answers": ["x"]})
        if role == "evaluator":
            return json.dumps({"score": 1 + int(mark, 16) % 5})
        if role == "target" and "may ask" in str(prompt.parts) and len(prompt.messages) < 5:
            return json.dumps({"look": {"from": 0.1 * len(prompt.messages)}})
        return f"{role} says {mark}"
    kind = Target_ if role == "target" else ScriptedBackend
    return kind(answer, identity=role)

class Source:
    category = ""
    def __init__(self, number):
        self.id, self.number = f"q/test/{number}", number
    def __call__(self):
        loud = np.full(16_000, 0.01 * self.number, np.float32)
        sound = Media("audio", data=Waveform(loud, 16_000))
        text = Text(f"What is number {self.number}?")
        return Question(self.id, (Message("user", (sound, text)),), Generation(max_new_tokens=8))

class Silent:
    def reasoned(self): pass
    def answered(self): pass

backends = {role: script(role) for role in ROLES}
plan = plan_for(settings, prompts, backends)
store, caller = Store(folder), Caller()
agents = Agents(backends, plan, store, caller, senses=senses_of(settings))
context = RunContext(settings, prompts, store, "target", agents.trace, agents.rate)
pipeline = Pipeline(
    Target(script("target"), KeptReplies(caller, store)),
    condition_info(settings.condition).make(context),
    MediaChange("full", 0),
)
sources = [Source(number) for number in range(questions)]
answers = asyncio.run(pipeline.run(sources, Silent()))
print(json.dumps([answer.text for answer in answers]))
"""


def try_arm(name: str, kills: int, *, questions: int = 12, seed: int = 0) -> Tally:
    """Kill a run of an arm so often, then let it come to its end, and compare with a calm one.

    Args:
        name: in `ARMS`.
        kills: SIGKILLs in all; a run that ends before its kill is followed by another folder's.
        questions: of the run.
        seed: of the moments.
    """
    tally = Tally(f"SIGKILL, {name}", questions=questions)
    rng = random.Random(f"{name} {seed}")
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        (work / "worker.py").write_text(_WORKER)
        wanted = json.loads(_start(work, "calm", name, questions).communicate()[0])
        for number in range(10 * kills):
            if tally.tried >= kills:
                break
            worker = _start(work, f"killed-{number // 4}", name, questions)
            wait_for_work(work / f"killed-{number // 4}.jsonl", [worker])
            time.sleep(rng.random() * 0.1)
            worker.send_signal(signal.SIGKILL)
            tally.tried += worker.wait() == -signal.SIGKILL
        for folder in sorted(work.glob("killed-*/")):
            got = json.loads(_start(work, folder.name, name, questions).communicate()[0])
            tally.wrong += sum(one != two for one, two in zip(got, wanted, strict=True))
            tally.survived = questions
            tally.repeated += repeated_in(work / f"{folder.name}.jsonl")
            tally.lost += sum(1 for _ in folder.rglob("*.unreadable"))
    return tally


def _start(work: Path, folder: str, name: str, questions: int) -> subprocess.Popen[bytes]:
    places = [str(work / folder), str(work / f"{folder}.jsonl"), str(questions)]
    command = [sys.executable, str(work / "worker.py"), *places, json.dumps(ARMS[name])]
    return subprocess.Popen(command, stdout=subprocess.PIPE)
