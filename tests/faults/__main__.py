"""`python tests/faults`: the whole fault suite; prints its counts, and them as JSON at the end."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

# As pytest's `pythonpath` does.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from faults.arms import ARMS, try_arm
from faults.counting import Tally, table
from faults.disks import DISK_FAULTS, NEEDS_MOUNT, can_mount, try_disk
from faults.files import FILE_FAULTS, try_files
from faults.kills import try_kills
from faults.services import SERVICE_FAULTS, try_duplicates, try_service


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=60, help="for each fault of a service")
    parser.add_argument("--rounds", type=int, default=8, help="for each fault of the disk")
    parser.add_argument("--kills", type=int, default=60, help="SIGKILLs, of one process and of two")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="faults whose name holds this")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # what is damaged on purpose is said often
    tallies = []
    for tally in _tallies(options):
        tallies.append(tally)
        sys.stderr.write(f"{json.dumps(tally.record())}\n")
    sys.stdout.write(table(tallies) + "\n")
    sound = all(tally.sound for tally in tallies)
    record = {"sound": sound, "faults": [tally.record() for tally in tallies]}
    sys.stdout.write(json.dumps(record) + "\n")
    return 0 if sound else 1


def _tallies(options: argparse.Namespace) -> Iterator[Tally]:
    seed = options.seed
    for name in SERVICE_FAULTS:
        if options.only in name:
            yield try_service(name, questions=options.questions, seed=seed)
    if options.only in "duplicate ids":
        yield try_duplicates(questions=options.questions, seed=seed)
    for name in DISK_FAULTS:
        if options.only not in name:
            continue
        if name == NEEDS_MOUNT and not can_mount():
            sys.stderr.write(f"{name}: left out, mounting is not allowed here\n")
            continue
        yield try_disk(name, rounds=options.rounds, questions=12, seed=seed)
    for name in FILE_FAULTS:
        if options.only in name:
            yield try_files(name, questions=options.questions, seed=seed)
    if options.only in "SIGKILL":
        yield try_kills(options.kills, seed=seed)
        yield try_kills(options.kills, processes=2, seed=seed)
    for name in ARMS:
        if options.only in f"SIGKILL, {name}":
            yield try_arm(name, max(2, options.kills // 4), seed=seed)


if __name__ == "__main__":
    sys.exit(main())
