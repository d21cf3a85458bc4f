"""Build the public benchmark's own columns at full size, measure their media, and ask their tasks.

`python tests/full_size --annotations avqa-test.json --annotations desc_test.json --work DIR`: the
annotation files are the data sets' own; the clips are made here, with ffmpeg, and stand in for
theirs. What was done before stays when it is run again. Exit status 1 unless every made clip bears
out its gold answer, an oracle that reads the gold is right everywhere, and nobody who gets the text
alone, the packaged model among them, is better than chance.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# As pytest's `pythonpath` does.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from aurelia_plugin.benchmark.data.items import Item
from full_size.boards import prepare_board
from full_size.building import build, items_of, make_stand_ins, measure

_COLUMNS = ("compositional", "geoiq")
_STEPS = ("clips", "build", "measure", "oracle", "text", "boards")


def _clips(options: argparse.Namespace) -> bool:
    """Make the clips that both columns need, as the builders' lists of missing media say."""
    count = 0
    for column in _COLUMNS:
        _build(column, options, "--media", str(_empty(options)))
        missing: Path = options.work / "home" / f"missing_{column}.txt"
        count += make_stand_ins(missing, options.work / "clips", options.seconds)
    print(f"{count} stand-in clips are in {options.work / 'clips'}")
    return count > 0


def _empty(options: argparse.Namespace) -> Path:
    folder: Path = options.work / "empty"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _build(column: str, options: argparse.Namespace, *more: str) -> int:
    # The shipped rows, or as many as are asked for.
    numbers = {"compositional": options.compositional, "geoiq": options.geoiq}
    if numbers[column]:
        more = (*more, "--number", str(numbers[column]))
    files = options.annotations if column == "compositional" else options.annotations[:1]
    return build(column, files, options.work / "home", *more)


def _built(options: argparse.Namespace) -> bool:
    clips = ("--media", str(options.work / "clips"))
    statuses = [_build(column, options, *clips) for column in _COLUMNS]
    return not any(statuses)


def _measure(options: argparse.Namespace) -> bool:
    result = measure(options.work / "home", options.work / "clips", options.annotations)
    for arrangement, count in sorted(result.right.items()):
        print(f"  {arrangement:24} {count:4} as the gold says")
    print(*result.wrong, sep="\n", end="\n" if result.wrong else "")
    right = result.right.total()
    print(f"measured in the media as the gold says: {right} of {right + len(result.wrong)}")
    return right > 0 and not result.wrong


def _tasks(options: argparse.Namespace) -> dict[str, list[Item]]:
    home = options.work / "home"
    os.environ["AVREASONBENCH_PUBLIC_HOME"] = str(home)
    return {f"avreasonbench_public_{column}": items_of(home, column) for column in _COLUMNS}


def _oracle(options: argparse.Namespace) -> bool:
    from full_size.asking import oracle

    outcomes = oracle(_tasks(options))
    print(*outcomes, sep="\n")
    return all(one.is_perfect for one in outcomes)


def _boards(options: argparse.Namespace) -> bool:
    from full_size.asking import oracle

    good = True
    for path in options.board:
        task, items = prepare_board(path, options.work / "boards")
        (outcome,) = oracle({task: items})
        print(outcome, flush=True)
        good = outcome.is_perfect and good
    return good


def _text(options: argparse.Namespace) -> bool:
    from full_size.asking import adversaries, embedded

    tasks = _tasks(options)
    outcomes = [one for task, items in tasks.items() for one in adversaries(task, items)]
    print(*outcomes, sep="\n", flush=True)
    outcomes += (asked := embedded(tasks, "text", options.work / "traces"))
    print(*asked, sep="\n")
    return not any(one.beats_chance for one in outcomes)


def main(words: Sequence[str] | None = None) -> int:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--annotations", type=Path, action="append", required=True, metavar="FILE",
        help="MUSIC-AVQA's avqa-test.json first, then VALOR-32K's desc_test.json",
    )  # fmt: skip
    parser.add_argument(
        "--board", type=Path, action="append", default=[], metavar="FILE",
        help="Daily-Omni's qa.json, OmniVideoBench's data.json, JointAVBench's jointavbench.json: "
        "questions that the oracle is asked, too",
    )  # fmt: skip
    parser.add_argument(
        "--work", type=Path, required=True, metavar="DIR", help="0.1 GB at full size"
    )
    parser.add_argument("--seconds", type=float, default=4.5, help="of a stand-in clip")
    parser.add_argument("--compositional", type=int, default=0, help="0: the 968 shipped rows")
    parser.add_argument("--geoiq", type=int, default=400, help="0: the 200 shipped rows")
    parser.add_argument("--steps", nargs="+", choices=_STEPS, default=_STEPS)
    options = parser.parse_args(words)
    options.work = options.work.absolute()
    os.environ["HF_DATASETS_CACHE"] = str(options.work / "datasets")
    os.environ["AURELIA_CACHE"] = str(options.work / "cache")
    steps = dict(zip(_STEPS, (_clips, _built, _measure, _oracle, _text, _boards), strict=True))
    good = True
    for name in options.steps:
        print(f"== {name}", flush=True)
        good = steps[name](options) and good
    for column in _COLUMNS:
        print(f"{column}: {len(items_of(options.work / 'home', column))} items")
    return 0 if good else 1


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # for this process: the tests that call `main` keep theirs
    sys.exit(main())
