"""Self-refinement: the target answers, criticises its answer against the clip, answers again.

Source: Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback" (NeurIPS 2023, arXiv
2303.17651), section 2: one model writes, gives feedback on what it wrote, and refines it, with all
earlier answers and feedback in its prompt (equation 4), a number of times. Here it is a control:
the target is called about as often as the agents and the target of `condition=aurelia` were.
"""

from __future__ import annotations

from dataclasses import replace

from aurelia_plugin.calling.backend import Generation, Prompt, Reply
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.base import (
    Answered,
    AskTarget,
    Condition,
    MakeTrace,
    Prepared,
    calls_of,
    unfinished,
)
from aurelia_plugin.running.turns import Turn

__all__ = ["SelfRefine"]

_CRITIQUE_TOKENS = 512


class SelfRefine(Condition):
    """`condition=self_refine`: an answer, and as many rounds of criticism as the loop paid for.

    A round takes two calls. With C calls of the loop there are C // 2 rounds and at least one, so
    that the target is called C or C + 1 times: `condition=aurelia` took C + 1 calls.

    Args:
        trace: makes traces; they only say how many calls the loop made.
        prompts: `critique` asks for the criticism, `refine` for the next answer.
    """

    def __init__(self, trace: MakeTrace, prompts: PromptSet) -> None:
        self._trace = trace
        self._prompts = prompts

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        """Return the question unchanged, with the number of rounds."""
        trace = await self._trace(question, priority=priority)
        if not trace.finished:
            return unfinished(trace)
        rounds = max(1, calls_of(trace) // 2)
        return Prepared(question, trace=trace, uses_trace=False, rounds=rounds)

    async def answer(self, question: Question, prepared: Prepared, ask: AskTarget) -> Answered:
        """Return the last answer; one plain answer where the loop failed."""
        if prepared.question is None:
            return await super().answer(question, prepared, ask)
        critique = self._prompts.render("critique", {"question": question.text})
        refine = self._prompts.render("refine", {"question": question.text})
        prompt = question.prompt()
        reply = await ask(prompt)
        turns = [Turn.of("answer", reply)]
        for _ in range(prepared.rounds):
            said, criticised = await _criticise(prompt, reply, critique, ask)
            turns.append(Turn.of("critique", said))
            again = criticised.asking_again(said.text, refine)
            prompt = replace(again, generation=question.generation)
            reply = await ask(prompt)
            turns.append(Turn.of("answer", reply))
        turns[-1] = turns[-1]._replace(chosen=True)
        return Answered(reply, turns=tuple(turns))


async def _criticise(
    prompt: Prompt, reply: Reply, request: str, ask: AskTarget
) -> tuple[Reply, Prompt]:
    """Return the target's criticism of its reply, and the prompt that it stands behind."""
    own = prompt.generation
    # The task's stop strings and length are those of an answer.
    free = Generation(max_new_tokens=max(own.max_new_tokens, _CRITIQUE_TOKENS), seed=own.seed)
    criticised = replace(prompt.asking_again(reply.text, request), generation=free)
    return await ask(criticised), criticised
