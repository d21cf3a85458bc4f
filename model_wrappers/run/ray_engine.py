"""`aurelia distil --engine ray`: the agent stage as a Ray Data pipeline over a cluster.

Each worker opens the tasks and the agents for itself and is handed numbers of questions; what it
makes goes to parquet files. A worker that is lost with its node is started anew elsewhere and does
its batch again; agent calls that were finished are read from the traces folder where that is shared
between nodes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.harness.instances import InstanceSource
from aurelia_plugin.model_wrappers.harness.tasks import load_sources
from aurelia_plugin.model_wrappers.run.distil import DistilRun
from aurelia_plugin.running.distilling import Made, Shard
from aurelia_plugin.running.pipeline import Source
from aurelia_plugin.traces.datasets import COLUMNS, NUMBERS, TEXTS, parquet_files, row_of

__all__ = ["RayJob", "distil_on_ray"]

_BATCH = 64
"""Questions that a worker is handed at once; it works on as many of them as its window has."""

_MOST_BLOCKS = 4_000
_UNFINISHED = ("failed", "over_budget", "unreadable")


class RayJob(NamedTuple):
    """What `aurelia distil` was told; `given` are the keys of `--model_args`."""

    tasks: tuple[str, ...]
    model: str
    given: dict[str, object]
    limit: float | None
    include_path: str | None
    shard: Shard

    def sources(self, seed: int) -> list[InstanceSource]:
        """Return what makes the questions of the whole job."""
        return load_sources(
            self.tasks,
            self.model,
            limit=self.limit,
            include_path=self.include_path,
            seed=seed,
        )


def distil_on_ray(job: RayJob, to: Path, *, workers: int = 2, batch: int = _BATCH) -> Counter[str]:
    """Make the traces of a job on the cluster that Ray is connected to, or on this machine.

    A question whose finished trace is in a parquet file of `to` is left out, so the same call goes
    on where an earlier one was stopped.

    Args:
        job: what is to be made. A budget is split evenly between the workers; one that is started
            anew begins its share anew.
        to: a folder that all nodes see.
        workers: processes over the cluster, one core each.
        batch: questions handed to a worker at once.

    Returns:
        How many questions of the job ended how, those of earlier calls included; `unreadable` are
        those with a medium that cannot be read.

    Raises:
        ConfigError: Ray is not installed, or the job cannot be run.
    """
    ray = _library()
    run = DistilRun(job.model, job.given)  # mistakes show here, before a cluster is asked
    asyncio.run(run.close())
    ids = [source.id for source in job.shard.of(job.sources(run.settings.seed))]
    to = to.expanduser().resolve()
    to.mkdir(parents=True, exist_ok=True)
    ended = _ended(to)
    wanted = [index for index, id_ in enumerate(ids) if ended.get(id_, "failed") in _UNFINISHED]
    if wanted:
        if not ray.is_initialized():
            ray.init(log_to_driver=False)
        _pipeline(ray, job, wanted, workers, batch).write_parquet(str(to))
    ended = _ended(to)
    return Counter(ended.get(id_, "failed") for id_ in ids)


def _library() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigError(
            "--engine ray: the package ray is not installed.",
            'Run: pip install "aurelia-lmms-eval[ray]"',
        ) from error
    return ray


def _pipeline(ray: Any, job: RayJob, wanted: Sequence[int], workers: int, batch: int) -> Any:
    import numpy as np

    size = max(batch, -(-len(wanted) // _MOST_BLOCKS))
    blocks = [np.array(wanted[i : i + size]) for i in range(0, len(wanted), size)]
    return ray.data.from_numpy(blocks).map_batches(
        _Worker,
        fn_constructor_args=(job, workers),
        batch_format="numpy",
        batch_size=size,
        concurrency=workers,
        num_cpus=1,
    )


class _Worker:
    """One process of the cluster.

    Args:
        job: what is to be made.
        workers: how many processes share the budget.
    """

    def __init__(self, job: RayJob, workers: int) -> None:
        # The last share is the smallest: the shares of all workers stay within the budget.
        count = job.shard.count * workers
        self._run = DistilRun(job.model, job.given, Shard(count - 1, count))
        whole = job.sources(self._run.settings.seed)
        asyncio.run(self._run.distiller.collect(whole))
        self._sources = job.shard.of(whole)

    def __call__(self, batch: Mapping[str, Sequence[int]]) -> Any:
        rows: list[dict[str, object]] = []

        def done(source: Source, made: Made) -> None:
            rows.append(_row(source.id, made))

        wanted = [self._sources[int(index)] for index in batch["data"]]
        asyncio.run(self._run.distiller.run(wanted, done))
        return _table(rows)


def _row(source: str, made: Made) -> dict[str, object]:
    if isinstance(made, str):
        return {"source": source, "stop": made}
    return {"source": source, **row_of(made)}


def _table(rows: Sequence[Mapping[str, object]]) -> Any:
    """Return rows as a table whose types do not depend on what is in them."""
    import pyarrow as pa

    kinds = {name: pa.list_(pa.string()) for name in TEXTS}
    kinds |= dict.fromkeys(NUMBERS, pa.int64())
    names = ("source", *COLUMNS)
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
    columns = {name: [row.get(name) for row in rows] for name in names}
    return pa.table(columns, schema=schema)


def _ended(folder: Path) -> dict[str, str]:
    """Return how the questions in a folder's files ended; a finished trace goes before others."""
    ended: dict[str, str] = {}
    for source, stop in _stops(folder):
        if ended.get(source, "failed") in _UNFINISHED:
            ended[source] = stop
    return ended


def _stops(folder: Path) -> Iterator[tuple[str, str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in parquet_files(folder):
        try:
            table = pq.read_table(name, columns=["source", "stop"])
        except (OSError, pa.ArrowException) as error:
            raise ConfigError(
                f"{name}: not a file of this command: {error}",
                "Remove it, or name a folder of its own with --to.",
            ) from error
        yield from zip(table["source"].to_pylist(), table["stop"].to_pylist(), strict=True)
