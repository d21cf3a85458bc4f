"""The tables of a comparison as plain cells; how they look is left to who prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aurelia_plugin.compare.outputs.audit_sections import audit_sections, published_sections
from aurelia_plugin.compare.outputs.cells import (
    NONE,
    Section,
    amount,
    between,
    money,
    pvalue,
    share,
    signed,
    slug,
)
from aurelia_plugin.compare.result import Comparison, Contrast, Figure, ScopeKind

__all__ = ["Section", "arms_section", "sections"]


def sections(result: Comparison) -> list[Section]:
    """Return every table that the comparison has something for."""
    made = [*_verdicts(result), _runs(result), _compute(result), *_gains(result)]
    made += _figures(result)
    made += [*_groups(result), *audit_sections(result), *published_sections(result)]
    return [section for section in made if section.rows]


def arms_section(result: Comparison) -> Section:
    """Return the table of arms over all items."""
    rows = []
    for run in result.runs:
        figure = result.figure(run.label, "all")
        contrast = result.contrast(run.label, "all")
        if figure is None:
            continue
        rows.append(
            (
                run.label,
                str(figure.n),
                share(figure.score),
                between(figure),
                signed(contrast.gain) if contrast else "reference",
                between(contrast) if contrast else NONE,
                pvalue(contrast.p) if contrast else NONE,
            )
        )
    head = ("arm", "n", "score", "95% interval", "gain", "95% interval", "p")
    note = "All items; scores in percent, gains in points. p is not corrected for several arms."
    return Section("arms", "", head, tuple(rows), note, least=("n",))


_VERDICT_HEAD = (
    *("against", "n", "videos", "its score", "score", "gain", "95% interval", "won/lost", "p"),
    *("Holm", "could show"),
)


def _verdicts(result: Comparison) -> Iterator[Section]:
    for one in result.verdicts:
        rows = tuple(
            (
                test.reference,
                str(test.n),
                str(test.clusters),
                share(test.reference_score),
                share(test.score),
                signed(test.gain),
                between(test),
                f"{test.wins}/{test.losses}",
                pvalue(test.p),
                pvalue(test.p_holm),
                share(test.detectable),
            )
            for test in one.contrasts
        )
        note = "All items. Holm: p corrected over these tests; interval and p are not corrected."
        yield Section(
            f"verdict_{slug(one.arm)}",
            f"{one.arm} against every control",
            _VERDICT_HEAD,
            rows,
            note,
            least=("videos", "could show", "n", "won/lost", "its score", "score"),
        )


def _runs(result: Comparison) -> Section:
    head = (
        "arm",
        "condition",
        "media",
        "target",
        "n",
        "agents' calls",
        "tokens",
        "cost",
        "whole run, s",
    )
    rows = []
    for run in result.runs:
        tokens = sum(count["input"] + count["output"] for count in run.tokens.values())
        calls = sum(count for role, count in run.calls.items() if role != "target")
        rows.append(
            (
                f"{run.label} (reference)" if run.label == result.reference else run.label,
                run.condition or NONE,
                run.media or NONE,
                run.called,
                str(run.n),
                amount(calls if run.calls else None),
                amount(tokens or None),
                money(run.cost),
                amount(run.seconds, ",.1f"),
            )
        )
    note = "Calls, tokens and cost are those that the run itself made."
    least = ("media", "condition", "tokens", "agents' calls", "cost", "target")
    return Section("runs", "Runs", head, tuple(rows), note, least=least)


_COMPUTE_HEAD = (
    *("arm", "n", "score", "95% interval", "gain", "its 95% interval", "calls", "tokens read"),
    *("tokens written", "frames", "sound s", "passes"),
)


def _compute(result: Comparison) -> Section:
    rows = []
    for run in result.runs:
        figure = result.figure(run.label, "all")
        if figure is None or figure.compute is None or not figure.n:
            continue
        contrast, took = result.contrast(run.label, "all"), figure.compute
        counts = (took.calls, took.input_tokens, took.output_tokens, took.frames + took.images)
        rows.append(
            (
                f"{run.label} (reference)" if run.label == result.reference else run.label,
                str(figure.n),
                share(figure.score),
                between(figure),
                signed(contrast.gain) if contrast else NONE,
                between(contrast) if contrast else NONE,
                *(amount(count / figure.n, ",.1f") for count in counts),
                amount(took.sound_seconds / figure.n, ",.1f"),
                amount(None if took.passes is None else took.passes / figure.n, ",.1f"),
            )
        )
    note = (
        "A question on average, all items: calls of target and agents, whenever they were made; "
        "their tokens; frames and images, and seconds of sound, as often as they were handed to a "
        "model; forward passes, each row of a batch for itself, where all backends count them."
    )
    return Section("compute", "Score against compute", _COMPUTE_HEAD, tuple(rows), note)


_GAIN_HEAD = (
    *("n", "videos", "reference", "score", "gain", "95% interval", "relative", "won/lost"),
    *("right to wrong", "p", "Holm", "could show"),
)


_GAIN_LEAST = (
    *("videos", "right to wrong", "relative", "could show", "won/lost"),
    *("p", "score", "reference", "n"),
)


def _gain_row(one: Contrast) -> tuple[str, ...]:
    return (
        one.name,
        str(one.n),
        str(one.clusters),
        share(one.reference_score),
        share(one.score),
        signed(one.gain),
        between(one),
        NONE if one.relative_gain is None else f"{signed(one.relative_gain)}%",
        f"{one.wins}/{one.losses}",
        amount(one.right_to_wrong),
        pvalue(one.p),
        pvalue(one.p_holm),
        share(one.detectable),
    )


_GAIN_NOTE = (
    "Scores and gains in points of percent, paired by question. Interval and p are of one method "
    "and not corrected: score test of pairs over videos for right/wrong, bootstrap of videos for "
    "graded scores. Holm: p corrected over the columns of one arm. "
    "Could show: the true gain that this many questions find with 80% power at the 5% level."
)


def _gains(result: Comparison) -> Iterator[Section]:
    for run in result.runs:
        own = _of(result.contrasts, run.label, ("column", "mean_over_columns", "all"))
        title = f"{run.label} against {result.reference}"
        rows = tuple(_gain_row(one) for one in _last(own, ("mean_over_columns", "all")))
        head = ("column", *_GAIN_HEAD)
        name = f"gain_{slug(run.label)}"
        yield Section(name, title, head, rows, _GAIN_NOTE, least=_GAIN_LEAST)


def _of(found: Iterable[Contrast], arm: str, kinds: Sequence[ScopeKind]) -> list[Contrast]:
    return [one for one in found if one.arm == arm and one.kind in kinds]


def _last(found: Sequence[Contrast], kinds: Sequence[str]) -> list[Contrast]:
    return [
        *(one for one in found if one.kind not in kinds),
        *(one for kind in kinds for one in found if one.kind == kind),
    ]


def _figures(result: Comparison) -> Iterator[Section]:
    head = (
        *("column", "n", "videos", "score", "95% interval", "right", "unparsed"),
        *("failed", "dropped", "iterations", "tokens", "cost", "latency, s"),
    )
    least = ("videos", "dropped", "cost", "tokens", "iterations", "failed", "right", "latency, s")
    for run in result.runs:
        own = [f for f in result.figures if f.arm == run.label]
        chosen = [f for f in own if f.kind == "column"]
        chosen += [f for kind in ("mean_over_columns", "all") for f in own if f.kind == kind]
        note = (
            "Intervals take questions about one video as dependent. Failed and dropped: "
            "questions. Iterations and latency: means. Tokens and cost: target and agents, all "
            "calls of the traces counted."
        )
        yield Section(
            f"scores_{slug(run.label)}",
            f"{run.label}: scores",
            head,
            tuple(_figure_row(figure) for figure in chosen),
            note,
            least=least,
        )


def _figure_row(one: Figure) -> tuple[str, ...]:
    tokens = None if one.input_tokens is None else one.input_tokens + (one.output_tokens or 0)
    return (
        one.name,
        str(one.n),
        str(one.clusters),
        share(one.score),
        between(one),
        share(one.accuracy),
        share(one.unparsed),
        amount(one.failed),
        amount(one.dropped),
        amount(one.mean_iterations, ".2f"),
        amount(tokens),
        money(one.cost),
        amount(one.seconds, ".2f"),
    )


def _groups(result: Comparison) -> Iterator[Section]:
    titles: dict[ScopeKind, str] = {
        "category": "gain by category",
        "answer_class": "gain by what is asked for",
        "answer": "gain by gold answer",
    }
    for run in result.runs:
        for kind, title in titles.items():
            rows = tuple(_gain_row(one) for one in _of(result.contrasts, run.label, (kind,)))
            yield Section(
                f"{kind}_{slug(run.label)}",
                f"{run.label} against {result.reference}: {title}",
                (kind.replace("_", " "), *_GAIN_HEAD),
                rows if len(rows) > 1 or kind == "category" else (),
                "p values are not corrected for the number of rows: read them as a description.",
                least=_GAIN_LEAST,
            )
