"""Questions over small real clips, and agents for them, as the benchmark scripts use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.calling.backend import Generation, Message, Text
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.run.distil import DistilRun
from aurelia_plugin.reasoning.question import Question

__all__ = ["QuestionSource", "agents", "make_clips"]

_RATE = 16_000


def make_clips(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write clips of 2 s, 320x180, with a tone: all of them differ."""
    rng = np.random.default_rng(seed)
    paths = []
    for index in range(count):
        block = rng.integers(0, 256, (20, 9, 16, 3), dtype=np.uint8)
        pixels = block.repeat(20, 1).repeat(20, 2)
        moments = np.arange(2 * _RATE) / _RATE
        sound = (0.3 * np.sin(2 * np.pi * (200 + 10 * index) * moments)).astype(np.float32)
        paths.append(folder / f"{index}.mp4")
        write_mp4(paths[-1], pixels, sound)
    return paths


class QuestionSource:
    """Makes one question over a clip when its turn comes."""

    category = "benchmark"

    def __init__(self, number: int, clip: Path | None) -> None:
        self.id = f"benchmark/{number}"
        self._number = number
        self._clip = clip

    def __call__(self) -> Question:
        """Make the question."""
        media = () if self._clip is None else (Media.file("video", self._clip),)
        text = Text(f"Which instrument is played in take {self._number}?")
        message = Message("user", (*media, text))
        return Question(self.id, (message,), Generation(max_new_tokens=16), self.category)


def agents(address: str, folder: Path, *, slots: int, **settings: Any) -> DistilRun:
    """Return the agent stage on a server, as `aurelia distil` opens it."""
    spec = f"openai:m?server=sglang&base_url={address}&concurrency={slots}"
    return DistilRun("aurelia", {"agents": spec, "traces": str(folder), **settings})
