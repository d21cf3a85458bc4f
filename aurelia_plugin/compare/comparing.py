"""From runs to the one result object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from aurelia_plugin import __version__
from aurelia_plugin.benchmark.answers import extract_option
from aurelia_plugin.compare.answer_kinds import Gold, gold_of
from aurelia_plugin.compare.arms import Arm, Key, Prices, read_arms
from aurelia_plugin.compare.audits import Evidence, audits
from aurelia_plugin.compare.boards import places
from aurelia_plugin.compare.leaks import Finding, find_leak
from aurelia_plugin.compare.pairing import common_keys, require_pairs
from aurelia_plugin.compare.published import reported_figures
from aurelia_plugin.compare.records import Account
from aurelia_plugin.compare.result import ArmAnswer, Change, Comparison, ItemRow, Method
from aurelia_plugin.compare.scopes import contrast, figure, in_order, scopes, with_holm
from aurelia_plugin.compare.scores import Scored
from aurelia_plugin.errors import ConfigError

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
    prices: Prices | None = None
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
            prices=options.prices,
        )
    ]
    reference = _reference(arms, options.reference)
    notes = [note for arm in arms for note in arm.notes]
    notes += require_pairs(arms, reference, options.allow)
    keys = common_keys(arms, reference)
    if len(keys) < len(reference.questions):
        notes.append(
            f"{len(keys)} of {len(reference.questions)} questions of {reference.label} are in "
            "every run; the others are left out."
        )
    method = Method(
        draws=options.draws,
        seed=options.seed,
        cluster=options.cluster or "video",
        allowed=tuple(sorted(options.allow)),
    )
    golds = {key: _gold(reference.questions[key]) for key in keys}
    leaks = {arm.label: _leaks(arm, keys, golds) for arm in arms}
    items = tuple(_row(key, arms, reference, golds[key], leaks) for key in keys)
    return _compared(arms, reference, items, method, leaks, keys, notes, options)


def _compared(
    arms: Sequence[Arm],
    reference: Arm,
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
    traces = {
        arm.label: [
            account.trace
            for key in keys
            if (account := arm.accounts.get(key)) is not None and account.trace is not None
        ]
        for arm in arms
    }
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
        audits=audits(items, infos, reference.label, method, Evidence(leaks, traces)),
        reported=reported_figures(infos, options.reported),
        boards=places(options.boards, infos, figures),
        notes=tuple(dict.fromkeys(notes)),
        items=items,
    )


def _reference(arms: Sequence[Arm], wanted: str | None) -> Arm:
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


def _gold(question: Scored) -> Gold:
    return gold_of(
        question.target,
        column=question.column,
        category=question.category,
        question=question.question,
        about=question.extra,
    )


def _leaks(
    arm: Arm, keys: Iterable[Key], golds: Mapping[Key, Gold]
) -> dict[str, tuple[str, Finding]]:
    """Return what the leak rules see in the steps that the arm put in front of each question."""
    found: dict[str, tuple[str, Finding]] = {}
    for key in keys:
        account = arm.accounts.get(key)
        if account is not None and account.steps:
            asked = arm.questions[key].question
            found[_id(key)] = (golds[key].kind, find_leak(account.steps, golds[key], asked))
    return found


def _id(key: Key) -> str:
    return f"{key.item} (per candidate)" if key.column.endswith("(per candidate)") else key.item


def _row(
    key: Key,
    arms: Sequence[Arm],
    reference: Arm,
    gold: Gold,
    leaks: Mapping[str, Mapping[str, tuple[str, Finding]]],
) -> ItemRow:
    question = reference.questions[key]
    known = (arm.accounts.get(key) for arm in arms)
    media = next((account.media for account in known if account and account.media), ())
    return ItemRow(
        id=_id(key),
        task=question.task,
        doc_id=question.doc_id,
        column=key.column,
        category=question.category,
        answer_class=gold.answer_class,
        cluster=question.cluster,
        needs=tuple(sorted(question.extra.get("needs") or ())),
        question=question.question,
        options=gold.options,
        gold=question.target,
        media=media,
        about=question.extra,
        arms={
            arm.label: _answer(
                arm.questions[key],
                arm.accounts.get(key),
                question if arm is not reference else None,
                gold,
                leaks[arm.label].get(_id(key)),
                arm.cost(key),
            )
            for arm in arms
            if key in arm.questions
        },
    )


def _answer(
    question: Scored,
    account: Account | None,
    reference: Scored | None,
    gold: Gold,
    leak: tuple[str, Finding] | None,
    cost: float | None,
) -> ArmAnswer:
    trace = account.trace if account is not None else None
    scores = [turn.score for turn in trace.iterations if turn.score] if trace is not None else []
    read = question.said
    if read is None and gold.options is not None:
        read = extract_option(question.answer, gold.options).value
    return ArmAnswer(
        score=question.score,
        right=question.right,
        change=_change(question, reference),
        answer=question.answer,
        read=read,
        unparsed=question.unparsed,
        failed=account.failed if account is not None else None,
        dropped=account.dropped if account is not None else (),
        iterations=len(trace.iterations) if trace is not None else None,
        first_score=trace.iterations[0].score if trace is not None and trace.iterations else None,
        best_score=max(scores, default=None),
        stop=trace.stop if trace is not None else None,
        trace=trace.key if trace is not None else None,
        leak=leak[1].leak if leak is not None else None,
        leak_rule=leak[1].rule if leak is not None else None,
        input_tokens=account.input_tokens if account is not None else question.input_tokens,
        output_tokens=account.output_tokens if account is not None else question.output_tokens,
        cost=cost,
        seconds=account.seconds if account is not None else None,
    )


def _change(question: Scored, reference: Scored | None) -> Change | None:
    if reference is None or question.right is None or reference.right is None:
        return None
    if question.right:
        return "right" if reference.right else "wrong_to_right"
    return "right_to_wrong" if reference.right else "wrong"
