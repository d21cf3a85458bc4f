"""Asking a system that runs in a worker, and the media to ask it about."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aurelia_plugin.calling.backend import Message, Prompt, Reply, Text
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .upstream import STUBS


@contextlib.contextmanager
def stand_in(system: str, repo: str, weights: Path, **options: Any) -> Iterator[SidecarBackend]:
    """Open a system whose checkout is one of the stand-ins."""
    where = {"repo": str(STUBS / repo), "python": sys.executable, "weights": str(weights)}
    pool = BackendPool(system, {**where, "device": "cpu", **options})
    assert isinstance(pool.target, SidecarBackend)
    try:
        yield pool.target
    finally:
        asyncio.run(pool.close())


def told(backend: SidecarBackend, prompt: Prompt) -> tuple[Reply, dict[str, Any]]:
    """Return the reply, and what the stand-in says in it that it saw."""
    reply = asyncio.run(backend(prompt))
    return reply, json.loads(reply.text)


def sound(seconds: float, level: float = 0.5) -> Media:
    samples = np.full(round(16_000 * seconds), level, dtype=np.float32)
    return Media("audio", data=Waveform(samples, 16_000))


def image() -> Media:
    return Media("image", data=Frames(np.full((1, 8, 8, 3), 99, dtype=np.uint8), np.zeros(1)))


def reasoned(media: Media, question: str, steps: int, words: str) -> Prompt:
    """Return a question with so many steps of reasoning before it, each of these words."""
    texts = [f"{number}. {words}" for number in range(1, steps + 1)]
    forms = ["\n".join([*texts[:count], question]) for count in range(steps, -1, -1)]
    return Prompt((Message("user", (media, Text(forms[0], tuple(forms[1:])))),))
