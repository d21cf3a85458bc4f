"""The loop: reasoner, summarizer, evaluator, feedback, until a caption is accepted.

A pure function of question, agents, prompts and settings: it keeps no state, decodes no media
and writes no file. Source: AURELIA, section 3 (r = R(v, a, q); c = S(r, q); e = E(v, a, c);
r* = argmax of e over the iterations).
"""

from __future__ import annotations

from aurelia_plugin.errors import AureliaError, BackendError, MediaError, OverBudgetError
from aurelia_plugin.reasoning.parsing import ReadVerdict
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.rounds import AskAgent, LoopPlan, Parsed, Round
from aurelia_plugin.reasoning.trace import Iteration, StopReason, Trace, best_of

__all__ = ["AskAgent", "LoopPlan", "distil"]


async def distil(question: Question, plan: LoopPlan, ask: AskAgent) -> Trace:
    """Run the loop for one question.

    Returns:
        The trace. A call that failed after its retries ends the loop with `stop="failed"`, one
        that the budget did not allow with `stop="over_budget"`; the iterations finished before it
        are kept.
    """
    iterations: list[Iteration] = []
    error: AureliaError | None = None
    try:
        while len(iterations) < plan.max_iterations and not _ended(iterations, plan):
            previous = iterations[-1] if iterations and not plan.independent else None
            iterations.append(await _iterate(question, plan, ask, len(iterations), previous))
    except (BackendError, MediaError, OverBudgetError) as failure:
        error = failure
    done = tuple(iterations)
    return Trace(
        key=plan.trace_key(question),
        question_key=question.key,
        question=question.text,
        clip_digest=question.clip.digest,
        media=tuple(medium.name for medium in question.clip.media),
        roles=dict(plan.roles),
        prompts_digest=plan.prompts.loop_digest,
        threshold=plan.threshold,
        max_iterations=plan.max_iterations,
        seed=plan.seed,
        variant=plan.variant,
        iterations=done,
        best=best_of(done),
        stop=_stop_reason(iterations, plan, error),
        error=None if error is None else str(error),
    )


def _ended(iterations: list[Iteration], plan: LoopPlan) -> bool:
    """Whether no further steps are asked for: independent sets are all made, then compared."""
    if not iterations:
        return False
    return not plan.scores or (not plan.independent and _accepted(iterations, plan))


def _accepted(iterations: list[Iteration], plan: LoopPlan) -> bool:
    judged = iterations if plan.independent else iterations[-1:]
    return any((iteration.score or 0) >= plan.threshold for iteration in judged)


def _stop_reason(
    iterations: list[Iteration], plan: LoopPlan, error: AureliaError | None
) -> StopReason:
    if error is not None:
        return "over_budget" if isinstance(error, OverBudgetError) else "failed"
    if _accepted(iterations, plan):
        return "accepted"
    if plan.scores and all(iteration.score is None for iteration in iterations):
        return "unscored"
    return "exhausted"


async def _iterate(
    question: Question, plan: LoopPlan, ask: AskAgent, index: int, previous: Iteration | None
) -> Iteration:
    round_ = Round(question, plan, ask, index)
    proposed = await round_.propose(previous)
    steps, calls = proposed.value, proposed.calls
    if not steps.steps:
        return Iteration(steps=(), calls=calls)
    caption: str | None = None
    verdict: ReadVerdict | None = None
    if plan.scores and plan.summarizes:
        summary = await round_.summarize(steps)
        caption, calls = summary.value, calls + summary.calls
    if plan.scores and (caption or not plan.summarizes):
        evaluation: Parsed[ReadVerdict | None] = (
            await round_.evaluate(caption) if caption else await round_.evaluate_steps(steps)
        )
        verdict, calls = evaluation.value, calls + evaluation.calls
    return Iteration(
        steps=steps.steps,
        step_answers=steps.answers,
        final_answer=steps.final_answer,
        caption=caption or None,
        score=verdict.score if verdict else None,
        feedback=verdict.feedback if verdict else None,
        calls=calls,
    )
