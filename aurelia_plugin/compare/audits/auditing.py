"""Audits: what could make a gain mean something else than reasoning."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Final, NamedTuple

from scipy import stats

from aurelia_plugin.compare.audits.leaks import Finding
from aurelia_plugin.compare.figures import bounds_of, contrast
from aurelia_plugin.compare.result import (
    Audits,
    Contrast,
    Discrimination,
    Interval,
    ItemRow,
    LeakAudit,
    LeakSample,
    Method,
    ModalityAudit,
    PositionAudit,
    RunInfo,
    Saturation,
)
from aurelia_plugin.compare.scopes import Scope
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.statistics.estimates import score_estimate
from aurelia_plugin.statistics.ranking import auc, auc_interval

__all__ = ["AuditInputs", "audits"]

_SAMPLE: Final = 20
_REDUCED: Final = ("muted", "blanked", "swapped", "text")


class AuditInputs(NamedTuple):
    """What the audits read beside the rows, by arm and item.

    Attributes:
        leaks: what the leak rule saw, with the kind of answer.
        traces: the questions' traces.
    """

    leaks: Mapping[str, Mapping[str, tuple[str, Finding]]]
    traces: Mapping[str, Sequence[Trace]]


def audits(
    items: Sequence[ItemRow],
    runs: Sequence[RunInfo],
    reference: str,
    method: Method,
    given: AuditInputs,
) -> Audits:
    """Return every audit that the runs allow."""
    labels = [run.label for run in runs]
    return Audits(
        leaks=tuple(
            _leaks(label, items, reference, method, given.leaks[label])
            for label in labels
            if given.leaks.get(label)
        ),
        saturation=tuple(
            _saturation(label, scored, items, method)
            for label in labels
            if (scored := _with_evaluator(given.traces.get(label, ())))
        ),
        discrimination=tuple(
            found for label in labels if (found := _discrimination(label, items, method))
        ),
        modality=tuple(_modality(items, runs, method)),
        position=tuple(found for label in labels for found in _positions(label, items)),
    )


def _share(hits: Sequence[bool], clusters: Sequence[str]) -> Interval | None:
    if not hits:
        return None
    return bounds_of(score_estimate([float(hit) for hit in hits], clusters))


def _leaks(
    label: str,
    items: Sequence[ItemRow],
    reference: str,
    method: Method,
    findings: Mapping[str, tuple[str, Finding]],
) -> LeakAudit:
    rows = {item.id: item for item in items if item.id in findings and label in item.arms}
    found = {name: findings[name] for name in rows}
    counts = Counter(finding.leak for _, finding in found.values())
    judged = [name for name, (_, finding) in found.items() if finding.leak != "unclear"]
    hits = [found[name][1].leak == "leak" for name in judged]
    by_kind: dict[str, list[int]] = {}
    for kind, finding in found.values():
        tally = by_kind.setdefault(kind, [0, 0, 0])
        tally[("leak", "clean", "unclear").index(finding.leak)] += 1

    def over(leak: str) -> Contrast | None:
        own = [row for name, row in rows.items() if found[name][1].leak == leak]
        if label == reference or not own:
            return None
        return contrast(Scope("all", f"items with {leak} steps", own), label, reference, method)

    return LeakAudit(
        arm=label,
        n=len(found),
        leaking=counts["leak"],
        clean=counts["clean"],
        unclear=counts["unclear"],
        rate=fmean(hits) if hits else None,
        interval=_share(hits, [rows[name].cluster for name in judged]),
        by_kind={kind: (a, b, c) for kind, (a, b, c) in sorted(by_kind.items())},
        clean_contrast=over("clean"),
        leaking_contrast=over("leak"),
        sample=tuple(_sampled(rows, found, method.seed)),
    )


def _sampled(
    rows: Mapping[str, ItemRow], found: Mapping[str, tuple[str, Finding]], seed: int
) -> Iterable[LeakSample]:
    """Yield items for the eye: at most half of them leaking, then unclear, then clean ones."""
    order = sorted(found)
    random.Random(seed).shuffle(order)
    groups = [[n for n in order if found[n][1].leak == leak] for leak in ("leak", "unclear")]
    clean = [n for n in order if found[n][1].leak == "clean"]
    chosen = [*groups[0][: _SAMPLE // 2], *groups[1][: _SAMPLE // 4]]
    chosen += clean[: _SAMPLE - len(chosen)]
    for name in chosen:
        kind, finding = found[name]
        yield LeakSample(
            item=name,
            kind=kind,
            gold=rows[name].gold,
            leak=finding.leak,
            rule=finding.rule,
            excerpt=finding.excerpt,
        )


def _with_evaluator(traces: Sequence[Trace]) -> list[Trace]:
    """Return the traces of loops that have an evaluator."""
    return [trace for trace in traces if trace.variant is None or trace.variant.scores]


def _saturation(
    label: str, traces: Sequence[Trace], items: Sequence[ItemRow], method: Method
) -> Saturation:
    first = [trace.stop == "accepted" and len(trace.iterations) == 1 for trace in traces]
    scores = Counter(
        "none" if turn.score is None else str(turn.score)
        for trace in traces
        for turn in trace.iterations
    )
    order = [*map(str, range(1, 11)), "none"]
    longest = max((len(trace.iterations) for trace in traces), default=0)
    so_far = [
        [max([t.score or 0 for t in trace.iterations[: place + 1]]) for trace in scored]
        for place in range(longest)
        if (scored := [trace for trace in traces if any(t.score for t in trace.iterations)])
    ]
    return Saturation(
        arm=label,
        n=len(traces),
        accepted_first=fmean(first),
        interval=_share(first, [trace.clip_digest for trace in traces]),
        scores={score: scores[score] for score in order if scores[score]},
        mean_by_iteration=tuple(fmean(best) for best in so_far),
    )


def _discrimination(label: str, items: Sequence[ItemRow], method: Method) -> Discrimination | None:
    known = [
        (answer.best_score, answer.right, item.cluster)
        for item in items
        if (answer := item.arms.get(label)) is not None
        and answer.best_score is not None
        and answer.right is not None
    ]
    if not known:
        return None
    right = [float(score) for score, good, _ in known if good]
    wrong = [float(score) for score, good, _ in known if not good]
    between = auc_interval(
        [float(score) for score, _, _ in known],
        [good for _, good, _ in known],
        [cluster for _, _, cluster in known],
        draws=method.draws,
        seed=method.seed,
        level=method.level,
    )
    return Discrimination(
        arm=label,
        right=len(right),
        wrong=len(wrong),
        mean_right=fmean(right) if right else None,
        mean_wrong=fmean(wrong) if wrong else None,
        auc=auc(right, wrong),
        interval=Interval(low=between[0], high=between[1]) if between is not None else None,
    )


def _modality(
    items: Sequence[ItemRow], runs: Sequence[RunInfo], method: Method
) -> Iterable[ModalityAudit]:
    """Yield, for each arm with evidence taken away, its full twin's lead by what items need."""
    for reduced in runs:
        twins = [
            run
            for run in runs
            if (run.media, run.condition) == ("full", reduced.condition) and reduced.media != "full"
        ]
        if reduced.media not in _REDUCED or not twins:
            continue
        twins.sort(key=lambda run: _apart_from_media(run) != _apart_from_media(reduced))
        groups: dict[str, list[ItemRow]] = {"all": list(items)}
        for item in items:
            if item.needs:
                groups.setdefault("+".join(sorted(item.needs)), []).append(item)
        for name, own in groups.items():
            found = contrast(Scope("all", name, own), twins[0].label, reduced.label, method)
            if found is not None:
                yield ModalityAudit(
                    full=twins[0].label,
                    reduced=reduced.label,
                    media=reduced.media,
                    needs=name,
                    n=found.n,
                    drop=found.gain,
                    interval=found.interval,
                    p=found.p,
                )


def _apart_from_media(run: RunInfo) -> dict[str, object]:
    return {key: value for key, value in run.settings.items() if key != "media"}


def _positions(label: str, items: Sequence[ItemRow]) -> Iterable[PositionAudit]:
    """Yield, for each number of options, which ones the arm chooses."""
    groups: dict[int, list[ItemRow]] = {}
    for item in items:
        if item.options and label in item.arms:
            groups.setdefault(len(item.options), []).append(item)
    for size, own in sorted(groups.items()):
        letters = [chr(ord("A") + place) for place in range(size)]
        read = [item.arms[label].read for item in own]
        chosen = Counter(letter for letter in read if letter in letters)
        gold = Counter(item.gold.strip("(). ").upper() for item in own)
        yield PositionAudit(
            arm=label,
            options=size,
            n=len(own),
            chosen={letter: chosen[letter] for letter in letters},
            gold={letter: gold[letter] for letter in letters},
            unread=len(own) - sum(chosen.values()),
            p=_fit(chosen, gold, letters),
        )


def _fit(chosen: Counter[str], gold: Counter[str], letters: Sequence[str]) -> float | None:
    """Return the chi-squared p that chosen positions are distributed as the gold ones are."""
    used = [letter for letter in letters if chosen[letter] or gold[letter]]
    total = sum(chosen.values())
    if not total or len(used) < 2 or any(not gold[letter] for letter in used):
        return None
    scale = total / sum(gold[letter] for letter in used)
    expected = [gold[letter] * scale for letter in used]
    return float(stats.chisquare([chosen[letter] for letter in used], expected).pvalue)
