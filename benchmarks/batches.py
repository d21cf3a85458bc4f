"""The share of greedy replies that depend on what they are batched with, in float32 and bfloat16.

The families are those that batch: tiny instances with random weights, as the tests build them, and
the packaged model, which is trained. Each prompt is asked by itself and among seven others; prompts
and clips differ in length.

A random model's next tokens are close to each other, and replies have their full length, so its
share is far above that of a trained one: what it says is which type of numbers is at fault, not how
many replies of a real model differ.

Keys: for each family, `<family>_float32` and `<family>_bfloat16`: the share of replies that differ.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from shared import note, report

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.embedded.backend import TRAINED
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
import tiny_models

_TINY = ("qwen2_5_omni", "qwen3_omni", "qwen2_5_vl", "qwen2_audio")
_RATE = 16_000
_QUESTION = "Which instrument is played? "


def clip(number: int, name: str) -> tuple[Media, ...]:
    """Return a clip of its own length, with what the family takes of it."""
    seconds = 1.0 + number % 3
    moments = np.arange(round(seconds * _RATE)) / _RATE
    tone = (0.3 * np.sin(2 * np.pi * (200 + 20 * number) * moments)).astype(np.float32)
    sound = Media("audio", data=Waveform(tone, _RATE))
    if name == "qwen2_audio":
        return (sound,)
    rng = np.random.default_rng(number)
    count = 4 + 2 * (number % 3)
    frames = Frames(rng.integers(0, 255, (count, 56, 56, 3), np.uint8), np.arange(count) / 2)
    return (Media("video", data=frames, sound=None if name == "qwen2_5_vl" else sound),)


def replies(place: Path, dtype: str, size: int, prompts: Sequence[Prompt]) -> list[str]:
    """Ask all prompts, `size` together."""
    backend = TransformersBackend(
        str(place), TransformersOptions(dtype=dtype, max_frames=8, batch_size=size)
    )

    async def together() -> list[str]:
        return [reply.text for reply in await asyncio.gather(*map(backend, prompts))]

    return asyncio.run(together())


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=16, help="of each reply at most")
    parser.add_argument("--batch-size", type=int, default=8)
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as work:
        for name in (*_TINY, "trained"):
            into = Path(work) / name
            place = TRAINED if name == "trained" else getattr(tiny_models, name)(into)
            prompts = [
                Prompt(
                    (Message("user", (*clip(n, name), Text(_QUESTION * (1 + n % 4) + str(n)))),),
                    Generation(max_new_tokens=options.tokens),
                )
                for n in range(options.prompts)
            ]
            for dtype in ("float32", "bfloat16"):
                alone = replies(place, dtype, 1, prompts)
                among = replies(place, dtype, options.batch_size, prompts)
                differ = sum(a != b for a, b in zip(alone, among, strict=True))
                figures[f"{name}_{dtype}"] = differ / len(prompts)
                note(f"{name}, {dtype}: {differ} of {len(prompts)} replies differ; "
                     f"{len(set(alone))} different replies")  # fmt: skip
    report(figures)


if __name__ == "__main__":
    main()
