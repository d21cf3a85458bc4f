"""`aurelia distil`: make traces ahead of time, for any lmms-eval task, without a target."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurelia_plugin.arguments import split_list
from aurelia_plugin.commands.console import say, say_json
from aurelia_plugin.commands.messages import quiet_harness
from aurelia_plugin.commands.parser import Subcommands, limit, whole_number
from aurelia_plugin.errors import ConfigError

if TYPE_CHECKING:
    from aurelia_plugin.model_wrappers.run.distil import DistilRun
    from aurelia_plugin.running.distilling import Made, Shard
    from aurelia_plugin.running.pipeline import Source

__all__ = ["DistilBar", "add", "distil_here"]

_SAMPLE = 20
_EVERY_S = 30.0
"""Seconds between lines where the display is not a terminal but a log."""


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "distil",
        help="make traces ahead of time for any lmms-eval task, without loading a target",
        description="Run the agents over every question of the tasks and keep their traces. Give "
        "--model and --model_args as the later lmms-eval run will have them: that run then makes "
        "no agent call. A second start of the same command goes on where the first one was. Exit "
        "status 1 if a question failed or the budget ended.",
    )
    command.add_argument("--tasks", required=True, help="tasks and groups, separated by commas")
    command.add_argument("--model", default="aurelia", help="as for lmms-eval; default: aurelia")
    command.add_argument(
        "--model_args", "--model-args", default="", help="as for lmms-eval: key=value,key=value"
    )
    command.add_argument("--limit", type=limit, help="questions of each task; below 1, a share")
    command.add_argument(
        "--include_path", "--include-path", help="a folder with further tasks, as for lmms-eval"
    )
    command.add_argument(
        "--shard",
        default="0/1",
        metavar="I/N",
        help="make one share of N only; I counts from 0 or from 1",
    )
    command.add_argument(
        "--dry-run",
        nargs="?",
        type=whole_number(1),
        const=_SAMPLE,
        metavar="K",
        help=f"make the traces of K questions ({_SAMPLE}) and print what all of them will take",
    )
    command.add_argument(
        "--engine",
        choices=["local", "ray"],
        default="local",
        help="where the agents run: in this process, or on a Ray cluster",
    )
    command.add_argument("--to", type=Path, help="with --engine ray: folder for the parquet files")
    command.add_argument(
        "--workers",
        type=whole_number(1),
        help="with --engine ray: processes over the cluster (default: 2)",
    )
    command.add_argument("--json", action="store_true", help="print the run's record as JSON")
    command.set_defaults(run=_run)


_WORKERS = 2


def _run(options: argparse.Namespace) -> int:
    from aurelia_plugin.model_wrappers.harness.tasks import load_sources, read_model_args
    from aurelia_plugin.model_wrappers.run.distil import DistilRun
    from aurelia_plugin.running.distilling import Shard

    folder = options.include_path
    if folder is not None and not Path(folder).is_dir():  # the harness would pass over it
        raise ConfigError(
            f"--include_path {folder}: there is no such folder.", "Name the folder with the tasks."
        )
    quiet_harness()
    shard = Shard.parse(options.shard)
    given = read_model_args(options.model_args)
    tasks = split_list(options.tasks)
    if not tasks:
        raise ConfigError("--tasks names no task.", "Name tasks or groups: --tasks A,B")
    if options.engine == "ray":
        return _run_on_ray(options, tasks, given, shard)
    for flag, value in (("--to", options.to), ("--workers", options.workers)):
        if value is not None:
            raise ConfigError(
                f"{flag} {value} is for --engine ray.",
                "Leave it out, or add --engine ray; traces=DIR in --model_args names the folder.",
            )
    run = DistilRun(options.model, given, shard)
    sources = load_sources(
        tasks,
        options.model,
        limit=options.limit,
        include_path=options.include_path,
        seed=run.settings.seed,
    )
    if options.dry_run is not None:
        return _estimate(run, sources, options.dry_run, as_json=options.json)
    return distil_here(run, sources, as_json=options.json)


def distil_here(
    run: DistilRun,
    sources: Sequence[Source],
    *,
    as_json: bool = False,
    also: Callable[[Source, Made], None] = lambda source, made: None,
) -> int:
    """Make the traces of the run's share in this process and print how it went.

    Args:
        run: as its arguments describe it.
        sources: the questions of the whole job.
        as_json: print the run's record instead of a few lines.
        also: told of each question that is done.

    Returns:
        The exit status: 1 if a question has no finished trace, or an agent's replies are mostly
        unreadable.
    """
    import asyncio

    mine = run.shard.of(sources)
    bar = DistilBar(len(mine), run)

    def done(source: Source, made: Made) -> None:
        also(source, made)
        bar.done(made)

    async def work() -> None:
        try:
            await run.distiller.collect(sources)
            await run.distiller.run(mine, done)
        finally:
            await run.close()

    try:
        asyncio.run(work())
    finally:
        bar.close()
    record = run.record()
    path = run.store.put_run(run.record_name(), record)
    if as_json:
        say_json(json.dumps(record, ensure_ascii=False))
    else:
        say(_report(record, run, path))
    unreadable = run.outcome.unreadable_agents()
    if unreadable:
        from loguru import logger

        for line in unreadable:
            logger.error(line)
    return 1 if record["failed"] or record["over_budget"] or unreadable else 0


def _report(record: dict[str, Any], run: DistilRun, path: Path) -> str:
    total = record["usage"]["total"]
    calls, reused = (sum(record[key].values()) for key in ("calls", "calls_reused"))
    lines = [
        "{n} questions: {accepted} accepted, {exhausted} exhausted, {unscored} unscored, "
        "{failed} failed, {over_budget} over budget".format(**record),
        f"agent calls: {calls} made, {reused} taken from the store; "
        f"{record['mean_iterations']:.2f} iterations on average",
        f"tokens: {total['input_tokens']:,} read, {total['output_tokens']:,} written; "
        f"cost: {_money(run)}",
        f"traces: {run.store.folder}",
        f"record: {path}",
    ]
    lines += [f"for example: {problem}" for problem in record["problems"]]
    if record["failed"] or record["over_budget"]:
        lines.append("The same command again makes what is missing.")
    return "\n".join(lines)


def _money(run: DistilRun) -> str:
    cost = run.outcome.ledger.total().usage_record()["cost_usd"]
    return "no price known" if cost is None else f"${cost:,.4f}"


def _estimate(run: DistilRun, sources: Sequence[Source], size: int, *, as_json: bool) -> int:
    import asyncio

    from aurelia_plugin.running.estimate import Sampled, estimate

    mine = run.shard.of(sources)

    async def work() -> list[Sampled]:
        try:
            await run.distiller.collect(sources)
            return await run.distiller.sample(mine, size, run.settings.seed)
        finally:
            await run.close()

    sampled = asyncio.run(work())
    whole = estimate(
        sampled,
        len(mine),
        models={role: run.caller.price(backend) for role, backend in run.roles.items()},
        parallel=run.distiller.window,
        seed=run.settings.seed,
    )
    if as_json:
        say_json(json.dumps(whole.record()))
    else:
        say(whole.text())
    return 1 if whole.unfinished else 0


def _run_on_ray(
    options: argparse.Namespace, tasks: Sequence[str], given: dict[str, object], shard: Shard
) -> int:
    from aurelia_plugin.model_wrappers.run.ray_engine import RayJob, distil_on_ray

    if options.to is None or options.dry_run is not None:
        raise ConfigError(
            "--engine ray writes parquet files and makes no estimate.",
            "Give --to DIR, and --dry-run without --engine.",
        )
    job = RayJob(tuple(tasks), options.model, given, options.limit, options.include_path, shard)
    stops = distil_on_ray(job, options.to, workers=options.workers or _WORKERS)
    if options.json:
        say_json(json.dumps({"n": sum(stops.values()), **stops, "to": str(options.to)}))
    else:
        say(f"{sum(stops.values())} questions: {_stops(stops)}")
        say(
            f"parquet: {options.to}; for a traces folder: aurelia traces pull {options.to} --to DIR"
        )
    return 1 if stops["failed"] or stops["over_budget"] or stops["unreadable"] else 0


def _stops(stops: Counter[str]) -> str:
    return ", ".join(f"{count} {stop}" for stop, count in sorted(stops.items()) if count)


class DistilBar:
    """A live line: how many are done, their rate, the time left, the share accepted, the cost.

    Args:
        total: questions.
        run: whose progress and spending are shown.
    """

    def __init__(self, total: int, run: DistilRun) -> None:
        from tqdm import tqdm

        self._run = run
        self._stops: Counter[str] = Counter()
        live = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            desc="traces",
            unit="question",
            dynamic_ncols=live,
            mininterval=0.2 if live else _EVERY_S,
            maxinterval=_EVERY_S,
            smoothing=0.1,
        )

    def done(self, made: Made) -> None:
        """Count one question; one whose medium cannot be read has failed, as in the record."""
        stop = made if isinstance(made, str) else made.stop
        self._stops["failed" if stop == "unreadable" else stop] += 1
        self._bar.set_postfix_str(self.state(), refresh=False)
        self._bar.update()

    def state(self) -> str:
        """Return what stands behind the bar."""
        seen = sum(self._stops.values())
        share = self._stops["accepted"] / seen if seen else 0.0
        parts = [f"accepted {share:.0%}", _money(self._run)]
        parts += [
            f"{self._stops[stop]} {stop}" for stop in ("failed", "over_budget") if self._stops[stop]
        ]
        return ", ".join(parts)

    def close(self) -> None:
        """Leave the last state on the screen."""
        self._bar.close()
