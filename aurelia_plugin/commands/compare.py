"""`aurelia compare`: runs side by side, with intervals, tests and audits."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from aurelia_plugin.arguments import read_pair, read_pairs, split_list
from aurelia_plugin.commands.console import say, say_json, standard_output
from aurelia_plugin.commands.parser import Subcommands, whole_number
from aurelia_plugin.errors import ConfigError

__all__ = ["add", "labelled", "read_prices"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "compare",
        help="compare runs question by question: gains, intervals, tests, audits",
        description="Read the samples that lmms-eval (or lm-evaluation-harness) wrote with "
        "--log_samples, pair them by task, document and content, and print per column and over "
        "all: scores with 95% intervals, gains, tests, flips, and audits of the steps. Runs that "
        "differ in questions, parser or target are refused.",
    )
    command.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="the folder that a run's --output_path named, or one of its results files; "
        "NAME=FOLDER gives it a name",
    )
    command.add_argument(
        "--reference",
        metavar="NAME",
        help="the run that others are compared with; default: the one with condition=none, else "
        "the first",
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="write comparison.json and tables/"
    )
    command.add_argument(
        "--page",
        choices=("link", "copy", "none"),
        help="with --out: plots and a page to look through as well, its clips linked, copied or "
        "not shown (needs the extra `study`)",
    )
    command.add_argument(
        "--metric", metavar="KEY", help="read as the score; default: score, else a task's first"
    )
    command.add_argument("--cluster", metavar="KEY", help="names an item's video; default: video")
    command.add_argument(
        "--allow",
        default="",
        metavar="WHAT,WHAT",
        help="what may differ between the runs: items, parser, target",
    )
    command.add_argument(
        "--traces",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="the traces folder of a run, if it has moved",
    )
    command.add_argument(
        "--prices",
        type=Path,
        metavar="FILE",
        help="YAML: model: [dollars for a million tokens read, written]",
    )
    command.add_argument(
        "--board",
        action="append",
        default=[],
        metavar="NAME",
        help="put the runs into a published board, such as worldsense (docs/boards.md has all), "
        "or one in a file of that form",
    )
    command.add_argument(
        "--reported", metavar="MODEL", help="the paper's model whose figures stand beside"
    )
    command.add_argument(
        "--draws",
        type=whole_number(most=1_000_000),
        default=4000,
        help="of the bootstrap (default 4000)",
    )
    command.add_argument(
        "--seed", type=whole_number(), default=0, help="of the bootstrap (default 0)"
    )
    command.add_argument("--all", action="store_true", help="print every table")
    command.add_argument("--json", action="store_true", help="print the whole result as JSON")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from aurelia_plugin.compare.comparing import Options, compare
    from aurelia_plugin.compare.inputs.pairing import ASPECTS
    from aurelia_plugin.compare.outputs.tables import write_tables
    from aurelia_plugin.compare.outputs.terminal import show

    if options.page is not None and options.out is None:
        raise ConfigError("--page needs a folder.", "Add --out DIR.")
    allowed = set(split_list(options.allow))
    if not allowed <= set(ASPECTS):
        raise ConfigError(
            f"--allow {options.allow}: unknown.", f"Choose from: {', '.join(ASPECTS)}"
        )
    if options.draws < 100:
        raise ConfigError(f"--draws {options.draws}: too few.", "Draw at least 100 times.")
    runs, traces = labelled(options.runs), _folders(options.traces)
    unknown = sorted(set(traces) - set(runs))
    if unknown:
        raise ConfigError(
            f"--traces {unknown[0]}={traces[unknown[0]]}: no run has this name.",
            f"Choose from: {', '.join(runs)}.",
        )
    result = compare(
        runs,
        Options(
            reference=options.reference,
            draws=options.draws,
            seed=options.seed,
            metric=options.metric,
            cluster=options.cluster,
            allow=frozenset(allowed),
            traces=traces,
            prices=read_prices(options.prices) if options.prices is not None else None,
            boards=tuple(options.board),
            reported=options.reported,
        ),
    )
    if options.json:
        say_json(result.model_dump_json(indent=1))
    else:
        show(result, standard_output(), everything=options.all)
    if options.out is not None:
        path = result.write(options.out)
        write_tables(result, options.out / "tables")
        if options.page is not None:
            from aurelia_plugin.compare.outputs.report import write_report

            path = write_report(result, options.out, media=options.page)
        if not options.json:
            say(f"Written: {path} and {options.out / 'tables'}")


def _folders(texts: Sequence[str]) -> dict[str, Path]:
    named = read_pairs(texts, "--traces", "NAME=DIR")
    for name, folder in named.items():
        if not Path(folder).is_dir():
            raise ConfigError(
                f"--traces {name}={folder}: there is no such folder.", "Name the traces of the run."
            )
    return {name: Path(folder) for name, folder in named.items()}


def labelled(runs: Sequence[str]) -> dict[str, Path]:
    """Return runs by name: as given, else the shortest end of the path that no other run has.

    Raises:
        ConfigError: two runs have one name.
    """
    parts = [_labelled(run) for run in runs]
    found: dict[str, Path] = {}
    for place, (name, path) in enumerate(parts):
        label = name or _ending(path, [p for k, (_, p) in enumerate(parts) if k != place])
        if label in found:
            raise ConfigError(f"Two runs are called {label}.", f"Name one: OTHER={path}")
        found[label] = path
    return found


def _labelled(run: str) -> tuple[str, Path]:
    """Return the name that a run is given, empty if none, and its path."""
    if "=" not in run or os.path.lexists(run):
        return "", Path(run)
    name, path = read_pair(run, "RUN", "NAME=FOLDER")
    return name, Path(path)


def _ending(path: Path, others: Sequence[Path]) -> str:
    parts = path.resolve().parts
    for count in range(1, len(parts) + 1):
        own = parts[-count:]
        if all(other.resolve().parts[-count:] != own for other in others):
            return "/".join(own)
    return str(path)


def read_prices(path: Path) -> dict[str, tuple[float, float]]:
    """Return prices from a YAML file: model to US dollars for a million tokens read, written.

    Raises:
        ConfigError: the file cannot be read or has another form.
    """
    import yaml

    fix = 'One line a model, for example "gemini-3.8-flash: [0.30, 2.50]".'
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"--prices {path}: {error}", fix) from error
    if not isinstance(content, dict):
        raise ConfigError(f"--prices {path}: not a mapping.", fix)
    prices = {}
    for model, pair in content.items():
        if not (
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(price, int | float) and price >= 0 for price in pair)
        ):
            raise ConfigError(f"--prices {path}: {model}: {pair} is no pair of prices.", fix)
        prices[str(model)] = (float(pair[0]), float(pair[1]))
    return prices
