"""What the audits found."""

from __future__ import annotations

from collections.abc import Mapping

from aurelia_plugin.compare.result.figures import Contrast
from aurelia_plugin.compare.result.parts import Interval, Leak
from aurelia_plugin.files.records import Record
from aurelia_plugin.files.storable import Storable

__all__ = [
    "Audits",
    "Discrimination",
    "LeakAudit",
    "LeakSample",
    "ModalityAudit",
    "PositionAudit",
    "Saturation",
]


class LeakSample(Record):
    """One item for the eye: what the rule saw."""

    item: str
    kind: str
    gold: Storable
    leak: Leak
    rule: str
    excerpt: Storable


class LeakAudit(Record):
    """How often an arm's steps give the gold answer away.

    Attributes:
        n: items that have steps; of them `leaking`, `clean` and `unclear`.
        rate: leaking over leaking and clean, with its interval.
        by_kind: answer kind to (leaking, clean, unclear).
        clean_contrast: arm against reference over the items whose steps are clean; None for the
            reference and without such items.
        leaking_contrast: likewise over the leaking ones.
        sample: drawn by seed, leaking ones first.
    """

    arm: str
    n: int
    leaking: int
    clean: int
    unclear: int
    rate: float | None
    interval: Interval | None
    by_kind: Mapping[str, tuple[int, int, int]]
    clean_contrast: Contrast | None = None
    leaking_contrast: Contrast | None = None
    sample: tuple[LeakSample, ...] = ()


class Saturation(Record):
    """Whether the evaluator lets everything pass.

    Attributes:
        accepted_first: share of traces accepted at the first iteration.
        scores: evaluator's score (as text, or `none`) to how many iterations got it.
        mean_by_iteration: mean best score so far after each iteration; a loop that stopped keeps
            its score.
    """

    arm: str
    n: int
    accepted_first: float
    interval: Interval | None
    scores: Mapping[str, int]
    mean_by_iteration: tuple[float, ...]


class Discrimination(Record):
    """The evaluator's best score against whether the answer was right.

    Attributes:
        auc: probability that a right answer's score is above a wrong one's, ties half; 0.5 says
            that the score knows nothing. None without both kinds.
        interval: cluster bootstrap.
    """

    arm: str
    right: int
    wrong: int
    mean_right: float | None
    mean_wrong: float | None
    auc: float | None
    interval: Interval | None


class ModalityAudit(Record):
    """What taking evidence away costs: the full arm minus the one without.

    Attributes:
        needs: `all`, or the media that the items need, such as `sound`, `picture+sound`.
        drop: full minus reduced; near 0 says that the evidence was not used.
    """

    full: str
    reduced: str
    media: str
    needs: str
    n: int
    drop: float
    interval: Interval | None
    p: float | None


class PositionAudit(Record):
    """Which options an arm chooses, beside where the right ones stand.

    Attributes:
        options: how many options the items have.
        chosen, gold: letter to count.
        p: chi-squared test that what is chosen is distributed as the gold positions are.
    """

    arm: str
    options: int
    n: int
    chosen: Mapping[str, int]
    gold: Mapping[str, int]
    unread: int
    p: float | None


class Audits(Record):
    """What could make a gain mean something else."""

    leaks: tuple[LeakAudit, ...] = ()
    saturation: tuple[Saturation, ...] = ()
    discrimination: tuple[Discrimination, ...] = ()
    modality: tuple[ModalityAudit, ...] = ()
    position: tuple[PositionAudit, ...] = ()
