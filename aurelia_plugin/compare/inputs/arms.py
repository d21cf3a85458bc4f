"""One arm of a comparison, read: its log, its record, its questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.compare.inputs.logs import RunLog, read_log
from aurelia_plugin.compare.inputs.records import Account, Record, find_record
from aurelia_plugin.compare.inputs.run_info import run_info
from aurelia_plugin.compare.inputs.scores import Scored, metric_of, scored_rows
from aurelia_plugin.compare.result import RunInfo

__all__ = ["BLIND", "ComparedArm", "Key", "read_arms"]

BLIND: Final = "variant"
"""The field of an exported text-only item that names what its prompt holds."""


class Key(NamedTuple):
    """What pairs questions: the item, and the column it is asked in."""

    item: str
    column: str


@dataclass(frozen=True)
class ComparedArm:
    """One arm.

    Attributes:
        questions: by key, in the order of the log.
        accounts: what the run's record says of a question.
        blind: what a text-only run was given (`question`, ...); None for a run over media.
    """

    info: RunInfo
    questions: Mapping[Key, Scored]
    accounts: Mapping[Key, Account]
    notes: tuple[str, ...]
    blind: str | None = None
    prices: Prices | None = None

    def cost(self, key: Key) -> float | None:
        """Return what a question cost, its agents included; None if a model has no price."""
        account = self.accounts.get(key)
        if account is None or self.prices is None:
            return None
        return account.cost(next(iter(self.info.models.get("target", ())), "target"), self.prices)

    @property
    def label(self) -> str:
        """The arm's name."""
        return self.info.label

    def content(self, key: Key) -> tuple[str | None, str]:
        """Return the digest of clip and text, if a record has it, and that of text and target."""
        question, account = self.questions[key], self.accounts.get(key)
        text = sha256("\0".join((question.question, question.target)).encode()).hexdigest()
        return (account.content if account is not None else None), text


def read_arms(
    label: str,
    path: Path,
    *,
    metric: str | None = None,
    cluster: str | None = None,
    traces: Path | None = None,
    prices: Prices | None = None,
) -> list[ComparedArm]:
    """Read the run below a path: one arm, or one for each variant of a text-only run.

    Raises:
        ConfigError: it holds no log, or one that cannot be understood.
    """
    log = read_log(path)
    record = find_record(log, traces)
    metrics = {task: metric_of(log, task, metric) for task in log.rows}
    scored = [
        question for task in log.rows for question in scored_rows(log, task, metrics[task], cluster)
    ]
    variants = list(dict.fromkeys(question.extra.get(BLIND) for question in scored))
    arms = []
    for variant in variants:
        own = [question for question in scored if question.extra.get(BLIND) == variant]
        name = label if variant is None else f"{label}: {variant}"
        arms.append(_arm(name, log, record, metrics, own, variant, prices))
    return arms


def _arm(
    label: str,
    log: RunLog,
    record: Record | None,
    metrics: Mapping[str, str],
    scored: Iterable[Scored],
    variant: str | None,
    prices: Prices | None,
) -> ComparedArm:
    questions: dict[Key, Scored] = {}
    for question in scored:
        # Tasks of columns come first; those of categories hold the same items once more.
        questions.setdefault(Key(question.item, question.column), question)
    known = record.accounts if record is not None else {}
    accounts = {
        key: known[question.task, question.doc_id]
        for key, question in questions.items()
        if (question.task, question.doc_id) in known
    }
    notes = list(log.notes)
    if record is None and "aurelia" in str(log.config.get("model_backend")):
        notes.append(
            f"{label}: its record was not found (name the traces folder with --traces "
            f"'{label}=DIR'): what failed, what was delivered and the loops are not known."
        )
    elif record is not None and not accounts:
        notes.append(f"{label}: its record is older and says nothing of single questions.")
    info = run_info(label, log, record, metrics, list(questions.values()), prices)
    return ComparedArm(info, questions, accounts, tuple(notes), variant, prices)
