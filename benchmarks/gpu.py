"""Qwen2.5-Omni at its real size with random weights, with and without reuse of what a clip gives.

For whoever has a GPU; it needs nothing from a hub. `--tiny` runs the same on a CPU in a minute or
two, with a small model: its figures say that the script works, and nothing about a GPU.

Every clip has 30 s at 720p with sound, of which the model gets 16 frames. The roles ask about each
as in the default prompts: a reasoner and an evaluator that get the clip, a summarizer that does
not, twice, each with a reply of `--tokens` tokens.

Keys: for each batch size, `before_N` and `after_N`: agent calls an hour without and with reuse.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from real_size import build, on
from shared import note, report, write_clip

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.memory import holding
from aurelia_plugin.media.shared import forget_decoded
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared, prepare
from aurelia_plugin.model_wrappers.transformers.backend import TransformersBackend
from aurelia_plugin.model_wrappers.transformers.loading import Loaded
from aurelia_plugin.model_wrappers.transformers.towers import Encoded, encode, handed_over
from aurelia_plugin.reasoning.prompting import PromptSet

_QUESTION = "Which instrument is played while the disc crosses the picture, and where does it stop?"
_STEPS = tuple(f"Look at what moves and listen to what sounds in part {n}." for n in range(6))
_ITERATIONS = 2


def roles(clip: Media, tokens: int) -> list[Prompt]:
    """Return what the agents ask about a clip, in their order."""
    prompts = PromptSet()
    steps = {"question": _QUESTION, "steps": _STEPS, "step_answers": _STEPS, "final_answer": "It."}
    texts = {
        "reasoner": prompts.render("reasoner", {"question": _QUESTION}),
        "summarizer": prompts.render("summarizer", steps),
        "evaluator": prompts.render("evaluator", {"question": _QUESTION, "caption": _STEPS[0]}),
    }
    asked = []
    for role in ("reasoner", "summarizer", "evaluator") * _ITERATIONS:
        media = () if role == "summarizer" else (clip,)
        parts = (*media, Text(texts[role]))
        asked.append(Prompt((Message("user", parts),), Generation(max_new_tokens=tokens)))
    return asked


def calls_an_hour(backend: TransformersBackend, clips: Sequence[Media], tokens: int) -> float:
    """Ask about all clips at once, the roles of each one after the other."""

    async def one(clip: Media) -> int:
        with holding_of(clip):
            asked = roles(clip, tokens)
            for prompt in asked:
                await backend(prompt)
        return len(asked)

    async def everything() -> int:
        return sum(await asyncio.gather(*map(one, clips)))

    forget_decoded()
    begun = time.perf_counter()
    calls = asyncio.run(everything())
    return 3600 * calls / (time.perf_counter() - begun)


def holding_of(clip: Media) -> Any:
    """Keep what is decoded of a clip, as a question under way does."""
    return holding(Prompt((Message("user", (clip,)),)).clip)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that it takes, the GPU's work included."""
    _wait()
    begun = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - begun


def pieces(loaded: Loaded, place: Path, clips: Sequence[Media], size: int) -> dict[str, float]:
    """Return the seconds of each part of one batch of the reasoner's prompts."""
    backend = on(loaded, place, reuse_gib=0)
    asked = [roles(clip, 1)[0] for clip in clips[:size]]
    forget_decoded()

    def decoded() -> list[Prepared]:
        system = loaded.family.system
        return [prepare(prompt, loaded.takes, system=system) for prompt in asked]

    decode, arrays = timed(decoded), decoded()
    process = timed(lambda: [backend.inputs([item]) for item in arrays])
    inputs = backend.inputs(arrays)
    alone = [backend.inputs([item]) for item in arrays]

    def read() -> list[Encoded]:
        with torch.inference_mode():
            return [encode(loaded.model, one) for one in alone]

    def generate(tokens: int, clips: Sequence[Encoded] = ()) -> Callable[[], object]:
        def run() -> object:
            with torch.inference_mode(), handed_over(loaded.model, clips):
                return loaded.model.generate(**inputs, max_new_tokens=tokens, do_sample=False)

        return run

    read()
    towers, encoded = timed(read), read()
    timed(generate(1))
    whole, prefill = timed(generate(1)), timed(generate(1, encoded))
    steps = 8
    return {
        "prompt tokens": float(inputs["attention_mask"].sum()) / len(asked),
        "decoding the clips, s": decode,
        "processor, s": process,
        "towers and prefill, s": whole,
        "towers, s": towers,
        "prefill with the towers' outputs at hand, s": prefill,
        "one decoding step, s": (timed(generate(1 + steps, encoded)) - prefill) / steps,
    }


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _fresh() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_gib() -> float:
    """Return the most memory used so far: the GPU's since it was reset, else the process's."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def make_clips(folder: Path, count: int, seconds: float, size: tuple[int, int]) -> list[Media]:
    """Film clips with sound."""
    made = []
    for number in range(count):
        path = folder / f"{number}.mp4"
        write_clip(path, seconds, seed=number, size=size, rate=25, hertz=220.0 + 20 * number)
        made.append(Media.file("video", path))
    return made


def main() -> None:
    """Print the table, and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a small model, small clips, a CPU")
    parser.add_argument("--batches", default="", help="sizes, such as 1,4,16,32,auto")
    parser.add_argument("--tokens", type=int, default=0, help="of each reply (128; tiny: 16)")
    options = parser.parse_args()
    tiny = options.tiny
    if not tiny and not torch.cuda.is_available():
        raise SystemExit("No GPU is there. --tiny tries the script on a CPU.")
    names = (options.batches or ("1,4,auto" if tiny else "1,4,16,32,auto")).split(",")
    tokens = options.tokens or (16 if tiny else 128)
    device, dtype = ("cpu", torch.float32) if tiny else ("cuda", torch.bfloat16)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        loaded = build(tiny=tiny, device=device, dtype=dtype, place=folder / "model")
        count = max(8 if name == "auto" and tiny else 64 if name == "auto" else 2 * int(name)
                    for name in names)  # fmt: skip
        size, seconds = ((224, 126), 4.0) if tiny else ((1280, 720), 30.0)
        note(f"{sum(p.numel() for p in loaded.model.parameters()) / 1e9:.2f} G parameters")
        clips = make_clips(folder, count, seconds, size)
        note(f"{count} clips")
        report(measure(loaded, folder / "model", clips, names, tokens))


def measure(
    loaded: Loaded, place: Path, clips: Sequence[Media], names: Sequence[str], tokens: int
) -> dict[str, float]:
    """Print what is found, a row each, and return the figures."""
    sizes = [int(name) for name in names if name != "auto"]
    print("| a batch of the reasoner's prompts | " + " | ".join(f"of {n}" for n in (1, max(sizes))))
    parts = [pieces(loaded, place, clips, size) for size in (1, max(sizes))]
    for name in parts[0]:
        print(f"| {name} | " + " | ".join(f"{part[name]:.3f}" for part in parts))
    print("| batch_size | calls an hour, before | after | ratio | GiB before | after")
    figures: dict[str, float] = {}
    for name in names:
        batch = name if name == "auto" else int(name)
        some = clips if name == "auto" else clips[: max(2, 2 * int(name))]
        peaks = []
        for key, reuse in (("before", 0.0), ("after", 16.0)):
            _fresh()
            backend = on(loaded, place, batch_size=batch, reuse_gib=reuse)
            figures[f"{key}_{name}"] = calls_an_hour(backend, some, tokens)
            peaks.append(peak_gib())
        before, after = figures[f"before_{name}"], figures[f"after_{name}"]
        print(f"| {name} | {before:.0f} | {after:.0f} | {after / before:.2f} "
              f"| {peaks[0]:.1f} | {peaks[1]:.1f}", flush=True)  # fmt: skip
    return {name: float(np.round(value, 1)) for name, value in figures.items()}


if __name__ == "__main__":
    main()
