"""`aurelia export`: results and questions in the forms of others."""

from __future__ import annotations

import argparse
from pathlib import Path

from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.parser import Subcommands

__all__ = ["add"]

_FOLDER = "a comparison's folder (`aurelia compare --out`) or a run's (`--output_path`)"


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "export",
        help="write text-only tasks for lm-eval, or leaderboard files",
        description="Write what others read: the questions as text-only tasks of "
        "lm-evaluation-harness, or results as leaderboard files.",
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


def _blind(options: argparse.Namespace) -> None:
    from aurelia_plugin.compare.opening import open_comparison
    from aurelia_plugin.compare.outputs.exports.blind import GROUP, export_blind

    folder = options.to or _beside(options.folder, "lm-eval")
    made = export_blind(open_comparison(options.folder), folder, options.arm)
    for variant, count in made.counts.items():
        say(f"{GROUP}_{variant}: {count} of {made.total} questions")
    say(
        f"lm_eval --model hf --model_args pretrained=MODEL --include_path {made.folder} "
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
        say(
            "No .eval_results: the data are local files; name the data set's id on the hub with "
            "--dataset."
        )


def _beside(path: Path, name: str) -> Path:
    return (path.parent if path.is_file() else path) / name
