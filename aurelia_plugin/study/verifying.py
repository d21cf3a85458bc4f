"""Verifying a target: probe, conformance, fixed items with and without reasoning, one record."""

from __future__ import annotations

import asyncio
import hashlib
import platform
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from aurelia_plugin import __version__
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.outputs.boards import load_board, packaged_boards
from aurelia_plugin.compare.result import Figure
from aurelia_plugin.media.clip import Clip
from aurelia_plugin.model_wrappers.catalogue import Row, row
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend
from aurelia_plugin.model_wrappers.sidecar.conformance import conformance
from aurelia_plugin.model_wrappers.verification import (
    FileFact,
    MediumFact,
    Published,
    RuleFact,
    ScoreFact,
    Verification,
)
from aurelia_plugin.running.probing import Probe, probe
from aurelia_plugin.study.plan import StudyPlan, plan_from
from aurelia_plugin.study.study import Outcome, run_arms

__all__ = ["CONDITIONS", "TASK", "Subject", "verify"]

TASK = "avreasonbench_mini"
"""The fixed items: the first ones of the packaged task."""

CONDITIONS = ("none", "aurelia")

_PACKAGES = ("lmms_eval", "torch", "transformers", "numpy")
_PICTURE = {"video", "frames", "images"}


class Subject(NamedTuple):
    """What is verified.

    Attributes:
        target: the catalogue id.
        options: settings and options of the backend, as for `--model_args`.
        items: how many items of `TASK`.
        seed: of the runs and the statistics.
        out: a folder for the runs; the same one again goes on with what is not finished.
    """

    target: str
    options: Mapping[str, Any]
    items: int
    seed: int
    out: Path


class _Seen(NamedTuple):
    """What is known after the probe."""

    probed: Probe
    rules: tuple[RuleFact, ...]
    weights: tuple[FileFact, ...]
    versions: dict[str, str]


def verify(subject: Subject, clip: Clip, other: Clip, say: Callable[[str], object]) -> Verification:
    """Try a target from its environment to its scores, and return the record.

    A fault of the target is in the record; the other steps are done all the same.

    Args:
        clip: one video with a soundtrack.
        other: another one, whose sound differs.
        say: is told what goes on, a line at a time.

    Raises:
        ConfigError: the target is not in the catalogue, cannot be loaded, or the folder holds
            runs of other settings.
    """
    known = row(subject.target)
    seen = _look(subject, clip, other, say)
    plan = _plan(subject)
    outcome = run_arms(plan, say)
    scores = _scores(plan, outcome)
    reply = seen.probed.arms["full"].reply
    picture, sound = seen.probed.picture, seen.probed.sound
    media = (
        MediumFact(medium="picture", reached=picture.reached, reason=picture.reason),
        MediumFact(medium="sound", reached=sound.reached, reason=sound.reason),
    )
    return Verification(
        target=known.id,
        system=(reply.model if reply is not None else "") or f"{known.system} {known.size}".strip(),
        tiny=bool(subject.options.get("tiny")),
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        aurelia=__version__,
        versions=seen.versions,
        backend=seen.probed.target,
        weights=seen.weights,
        evidence=seen.probed.evidence,
        media=media,
        rules=seen.rules,
        task=TASK,
        items=subject.items,
        seed=subject.seed,
        scores=scores,
        published=tuple(_published(known)),
        command=f"aurelia verify {known.id} --items {subject.items} --seed {subject.seed}",
        faults=(
            *_media_faults(known, media),
            *(f"rule broken: {rule.rule}: {rule.why}" for rule in seen.rules if not rule.holds),
            *(f"{arm.label} is not finished: {why}" for arm, why in outcome.failed.items()),
            *(
                f"{score.condition}: {score.unanswered} questions have no answer"
                for score in scores
                if score.unanswered
            ),
        ),
    )


def _look(subject: Subject, clip: Clip, other: Clip, say: Callable[[str], object]) -> _Seen:
    pool = BackendPool(subject.target, dict(subject.options))
    backend = pool.target

    async def probed() -> Probe:
        return await probe(backend, clip, other, retry=RetryPolicy(attempts=1))

    say("probe: the clip as it is, muted, blanked, exchanged, without media")
    try:
        found = asyncio.run(probed())
        if not isinstance(backend, SidecarBackend):
            return _Seen(found, (), (), _versions([]))
        say("conformance: every rule of docs/sidecars.md")
        rules = tuple(_rules(backend, clip, other))
        say("weights: their digests")
        weights = tuple(_files(Path(backend.place.weights))) if backend.place.weights else ()
        return _Seen(found, rules, weights, _versions(backend.facts_lines()))
    finally:
        asyncio.run(pool.close())


def _rules(backend: SidecarBackend, clip: Clip, other: Clip) -> Iterator[RuleFact]:
    with tempfile.TemporaryDirectory() as folder:
        for check in conformance(backend.place.facts, backend.pool, clip, other, Path(folder)):
            yield RuleFact(rule=check.rule, holds=check.holds, why=check.why)


def _files(weights: Path) -> Iterator[FileFact]:
    files = [weights] if weights.is_file() else sorted(weights.rglob("*"))
    for path in files:
        if path.is_file() and ".cache" not in path.parts:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(2**22):
                    digest.update(chunk)
            name = path.relative_to(weights).as_posix() if path != weights else path.name
            yield FileFact(path=name, bytes=path.stat().st_size, sha256=digest.hexdigest())


def _versions(facts: list[str]) -> dict[str, str]:
    """Return versions of what ran; `facts` are a sidecar's, of which those with paths stay out."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    told = (line.partition(": ") for line in facts)
    return found | {key: text for key, _, text in told if key in {"upstream", "system"}}


def _plan(subject: Subject) -> StudyPlan:
    values = {
        "targets": [subject.target],
        "tasks": [TASK],
        "conditions": list(CONDITIONS),
        "limit": subject.items,
        "seed": subject.seed,
        "out": subject.out,
        "model_args": dict(subject.options),
    }
    return plan_from(values, "aurelia verify")


def _scores(plan: StudyPlan, outcome: Outcome) -> tuple[ScoreFact, ...]:
    if len(outcome.done) < len(CONDITIONS):
        return ()
    labels = {arm.label: done for arm, done in outcome.done.items()}
    options = Options(
        reference=CONDITIONS[0], seed=plan.seed, traces=dict.fromkeys(labels, plan.traces)
    )
    compared = compare({label: done.run for label, done in labels.items()}, options)
    figures = {label: compared.figure(label, "all") for label in labels}
    return tuple(
        _score(figure, done.unanswered)
        for figure, done in zip(figures.values(), labels.values(), strict=True)
        if figure is not None
    )


def _score(figure: Figure, unanswered: int) -> ScoreFact:
    interval = figure.interval
    return ScoreFact(
        condition=figure.arm,
        n=figure.n,
        score=figure.score,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        method=figure.method or figure.missing,
        unanswered=unanswered,
        dropped=figure.dropped,
    )


def _media_faults(known: Row, media: tuple[MediumFact, ...]) -> Iterator[str]:
    wanted = {"picture": bool(_PICTURE & set(known.sees)), "sound": known.hears.soundtrack}
    for fact in media:
        if wanted[fact.medium] and not fact.reached:
            yield f"the {fact.medium} does not reach the model: {fact.reason}"


def _published(known: Row) -> Iterator[Published]:
    """Yield the figures of packaged boards for a system, with the command that measures them."""
    for name in packaged_boards():
        board = load_board(name)
        if board.rows == "reported" or any("*" in task for task in board.tasks):
            continue
        tasks = ",".join(board.tasks)
        for one in board.published():
            if _plain(one.model) == _plain(known.system):
                command = f"lmms-eval --model aurelia_{known.id} --tasks {tasks} --log_samples"
                yield Published(board=name, model=one.model, score=one.score, command=command)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
