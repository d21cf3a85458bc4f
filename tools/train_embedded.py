"""Train the embedded model from nothing: `python tools/train_embedded.py --out FOLDER`.

Four stages on two cores. One process teaches the seeing tower what scenes show; the other teaches
the hearing tower what they sound like, then lets the thinker read questions without clips; then
both train the thinker in all parts that the model plays, and in the end what it learns last. A run
is a pure function of its seed and the numbers of steps. Killed, it goes on from its last
checkpoints when it is started again with the same folder.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
import torch.distributed
import torch.multiprocessing
from embedded_training.model import build
from embedded_training.progress import load_state
from embedded_training.thinker import Phase, train_thinker
from embedded_training.thinker import Plan as ThinkerPlan
from embedded_training.towers import Plan as TowerPlan
from embedded_training.towers import load_towers, train_tower

PROCESSES = 2

READING = (
    Phase(500, {"copying": 26}),
    Phase(600, {"copying": 2, "pairing": 14}),
    Phase(200, {"pairing": 3, "lookup": 12}),
    Phase(300, {"copying_all": 8, "pairing_all": 6, "nearest_number": 4, "lookup": 2}),
    Phase(
        900,
        {
            "pairing_all": 1,
            "lookup": 3,
            "nearest_number": 2,
            "caption": 2,
            "list_position": 2,
            "question": 6,
        },
    ),
)
"""Of one process, without clips: each exercise builds on those before it."""
THINKING = (
    Phase(700, {"lookup": 2, "question": 2}, clips=12, parts="look"),
    Phase(
        2600,
        {"lookup": 1, "nearest_number": 1, "caption": 1, "list_position": 1, "question": 3},
        clips=6,
        asked=4,
    ),
)
"""Of each of two processes. Without texts beside the single steps, reading is lost again."""
LAST = (
    Phase(
        850,
        {"joint_lookup": 4, "list_position": 3, "nearest_number": 1, "caption": 1, "question": 4},
        clips=4,
        asked=5,
        mix="last",
    ),
)
"""The same: what is still at chance when the rest is learnt, beside all the rest."""


def prepare(rank: int, args: argparse.Namespace) -> None:
    """Train one of the towers; beside the longer training of the seeing one, read."""
    torch.set_num_threads(1)
    model, processor = build(args.seed, args.out / "model")
    feature_extractor = processor.feature_extractor
    if rank == 0:
        seeing = TowerPlan(args.seed, scaled(2000, args), 16, args.rate)
        train_tower("seeing", model, feature_extractor, seeing, args.out)
        return
    hearing = TowerPlan(args.seed, scaled(1200, args), 16, args.rate)
    train_tower("hearing", model, feature_extractor, hearing, args.out)
    train_thinker(0, 1, model, processor, planned("reading", args), args.out)


STAGES = (("reading", READING), ("thinking", THINKING), ("last", LAST))
"""Of the thinker: each goes on from the weights of the one before it, on clips of its own seed."""


def think(rank: int, args: argparse.Namespace) -> None:
    """Train the thinker in one of two processes."""
    torch.set_num_threads(1)
    store = torch.distributed.FileStore(str(args.meeting / "meeting"), PROCESSES)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=PROCESSES)
    for (before, _), (stage, _) in itertools.pairwise(STAGES):
        model, processor = build(args.seed, args.out / "model")
        state = load_state(args.out / f"{before}.pt")
        assert state is not None
        model.load_state_dict(state["model"])
        load_towers(model, args.out)
        train_thinker(rank, PROCESSES, model, processor, planned(stage, args), args.out)
        torch.distributed.barrier()  # the first process writes what both go on from
    torch.distributed.destroy_process_group()


def scaled(steps: int, args: argparse.Namespace) -> int:
    """Return how many steps of so many are done, at least one."""
    share: float = args.share
    return max(1, round(steps * share))


def planned(stage: str, args: argparse.Namespace) -> ThinkerPlan:
    """Return the plan of one of the thinker's stages."""
    phases = dict(STAGES)[stage]
    shorter = tuple(phase._replace(steps=scaled(phase.steps, args)) for phase in phases)
    seed = args.seed + (2**40 if stage == "last" else 0)
    return ThinkerPlan(stage, seed, shorter, args.rate)


def ship(args: argparse.Namespace) -> None:
    """Write the model as it is shipped: half precision, half the size."""
    model, processor = build(args.seed, args.out / "model")
    state: Any = load_state(args.out / f"{STAGES[-1][0]}.pt")
    model.load_state_dict(state["model"])
    made = args.out / "model.new"
    shutil.rmtree(made, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(made)
    processor.save_pretrained(made)
    for path in made.iterdir():
        path.replace(args.out / "model" / path.name)
    made.rmdir()


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--share", type=float, default=1.0, help="of all steps; a hundredth shows that all runs"
    )
    parser.add_argument("--rate", type=float, default=1e-3)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if not (args.out / "model" / "tokenizer.json").is_file():
        _, processor = build(args.seed, args.out / "model")
        processor.save_pretrained(args.out / "model")
    spawn = torch.multiprocessing.start_processes
    spawn(prepare, (args,), nprocs=PROCESSES, start_method="spawn")
    with tempfile.TemporaryDirectory() as meeting:
        args.meeting = Path(meeting)
        spawn(think, (args,), nprocs=PROCESSES, start_method="spawn")
    ship(args)


if __name__ == "__main__":
    main()
