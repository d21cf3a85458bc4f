"""A traces folder with 100,000 traces, written by two processes at once.

Half of the traces are written by each writer, and a tenth by both. Then a fresh process opens the
folder and looks up traces at random, some of which are not there.

Keys: `lookup_ms` (mean over 5,000 look-ups), `open_s` (opening and the first look-up).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from shared import note, report

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.reasoning.trace import AgentCall, Iteration, Trace
from aurelia_plugin.traces.store import TraceStore

_LOOKUPS = 5_000
_TEXT = "The violin on the left begins, and the drum follows two seconds later. "


def key_of(number: int) -> str:
    """Return a key as digests have them."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def trace_of(number: int) -> Trace:
    """Return a trace of two iterations and six calls, about 7 kB as JSON."""
    calls = tuple(
        AgentCall(
            role=role,
            ask=0,
            text=_TEXT * 6,
            read="json",
            model="m-1",
            usage=Usage(input_tokens=3000, output_tokens=200),
            evidence=Evidence(frames=16, sound_seconds=10.0, clips=1),
        )
        for role in ("reasoner", "summarizer", "evaluator")
    )
    iterations = tuple(
        Iteration(
            steps=(_TEXT,) * 5,
            step_answers=("yes",) * 5,
            final_answer="two",
            caption=_TEXT * 5,
            score=score,
            calls=calls,
        )
        for score in (4, 8)
    )
    return Trace(
        key=key_of(number),
        question_key=key_of(-number - 1),
        question=f"Which instrument is played in take {number}?",
        clip_digest="0" * 64,
        media=(f"clips/{number}.mp4",),
        roles={"reasoner": "r", "summarizer": "s", "evaluator": "e"},
        prompts_digest="1" * 64,
        threshold=6,
        max_iterations=5,
        seed=0,
        iterations=iterations,
        best=1,
        stop="accepted",
    )


def write(folder: Path, numbers: range) -> None:
    """Write traces: what one of the two processes does."""
    store = TraceStore(folder)
    for number in numbers:
        store.put_trace(trace_of(number))


def look_up(folder: Path, count: int, seed: int) -> None:
    """Open the folder, look up traces, and print the two figures."""
    rng = random.Random(seed)
    numbers = [rng.randrange(count + count // 20) for _ in range(_LOOKUPS)]
    keys = [key_of(number) for number in numbers]
    begun = time.perf_counter()
    store = TraceStore(folder)
    store.trace(key_of(0))
    opened = time.perf_counter() - begun
    begun = time.perf_counter()
    found = [store.trace(key) for key in keys]
    seconds = time.perf_counter() - begun
    for number, trace in zip(numbers, found, strict=True):
        if (trace is not None) != (number < count) or (trace and trace != trace_of(number)):
            raise SystemExit(f"trace {number}: not what was written")
    print(json.dumps({"lookup_ms": 1000 * seconds / _LOOKUPS, "open_s": opened}))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="of the look-ups")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder is not None:
        look_up(options.folder, options.traces, options.seed)
        return
    count = options.traces
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        shares = [range(count * 11 // 20), range(count * 9 // 20, count)]
        context = multiprocessing.get_context("spawn")
        begun = time.perf_counter()
        writers = [context.Process(target=write, args=(folder, share)) for share in shares]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        if any(writer.exitcode for writer in writers):
            raise SystemExit("a writer failed")
        seconds = time.perf_counter() - begun
        files = sum(1 for _ in folder.rglob("*.json"))
        note(f"two writers: {files} traces in {seconds:.1f} s")
        if files != count:
            raise SystemExit(f"{files} traces instead of {count}")
        arguments = ["--folder", work, "--traces", str(count), "--seed", str(options.seed)]
        command = [sys.executable, __file__, *arguments]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    report(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
