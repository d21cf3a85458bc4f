"""Loops from a traces folder: how scores went over iterations, and what the steps were.

python examples/read_traces.py results/study/traces
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from aurelia_plugin.traces.store import TraceStore


def main(folder: str) -> None:
    """Print how loops ended, and the first of them whole."""
    traces = list(TraceStore(Path(folder), writable=False).traces())
    print(f"{len(traces)} loops:", dict(Counter(trace.stop for trace in traces)))
    longest = max(traces, key=lambda trace: len(trace.iterations))
    for number, iteration in enumerate(longest.iterations, start=1):
        print(f"\nIteration {number}, score {iteration.score}: {iteration.caption}")
        for step in iteration.steps:
            print(f"  - {step}")


if __name__ == "__main__":
    main(sys.argv[1])
