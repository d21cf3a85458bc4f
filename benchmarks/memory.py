"""Peak memory of a run at 100 and at 3,000 questions, each in a process of its own.

Every question has a clip of its own, with picture and sound, which agents and target have decoded
and encoded as for a service; traces and calls are stored.

Key: `growth_mb`, the difference of the peaks in megabytes (2^20 bytes).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from overlap import Silent
from questions import QuestionSource, make_clips
from shared import note, report

from aurelia_plugin.calling.backend import Prompt, Reply
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.delivery.encoding import deliver
from aurelia_plugin.model_wrappers.run.run import Run

_TAKES = Capabilities(video="images", max_frames=16, longest_side=512)
_SAID = json.dumps({"steps": ["Look.", "Listen."], "answers": ["a", "b"], "score": 9})


class Looking:
    """A backend that prepares media as for a service, and answers without asking one."""

    identity = "looking"
    concurrency = 4

    async def __call__(self, prompt: Prompt) -> Reply:
        """Encode what would be sent, and answer."""
        delivery = await asyncio.to_thread(deliver, prompt, _TAKES)
        sent = [blob.base64() for blob in delivery.blobs]
        return Reply(text=_SAID if sent else "A caption.", evidence=delivery.evidence)

    async def close(self) -> None:
        """Hold nothing."""


def numbered_clips(folder: Path, base: bytes, count: int) -> list[Path]:
    """Write copies of an MP4 whose contents differ: each has a box of its own that players skip."""
    paths = []
    for number in range(count):
        label = number.to_bytes(8, "big")
        box = (8 + len(label)).to_bytes(4, "big") + b"free" + label
        paths.append(folder / f"{number}.mp4")
        paths[-1].write_bytes(base + box)
    return paths


def peak_mb(questions: int, folder: Path) -> float:
    """Run the questions in this process and return its peak."""
    base = make_clips(folder, 1)[0].read_bytes()
    clips = numbered_clips(folder, base, questions)
    looking = Looking()
    roles = dict.fromkeys(("target", "reasoner", "summarizer", "evaluator"), looking)
    run = Run({**roles, "traces": str(folder / "traces")})
    sources = [QuestionSource(number, clip) for number, clip in enumerate(clips)]
    asyncio.run(run.answer(sources, Silent()))
    record = run.outcome.record()
    if record["failed"] or sum(record["calls"].values()) != 3 * questions:
        raise SystemExit(f"not all was done: {record}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def in_own_process(questions: int) -> float:
    """Return the peak of a fresh process with so many questions."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--one", str(questions), "--folder", folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    peak = float(done.stdout.splitlines()[-1])
    note(f"{questions} questions: {peak:.1f} MB at most")
    return peak


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=3000)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(peak_mb(options.one, options.folder))
        return
    few = in_own_process(options.few)
    report({"growth_mb": in_own_process(options.many) - few})


if __name__ == "__main__":
    main()
