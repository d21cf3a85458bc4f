"""One question and what every arm made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aurelia_plugin.benchmark.reading import as_choice
from aurelia_plugin.compare.audits.answer_kinds import Gold, gold_of
from aurelia_plugin.compare.audits.leaks import Finding, find_leak
from aurelia_plugin.compare.inputs.arms import ComparedArm, Key
from aurelia_plugin.compare.inputs.records import Account
from aurelia_plugin.compare.inputs.scores import Scored
from aurelia_plugin.compare.result import ArmAnswer, Change, ItemRow

__all__ = ["gold", "item_row", "leaks_of"]


def gold(question: Scored) -> Gold:
    """Return a question's gold answer."""
    return gold_of(
        question.target,
        column=question.column,
        category=question.category,
        question=question.question,
        about=question.extra,
    )


def leaks_of(
    arm: ComparedArm, keys: Iterable[Key], golds: Mapping[Key, Gold]
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


def item_row(
    key: Key,
    arms: Sequence[ComparedArm],
    reference: ComparedArm,
    answer: Gold,
    leaks: Mapping[str, Mapping[str, tuple[str, Finding]]],
) -> ItemRow:
    """Return a question with what every arm made of it; `leaks` is by arm and item."""
    question = reference.questions[key]
    known = (arm.accounts.get(key) for arm in arms)
    media = next((account.media for account in known if account and account.media), ())
    return ItemRow(
        id=_id(key),
        task=question.task,
        doc_id=question.doc_id,
        column=key.column,
        category=question.category,
        answer_class=answer.answer_class,
        cluster=question.cluster,
        needs=tuple(sorted(question.extra.get("needs") or ())),
        question=question.question,
        options=answer.options,
        gold=question.target,
        media=media,
        about=question.extra,
        arms={
            arm.label: _answer(
                arm.questions[key],
                arm.accounts.get(key),
                question if arm is not reference else None,
                answer,
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
        read = as_choice(question.answer, gold.lettered).value
    unparsed = question.unparsed
    return ArmAnswer(
        score=question.score,
        right=question.right,
        change=_change(question, reference),
        answer=question.answer,
        read=read,
        unparsed=account.unread(question.answer, unparsed) if account is not None else unparsed,
        failed=account.failed if account is not None else None,
        cause=account.cause if account is not None else None,
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
        compute=account.compute if account is not None else None,
    )


def _change(question: Scored, reference: Scored | None) -> Change | None:
    if reference is None or question.right is None or reference.right is None:
        return None
    if question.right:
        return "right" if reference.right else "wrong_to_right"
    return "right_to_wrong" if reference.right else "wrong"
