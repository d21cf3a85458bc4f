"""The tables of audits and of published figures."""

from __future__ import annotations

from collections.abc import Iterator

from aurelia_plugin.compare.outputs.cells import (
    NONE,
    Section,
    amount,
    between,
    pvalue,
    share,
    signed,
    slug,
    span,
)
from aurelia_plugin.compare.result import Audits, Comparison, Interval

__all__ = ["audit_sections", "published_sections"]


def audit_sections(result: Comparison) -> Iterator[Section]:
    """Yield the tables of the audits."""
    yield _leaks(result)
    yield _leak_kinds(result)
    yield _leak_sample(result)
    yield _evaluator(result.audits)
    yield _modality(result.audits)
    yield _position(result.audits)


def _evaluator(audits: Audits) -> Section:
    found = {one.arm: one for one in audits.discrimination}
    rows = []
    for one in audits.saturation:
        score = found.get(one.arm)
        rows.append(
            (
                one.arm,
                str(one.n),
                share(one.accepted_first),
                span(one.interval),
                amount(score.auc, ".3f") if score else NONE,
                _auc(score.interval) if score else NONE,
                amount(score.mean_right, ".2f") if score else NONE,
                amount(score.mean_wrong, ".2f") if score else NONE,
            )
        )
    return Section(
        "evaluator",
        "Evaluator: is everything let through, and does its score know what is right?",
        ("arm", "traces", "accepted at first try", "95%", "AUC", "95%", "score if right", "wrong"),
        tuple(rows),
        "AUC 0.5: the score says nothing about whether the answer was right.",
    )


def _modality(audits: Audits) -> Section:
    return Section(
        "modality",
        "What taking evidence away costs",
        ("full, reduced", "media", "items need", "n", "drop", "95% interval", "p"),
        tuple(
            (
                f"{one.full}, {one.reduced}",
                one.media,
                one.needs,
                str(one.n),
                signed(one.drop),
                span(one.interval, sign=True),
                pvalue(one.p),
            )
            for one in audits.modality
        ),
        "A drop near zero says that the evidence was not used.",
    )


def _position(audits: Audits) -> Section:
    return Section(
        "position",
        "Positions of chosen options",
        ("arm", "options", "n", "chosen", "gold", "not read", "p"),
        tuple(
            (
                one.arm,
                str(one.options),
                str(one.n),
                " ".join(f"{letter}:{count}" for letter, count in one.chosen.items()),
                " ".join(f"{letter}:{count}" for letter, count in one.gold.items()),
                str(one.unread),
                pvalue(one.p),
            )
            for one in audits.position
        ),
        "p: chi-squared, that positions are chosen as the gold ones are distributed.",
    )


def _auc(interval: Interval | None) -> str:
    return NONE if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"


def _leaks(result: Comparison) -> Section:
    rows = []
    for one in result.audits.leaks:
        clean, leaking = one.clean_contrast, one.leaking_contrast
        rows.append(
            (
                one.arm,
                str(one.n),
                f"{one.leaking}/{one.clean}/{one.unclear}",
                share(one.rate),
                span(one.interval),
                share(clean.score) if clean else NONE,
                signed(clean.gain) if clean else NONE,
                between(clean) if clean else NONE,
                pvalue(clean.p) if clean else NONE,
                signed(leaking.gain) if leaking else NONE,
            )
        )
    return Section(
        "leaks",
        "Do the steps give the answer away?",
        (
            *("arm", "n", "leak/clean/unclear", "leak rate", "95%", "score on clean"),
            *("gain on clean", "95% interval", "p", "gain on leaking"),
        ),
        tuple(rows),
        "Rules per kind of answer are in the documentation. A placebo's steps belong to another "
        "question: its rate is what the rules find by chance.",
    )


def _leak_kinds(result: Comparison) -> Section:
    rows = tuple(
        (f"{one.arm}: {kind}", *(str(count) for count in counts))
        for one in result.audits.leaks
        for kind, counts in one.by_kind.items()
    )
    return Section(
        "leaks_by_kind",
        "Leaks by kind of answer",
        ("arm: kind", "leak", "clean", "unclear"),
        rows,
    )


def _leak_sample(result: Comparison) -> Section:
    rows = tuple(
        (one.arm, sample.item, sample.kind, sample.gold, sample.leak, sample.rule, sample.excerpt)
        for one in result.audits.leaks
        for sample in one.sample
    )
    head = ("arm", "item", "kind", "gold", "found", "rule", "excerpt of the steps")
    return Section("leak_sample", "Steps to look at", head, rows, text=True)


def published_sections(result: Comparison) -> Iterator[Section]:
    """Yield the tables of published figures beside measured ones."""
    yield Section(
        "reported",
        "The paper's figures (reported, never a target)",
        ("model: column", "zero-shot, first", "second", "with AURELIA", "printed gain"),
        tuple(
            (
                f"{one.model}: {one.column}",
                f"{one.zero_shot_first:.1f}",
                f"{one.zero_shot_second:.1f}",
                amount(one.with_aurelia, ".1f"),
                amount(one.printed_gain, "+.2f") + (" (misprint)" if one.misprint else ""),
            )
            for one in result.reported
        ),
        "Percent. The printed gain is relative to the second figure. The command aurelia reported "
        "says what is known about them.",
    )
    for board in result.boards:
        yield Section(
            f"board_{slug(board.board)}",
            f"{board.title}, as of {board.dated} ({board.metric})",
            ("model", "rank", "score", "note"),
            tuple(
                (row.model, str(row.rank), f"{row.score:.1f}", row.note or "reported")
                for row in board.rows
            ),
            "\n".join(
                (f"Source: {board.source}", *(f"Differs in {text}" for text in board.differs))
            ),
        )
