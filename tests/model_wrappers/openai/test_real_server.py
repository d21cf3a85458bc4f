"""The agents on a real server that this project did not write: transformers' own."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import transformers
from making import QUICK, question
from packaging.version import Version

from aurelia_plugin.calling.backend import Message, Prompt, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.embedded.backend import folder
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.traces.store import TraceStore

_WANTED = ["fastapi", "uvicorn", "openai", "soundfile", "soxr"]
if Version(transformers.__version__) < Version("5.24"):  # the newest for Python 3.10 is 5.20
    _WANTED.append("librosa")
_MISSING = [name for name in _WANTED if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(_MISSING),
    reason=f"needs openai and what `transformers serve` wants: {', '.join(_MISSING)} not installed",
)

_START_S = 120


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The spec of the untrained embedded model behind a server in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = Path(sys.executable).with_name("transformers")
    log = tmp_path_factory.mktemp("serve") / "log"
    model = str(folder())
    options = ["--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(command), "serve", model, *options], stdout=output, stderr=output
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            address = f"http://127.0.0.1:{port}/v1"
            small = "max_frames=2&longest_side=56&max_new_tokens=8"
            yield f"openai:{model}?server=transformers&base_url={address}&{small}"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def test_all_agents_run_on_the_server_and_the_target_in_this_process(
    spec: str, clip_file: Path, tmp_path: Path
) -> None:
    pool = BackendPool("embedded:random?max_frames=2&longest_side=56&max_new_tokens=4", {})
    backends: dict[Any, Any] = {role: pool.get(spec) for role in ROLES}
    names: dict[Any, str] = {role: backends[role].identity for role in ROLES}
    plan = LoopPlan(PromptSet(), names, threshold=10, max_iterations=1)
    agents = Agents(backends, plan, TraceStore(tmp_path), Caller(QUICK))
    asked = question("What rings?", Media.file("video", clip_file))

    async def both() -> Any:
        trace = await agents.trace(asked)
        answer = await pool.target(Prompt(asked.messages, asked.generation))
        await pool.close()
        return trace, answer

    trace, answer = asyncio.run(both())
    calls = [call for iteration in trace.iterations for call in iteration.calls]
    assert {call.role for call in calls} == set(ROLES)
    seen = [call.evidence for call in calls if call.role != "summarizer"]
    assert all((e.frames, e.clips, e.sound_seconds) == (2, 1, 2.0) for e in seen)
    assert answer.evidence.clips == 1


def test_picture_and_sound_reach_the_served_model(spec: str, clip_file: Path) -> None:
    """The server counts tokens: each medium adds its own."""
    backend = BackendPool(spec, {}).target
    clip = Media.file("video", clip_file)

    def tokens(*media: Media) -> int:
        prompt = Prompt((Message("user", (*media, Text("What rings?"))),))
        return asyncio.run(backend(prompt)).usage.input_tokens

    sound = Media.file("audio", clip_file)
    nothing, heard, both = tokens(), tokens(sound), tokens(clip)
    assert nothing < heard < both
    assert tokens(replace(clip, silenced=True)) == both
