"""The agent stage against a loopback server with 200 ms latency and 16 slots, 200 questions.

Every question is about a clip with picture and sound, which is decoded, encoded and sent with each
call that sees it. About a sixth of the questions gets its captions refused in all five iterations,
which are 15 calls one after the other; the others are accepted at once.

Keys: `efficiency` (the time that the calls would take at 16 at once without a pause, divided by
the time taken), `speedup_vs_sequential` (against one question after the other, one call at a time,
measured on a part of the questions in the same run).
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from loopback import serving
from questions import QuestionSource, agents, make_clips
from shared import note, report

from aurelia_plugin.media.shared import forget_decoded

_LATENCY = 0.2
_SLOTS = 16


class Timed(NamedTuple):
    """Seconds and agent calls of a run."""

    seconds: float
    calls: int


def timed(address: str, folder: Path, sources: list[QuestionSource], slots: int) -> Timed:
    """Make the traces of all questions, `slots` calls at once."""
    run = agents(address, folder, slots=slots)
    if slots == 1:
        run.distiller.window = run.distiller.widest = 1
    forget_decoded()
    begun = time.perf_counter()
    asyncio.run(run.distiller.run(sources, lambda source, trace: None))
    seconds = time.perf_counter() - begun
    record = run.record()
    if record["failed"]:
        raise SystemExit(f"{record['failed']} questions failed: {record['problems']}")
    return Timed(seconds, sum(record["calls"].values()))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--sequential", type=int, default=20, help="questions asked one by one")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0, help="of the clips")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, serving(_LATENCY, _SLOTS) as address:
        folder = Path(work)
        clips = make_clips(folder, options.clips, options.seed)
        sources = [
            QuestionSource(number, clips[number % len(clips)])
            for number in range(options.questions)
        ]
        timed(address, folder / "warm", sources[:2], _SLOTS)  # loads what is loaded once
        slow = timed(address, folder / "sequential", sources[: options.sequential], 1)
        note(f"one by one: {slow.calls} calls in {slow.seconds:.1f} s")
        fast = timed(address, folder / "concurrent", sources, _SLOTS)
        ideal = fast.calls * _LATENCY / _SLOTS
        note(f"16 at once: {fast.calls} calls in {fast.seconds:.1f} s; ideal {ideal:.1f} s")
    per_call = slow.seconds / slow.calls
    report(
        {
            "efficiency": ideal / fast.seconds,
            "speedup_vs_sequential": per_call * fast.calls / fast.seconds,
        }
    )


if __name__ == "__main__":
    main()
