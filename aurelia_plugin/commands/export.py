"""`aurelia export`: results and questions in the forms of others."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.parser import Subcommands

__all__ = ["add"]

_FOLDER = "a comparison's folder (`aurelia compare --out`) or a run's (`--output_path`)"


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "export",
        help="write text-only tasks for lm-eval, leaderboard files, or a submission",
        description="Write what others read: the questions as text-only tasks of "
        "lm-evaluation-harness, results as leaderboard files, or a run as one file to hand in.",
    )
    kinds = command.add_subparsers(title="what", required=True)
    blind = kinds.add_parser(
        "lm-eval",
        help="the same questions as text-only tasks of lm-evaluation-harness",
        description="Write lm-evaluation-harness tasks over the same questions with text only: "
        "the question; question and best steps; question and best caption. `aurelia compare` "
        "reads what lm-eval logs with --log_samples.",
    )
    blind.add_argument("folder", type=Path, help=_FOLDER)
    blind.add_argument("--to", type=Path, metavar="DIR", help="default: lm-eval in that folder")
    blind.add_argument("--arm", metavar="NAME", help="whose steps and captions; default: the first")
    blind.set_defaults(run=_blind)
    board = kinds.add_parser(
        "leaderboard",
        help="a run's results in Hugging Face's forms and as a Markdown row",
        description="Write model-index.yaml (for a model card), .eval_results/*.yaml (for a model "
        "repository) and row.md.",
    )
    board.add_argument("folder", type=Path, help=_FOLDER)
    board.add_argument("--to", type=Path, metavar="DIR", help="default: leaderboard in the folder")
    board.add_argument("--arm", metavar="NAME", help="which run, if there are several")
    board.add_argument("--model", metavar="ID", help="the model's id on the hub")
    board.add_argument("--dataset", metavar="ID", help="the data set's id on the hub")
    board.add_argument("--url", help="where the logs can be read")
    board.set_defaults(run=_leaderboard)
    submission = kinds.add_parser(
        "submission",
        help="a run of this package's tasks as one file to hand in",
        description="Write one JSON file with a run's answers, digests of what was asked, "
        "settings, versions, what was delivered, and intervals. Names of local folders and keys "
        "are left out. `aurelia board` makes a table of many.",
    )
    submission.add_argument("folder", type=Path, help="the one given as --output_path, or below it")
    submission.add_argument(
        "--to", type=Path, metavar="FILE", help="default: submission.json in the folder"
    )
    submission.add_argument("--name", help="what the board calls it; default: the target's name")
    submission.add_argument("--url", help="where more can be read")
    submission.add_argument(
        "--traces", type=Path, metavar="DIR", help="the run's traces folder, if it has moved"
    )
    submission.set_defaults(run=_submission)


def _blind(options: argparse.Namespace) -> None:
    from aurelia_plugin.compare.opening import open_comparison
    from aurelia_plugin.compare.outputs.exports.blind import GROUP, export_blind

    folder = options.to or _beside(options.folder, "lm-eval")
    made = export_blind(open_comparison(options.folder), folder, options.arm)
    for variant, count in made.counts.items():
        say(f"{GROUP}_{variant}: {count} of {made.total} questions")
    say(
        "lm_eval --model hf --model_args pretrained=MODEL "
        f"--include_path {shlex.quote(str(made.folder))} "
        f"--tasks {GROUP} --output_path RESULTS --log_samples"
    )


def _leaderboard(options: argparse.Namespace) -> None:
    from aurelia_plugin.compare.opening import open_comparison
    from aurelia_plugin.compare.outputs.exports.leaderboard import Publication, export_leaderboard

    folder = options.to or _beside(options.folder, "leaderboard")
    publication = Publication(options.model, options.dataset, options.url)
    paths = export_leaderboard(open_comparison(options.folder), folder, options.arm, publication)
    for path in paths:
        say(str(path))
    if not any(".eval_results" in path.parts for path in paths):
        given = f"--dataset {options.dataset} is no id of the hub" if options.dataset else ""
        say(
            f"No .eval_results: {given or 'the data are local files'}; name the data set's id on "
            "the hub with --dataset ORG/DATA."
        )


def _submission(options: argparse.Namespace) -> None:
    from aurelia_plugin.compare.submissions.making import Publisher, export_submission

    to = options.to or _beside(options.folder, "submission.json")
    publisher = Publisher(options.name, options.url)
    made = export_submission(options.folder, to, publisher, options.traces)
    known = sum(item.content is not None for item in made.items)
    say(f"{to}: {len(made.items)} answers to {made.benchmark}, {known} with a digest of the clip")
    if known < len(made.items):
        say(
            "For the others a board cannot tell whether the clips were the same: their clips could "
            "not be read, or the run's record is not there (--traces DIR)."
        )


def _beside(path: Path, name: str) -> Path:
    return (path.parent if path.is_file() else path) / name
