"""Ctrl-C: what was finished is kept, what was under way is ended, the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CODE = """
import asyncio, sys
from aurelia_plugin.model_wrappers.aurelia import _in_own_loop

async def work():
    try:
        print("begun", flush=True)
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print("ended in order", flush=True)

try:
    _in_own_loop(work)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may have it ignored


def test_an_interrupted_run_ends_what_it_has_begun() -> None:
    command = [sys.executable, "-c", CODE]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=_interruptible)
    assert run.stdout is not None
    assert run.stdout.readline() == "begun\n"
    run.send_signal(signal.SIGINT)
    assert run.stdout.read() == "ended in order\ninterrupted\n"
    run.wait(30)


def test_a_run_of_the_harness_is_interrupted_and_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(
        '- contains: \'"steps"\'\n  reply: \'{"steps": ["Look."]}\'\n'
        "- contains: Turn the notes\n  reply: A thing.\n"
        "- contains: whole number from 1\n  reply: '{\"score\": 9}'\n"
        "- reply: 'Answer: A'\n"
    )
    traces = tmp_path / "traces"
    command = [
        sys.executable, "-m", "lmms_eval", "--model", "aurelia",
        "--model_args", f"target=scripted:{script},agents=scripted:{script},traces={traces}",
        "--tasks", "avreasonbench_mini_meme", "--output_path", str(tmp_path / "out"),
    ]  # fmt: skip
    environment = {**os.environ, "AVREASONBENCH_MINI_ITEMS": "12"}
    how = {"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = subprocess.Popen(  # type: ignore[call-overload]
        command, preexec_fn=_interruptible, **how
    )
    while not list(traces.glob("traces/*/*.json")) and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    run.communicate()
    assert not list(traces.rglob(".part-*"))
    kept = len(list(traces.glob("calls/*/*.json")))
    done = subprocess.run(command, check=False, **how)  # type: ignore[call-overload]
    assert b"accepted" in done.stdout, done.stdout[-2000:]
    assert len(list(traces.glob("traces/*/*.json"))) == 12
    assert kept > 0
