"""The one result object of a comparison; every table, plot, page and export is made from it.

Units: scores, shares, gains and bounds are fractions (0.1 is ten points), relative gains too
(0.25 is +25%, the paper's form), seconds are seconds, costs are US dollars. None means that it is
not known or not defined, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.storable import Storable

__all__ = [
    "COMPARISON",
    "RESULT_SCHEMA",
    "ArmAnswer",
    "Audits",
    "BoardPlace",
    "BoardRow",
    "Change",
    "Comparison",
    "Contrast",
    "Discrimination",
    "Figure",
    "Interval",
    "ItemRow",
    "Leak",
    "LeakAudit",
    "LeakSample",
    "Method",
    "ModalityAudit",
    "PositionAudit",
    "ReportedFigure",
    "RunInfo",
    "Saturation",
    "ScopeKind",
    "TaskInfo",
]

COMPARISON: Final = "comparison.json"
"""The file's name in the folder of a comparison."""

RESULT_SCHEMA: Final = 1

ScopeKind = Literal["all", "mean_over_columns", "column", "category", "answer_class", "answer"]
"""Which items figures are over.

`all`: every item, each with the same weight. `mean_over_columns`: every column with the same
weight, the paper's average. `answer_class`: what is asked for (country, continent, yes/no, ...);
`answer`: one gold value of a class, named `class: value`.
"""

Change = Literal["wrong_to_right", "right_to_wrong", "right", "wrong"]
"""An answer beside the reference arm's."""

Leak = Literal["leak", "clean", "unclear"]
"""Whether the steps give the gold answer away; `unclear` where no rule can tell."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Frozen):
    """Bounds at `Method.level`."""

    low: float
    high: float


class TaskInfo(_Frozen):
    """One task of one run, as the harness recorded it.

    Attributes:
        metric: the key of the log that was read as the score.
        graded: whether the score takes other values than 0 and 1.
        parser: what scores a reply: the processing function, filters, judge.
        generation: how the task has answers decoded.
        data: data set path, name and revision as the task names them.
    """

    name: str
    version: str | None
    metric: str
    graded: bool
    n: int
    parser: str
    generation: Mapping[str, Any]
    data: str


class RunInfo(_Frozen):
    """One arm: where it comes from and everything needed to run it again.

    Attributes:
        label: unique in the comparison; the key of every mapping over arms.
        condition, media: the plugin's settings; None for a run without the plugin.
        target: identity of the model that answered: the run record's, else the harness's.
        agents: role to identity.
        prompts: prompt file to digest.
        settings: the plugin's settings, resolved.
        model_args: as given to the harness.
        versions: `aurelia`, `harness`, `task:<name>`.
        models: role (or `target`) to the names by which the models themselves answered.
        seeds: the harness's and the plugin's.
        seconds: wall clock of the whole run.
        cost: in US dollars of the calls that this run made, by the prices that were given; calls
            whose replies were in the store cost nothing here.
        tokens, calls: by role.
        dropped: what was not delivered, with the reason: how many times; by role.
        problems: the first failures, in full.
        record: the plugin's record of the run; None if there is none.
        traces: the traces folder.
    """

    label: str
    harness: Literal["lmms-eval", "lm-eval"]
    folder: str
    date: str
    files: tuple[str, ...]
    model: str
    model_args: Mapping[str, str]
    condition: str | None = None
    media: str | None = None
    target: str
    agents: Mapping[str, str] = Field(default_factory=dict)
    threshold: int | None = None
    max_iterations: int | None = None
    prompts: Mapping[str, str] = Field(default_factory=dict)
    settings: Mapping[str, Any] = Field(default_factory=dict)
    config_digest: str | None = None
    versions: Mapping[str, str] = Field(default_factory=dict)
    models: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    seeds: Mapping[str, str] = Field(default_factory=dict)
    limit: float | None = None
    tasks: tuple[TaskInfo, ...]
    n: int
    seconds: float | None = None
    cost: float | None = None
    tokens: Mapping[str, Mapping[str, int]] = Field(default_factory=dict)
    calls: Mapping[str, int] = Field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = Field(default_factory=dict)
    problems: tuple[Storable, ...] = ()
    record: str | None = None
    traces: str | None = None


class Figure(_Frozen):
    """One arm over one scope.

    Attributes:
        n, clusters: items, and videos (or documents, where a task names no video).
        score: mean score.
        analytic: clustered by video; Wilson's interval at the effective sample size.
        bootstrap: cluster bootstrap; None where the scores do not vary.
        accuracy: share right; None where nothing says right or wrong.
        unparsed: share of replies that could not be read; None where no task says it.
        failed: questions whose agents or target failed; None without a run record.
        dropped: questions of which some evidence was not delivered; likewise.
        mean_iterations: over the questions that have a trace.
        input_tokens, output_tokens: the target's and its questions' agents', all calls of the
            traces counted, whenever they were made.
        cost: in US dollars by the prices that were given, all calls of the traces counted.
        seconds: mean time from taking up a question to its answer. Questions overlap, so the sum
            is more than the run took.
    """

    arm: str
    kind: ScopeKind
    name: str
    n: int
    clusters: int
    score: float
    analytic: Interval | None = None
    bootstrap: Interval | None = None
    accuracy: float | None = None
    unparsed: float | None = None
    failed: int | None = None
    dropped: int | None = None
    mean_iterations: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None


class Contrast(_Frozen):
    """One arm against the reference arm over one scope, paired by item.

    Attributes:
        gain: mean of score minus reference score.
        relative_gain: gain over the reference's score (the paper's form); None over 0.
        analytic: of the gain: clustered by video, t with clusters - 1 degrees of freedom.
        bootstrap, relative_bootstrap: paired cluster bootstrap.
        wins, losses, ties: items scored higher, lower, the same.
        wrong_to_right, right_to_wrong: flips; None where nothing says right or wrong.
        test: which test `p` is from: `mcnemar` (exact, one item per video), `clustered_mcnemar`
            (exact sign-flip test over videos, its generalisation), `bootstrap` (paired cluster
            bootstrap, graded scores).
        p: two-sided; None for graded scores where no video varies or the videos are too few.
        mcnemar: exact McNemar's p, as if items were independent; right/wrong scores only.
        p_holm: corrected over the columns of this arm; columns only.
        detectable: the gain that this n could have shown with 80% power at the 5% level.
    """

    arm: str
    reference: str
    kind: ScopeKind
    name: str
    n: int
    clusters: int
    score: float
    reference_score: float
    gain: float
    relative_gain: float | None = None
    analytic: Interval | None = None
    bootstrap: Interval | None = None
    relative_bootstrap: Interval | None = None
    wins: int
    losses: int
    ties: int
    wrong_to_right: int | None = None
    right_to_wrong: int | None = None
    test: Literal["mcnemar", "clustered_mcnemar", "bootstrap"] | None = None
    p: float | None = None
    mcnemar: float | None = None
    p_holm: float | None = None
    detectable: float | None = None


class ArmAnswer(_Frozen):
    """What one arm made of one item.

    Attributes:
        right: None where nothing says right or wrong.
        change: beside the reference arm; None for the reference itself.
        read: the answer as the parser read it (letter, label, phrase); None if it read none or
            the log does not hold it.
        failed: `agents`, `target`, or None; what the run record says.
        dropped: evidence that was not delivered, to the target or an agent.
        best_score, first_score: the evaluator's, 1 to 10.
        stop: why the loop ended.
        trace: key of the trace in `RunInfo.traces`.
        leak, leak_rule: of the arm's own r*.
    """

    score: float
    right: bool | None = None
    change: Change | None = None
    answer: Storable
    read: Storable | None = None
    unparsed: bool | None = None
    failed: str | None = None
    dropped: tuple[str, ...] = ()
    iterations: int | None = None
    first_score: int | None = None
    best_score: int | None = None
    stop: str | None = None
    trace: str | None = None
    leak: Leak | None = None
    leak_rule: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None


class ItemRow(_Frozen):
    """One item and what every arm made of it.

    Attributes:
        id: the item's id, else `task/doc_id`.
        cluster: the video that other items may share.
        needs: media that the item's author says it needs.
        question: the text that the task asks, options and answer form included.
        media: names of its media, as a trace or the log gives them.
        about: what the task's log keeps of the item beside (plain question, references, facts,
            question type); empty for tasks of others.
        arms: by label; an arm that lacks the item is absent.
    """

    id: str
    task: str
    doc_id: str
    column: str
    category: str
    answer_class: str
    cluster: str
    needs: tuple[str, ...] = ()
    question: Storable
    options: tuple[Storable, ...] | None = None
    gold: Storable
    media: tuple[Storable, ...] = ()
    about: Mapping[str, Any] = Field(default_factory=dict)
    arms: Mapping[str, ArmAnswer]


class LeakSample(_Frozen):
    """One item for the eye: what the rule saw."""

    item: str
    kind: str
    gold: Storable
    leak: Leak
    rule: str
    excerpt: Storable


class LeakAudit(_Frozen):
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


class Saturation(_Frozen):
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


class Discrimination(_Frozen):
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


class ModalityAudit(_Frozen):
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


class PositionAudit(_Frozen):
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


class Audits(_Frozen):
    """What could make a gain mean something else."""

    leaks: tuple[LeakAudit, ...] = ()
    saturation: tuple[Saturation, ...] = ()
    discrimination: tuple[Discrimination, ...] = ()
    modality: tuple[ModalityAudit, ...] = ()
    position: tuple[PositionAudit, ...] = ()


class ReportedFigure(_Frozen):
    """A published cell, in percent as printed. Reported, never a target."""

    model: str
    column: str
    zero_shot_first: float
    zero_shot_second: float
    with_aurelia: float | None
    printed_gain: float | None
    misprint: bool = False


class BoardRow(_Frozen):
    """One line of a published board; `arm` is set for measured ones. Scores in percent."""

    rank: int
    model: str
    score: float
    arm: str | None = None
    note: str = ""


class BoardPlace(_Frozen):
    """A published board with the measured rows in their places.

    Attributes:
        differs: what differs between the board's protocol and these runs (split, prompt, judge).
    """

    board: str
    title: str
    source: str
    dated: str
    metric: str
    rows: tuple[BoardRow, ...]
    differs: tuple[str, ...]


class Method(_Frozen):
    """How the figures were made."""

    level: float = 0.95
    draws: int
    seed: int
    power: float = 0.8
    alpha: float = 0.05
    cluster: str
    allowed: tuple[str, ...] = ()


class Comparison(_Frozen):
    """Runs side by side.

    Attributes:
        created: UTC, ISO 8601.
        reference: label of the arm that others are compared with.
        columns, categories: names in the order of the tables.
        figures: arms in the order of `runs`; within an arm all, mean over columns, columns,
            categories, answer classes, answers.
        contrasts: likewise, without the reference.
        notes: what a reader must know: items left out, differences that were allowed.
    """

    schema_version: int = RESULT_SCHEMA
    created: str
    version: str
    method: Method
    reference: str
    runs: tuple[RunInfo, ...]
    columns: tuple[str, ...]
    categories: tuple[str, ...]
    figures: tuple[Figure, ...]
    contrasts: tuple[Contrast, ...]
    audits: Audits = Audits()
    reported: tuple[ReportedFigure, ...] = ()
    boards: tuple[BoardPlace, ...] = ()
    notes: tuple[str, ...] = ()
    items: tuple[ItemRow, ...]

    def run(self, label: str) -> RunInfo:
        """Return an arm; KeyError if there is none of that label."""
        return {run.label: run for run in self.runs}[label]

    def figure(self, arm: str, kind: ScopeKind, name: str = "") -> Figure | None:
        """Return an arm's figures over a scope; `name` is not needed for the whole."""
        for figure in self.figures:
            if (figure.arm, figure.kind) == (arm, kind) and name in ("", figure.name):
                return figure
        return None

    def contrast(self, arm: str, kind: ScopeKind, name: str = "") -> Contrast | None:
        """Return an arm against the reference over a scope."""
        for contrast in self.contrasts:
            if (contrast.arm, contrast.kind) == (arm, kind) and name in ("", contrast.name):
                return contrast
        return None

    def write(self, folder: Path) -> Path:
        """Write `comparison.json` into the folder, made if need be, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / COMPARISON
        write_atomically(path, self.model_dump_json(indent=1).encode("utf-8"))
        return path

    @classmethod
    def read(cls, path: Path) -> Comparison:
        """Read a comparison from its file or its folder.

        Raises:
            ConfigError: there is none, or it is of another version.
        """
        file = path / COMPARISON if path.is_dir() else path
        try:
            return cls.model_validate_json(file.read_bytes())
        except OSError as error:
            raise ConfigError(
                f"{file}: {error.strerror or error}.", "Name a folder that holds a comparison."
            ) from error
        except ValidationError as error:
            raise ConfigError(
                f"{file}: not a comparison of this version ({error.errors()[0]['msg']}).",
                "Make it again with `aurelia compare`.",
            ) from error
