"""From runs to the one result object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from aurelia_plugin import __version__
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.compare.audits.auditing import AuditInputs, audits
from aurelia_plugin.compare.audits.leaks import Finding
from aurelia_plugin.compare.figures import contrast, figure, with_holm
from aurelia_plugin.compare.inputs.arms import ComparedArm, Key, read_arms
from aurelia_plugin.compare.inputs.pairing import common_keys, require_pairs, shortfalls
from aurelia_plugin.compare.inputs.rows import gold, item_row, leaks_of
from aurelia_plugin.compare.outputs.boards import places
from aurelia_plugin.compare.published import reported_figures
from aurelia_plugin.compare.result import Comparison, ItemRow, Method
from aurelia_plugin.compare.scopes import in_order, scopes
from aurelia_plugin.compare.verdicts import verdicts
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.trace import Trace

__all__ = ["Options", "compare"]


@dataclass(frozen=True)
class Options:
    """How runs are compared.

    Attributes:
        reference: label of the arm that others are compared with; by default the first run with
            `condition=none`, else the first one.
        draws, seed: of the bootstrap.
        metric: read as the score; by default `score`, else a task's first metric.
        cluster: the key that names an item's video.
        allow: what may differ between runs: `items`, `parser`, `target`.
        traces: label to the traces folder, where that has moved.
        prices: model to US dollars for a million tokens read and written.
        boards: names or files of published boards.
        reported: the model of the paper whose figures stand beside; by default the target's.
    """

    reference: str | None = None
    draws: int = 4000
    seed: int = 0
    metric: str | None = None
    cluster: str | None = None
    allow: frozenset[str] = frozenset()
    traces: Mapping[str, Path] = field(default_factory=dict)
    prices: Mapping[str, tuple[float, float]] | None = None
    boards: tuple[str, ...] = ()
    reported: str | None = None


def compare(runs: Mapping[str, Path], options: Options | None = None) -> Comparison:
    """Compare runs, paired by task, document and content.

    Args:
        runs: label to the folder that a run's `--output_path` named, in the order of the tables.

    Raises:
        ConfigError: a run cannot be read, or runs cannot be paired; the message says what differs.
    """
    options = options or Options()
    arms = [
        arm
        for label, path in runs.items()
        for arm in read_arms(
            label,
            path,
            metric=options.metric,
            cluster=options.cluster,
            traces=options.traces.get(label),
            prices=Prices.of_pairs(options.prices) if options.prices is not None else None,
        )
    ]
    reference = _reference(arms, options.reference)
    notes = [note for arm in arms for note in arm.notes]
    notes += require_pairs(arms, reference, options.allow)
    keys = common_keys(arms, reference)
    notes += shortfalls(arms, reference, keys)
    method = Method(
        draws=options.draws,
        seed=options.seed,
        cluster=options.cluster or "video",
        allowed=tuple(sorted(options.allow)),
    )
    golds = {key: gold(reference.questions[key]) for key in keys}
    leaks = {arm.label: leaks_of(arm, keys, golds) for arm in arms}
    rows = [item_row(key, arms, reference, golds[key], leaks) for key in keys]
    columns = in_order(row.column for row in rows)
    items = tuple(sorted(rows, key=lambda row: columns.index(row.column)))  # the paper's order
    return _compared(arms, reference, items, method, leaks, keys, notes, options)


def _compared(
    arms: Sequence[ComparedArm],
    reference: ComparedArm,
    items: tuple[ItemRow, ...],
    method: Method,
    leaks: Mapping[str, Mapping[str, tuple[str, Finding]]],
    keys: Sequence[Key],
    notes: Sequence[str],
    options: Options,
) -> Comparison:
    infos = tuple(arm.info for arm in arms)
    everything = list(scopes(items))
    figures = [
        found
        for info in infos
        for scope in everything
        if (found := figure(scope, info.label, method))
    ]
    contrasts = [
        against
        for info in infos
        if info.label != reference.label
        for scope in everything
        if (against := contrast(scope, info.label, reference.label, method))
    ]
    traces = {arm.label: list(_traces(arm, keys)) for arm in arms}
    return Comparison(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        version=__version__,
        method=method,
        reference=reference.label,
        runs=infos,
        columns=in_order(item.column for item in items),
        categories=in_order(item.category for item in items),
        figures=tuple(figures),
        contrasts=tuple(with_holm(contrasts)),
        verdicts=verdicts(items, infos, reference.label, method),
        audits=audits(items, infos, reference.label, method, AuditInputs(leaks, traces)),
        reported=reported_figures(infos, options.reported),
        boards=places(options.boards, infos, figures),
        notes=tuple(dict.fromkeys(notes)),
        items=items,
    )


def _traces(arm: ComparedArm, keys: Sequence[Key]) -> Iterator[Trace]:
    for key in keys:
        account = arm.accounts.get(key)
        if account is not None and account.trace is not None:
            yield account.trace


def _reference(arms: Sequence[ComparedArm], wanted: str | None) -> ComparedArm:
    labels = [arm.label for arm in arms]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ConfigError(
            f"Two runs are called {twice[0]}.", f"Give each a name of its own: NAME={twice[0]}."
        )
    if wanted is not None:
        if wanted not in labels:
            raise ConfigError(
                f"--reference {wanted}: no run is called so.", f"Choose from: {', '.join(labels)}"
            )
        return arms[labels.index(wanted)]
    plain = [arm for arm in arms if arm.info.condition == "none" and arm.info.media == "full"]
    return next(iter(plain), arms[0])
