"""Ctrl-C: what is under way is ended before the interruption goes on."""

from __future__ import annotations

import signal
import subprocess
import sys

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
