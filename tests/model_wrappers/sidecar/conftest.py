from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Text
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

FAKE = Path(__file__).with_name("fake_system.py")

Open = Callable[..., SidecarBackend]


@pytest.fixture
def fake() -> Iterator[Open]:
    """Open the fake system; what was opened is closed at the end."""
    opened: list[BackendPool] = []

    def open_fake(**options: Any) -> Any:
        opened.append(BackendPool(f"sidecar:{FAKE}", options))
        return opened[-1].target

    yield open_fake
    for pool in opened:
        asyncio.run(pool.close())


def asked(words: str, *media: Part, **generation: Any) -> Prompt:
    return Prompt((Message("user", (*media, Text(words))),), Generation(**generation))


def ask(backend: SidecarBackend, words: str, *media: Part, **generation: Any) -> str:
    return asyncio.run(backend(asked(words, *media, **generation))).text


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    except OSError:
        os.kill(pid, 0)
        return True
    return state not in "ZX"


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
