"""The conditions of a run, as one table: settings, studies, help and documentation read it.

Other packages add rows through the entry point group `aurelia.conditions`: each entry is a
`ConditionInfo`, or a function that returns one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.extensions import read_extensions
from aurelia_plugin.reasoning.injection import Injector
from aurelia_plugin.reasoning.parsing import ReadVerdict
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.rounds import Parsed
from aurelia_plugin.running.conditions.base import Condition, MakeTrace, RateAnswer
from aurelia_plugin.running.conditions.decoding import AudioVisualContrast, ModalityAdaptive
from aurelia_plugin.running.conditions.looking import LookAgain
from aurelia_plugin.running.conditions.packaged import (
    Aurelia,
    ChainOfThought,
    Consistency,
    Placebo,
    Precomputed,
    ZeroShot,
)
from aurelia_plugin.running.conditions.picking import BestOfN
from aurelia_plugin.running.conditions.refining import SelfRefine
from aurelia_plugin.running.conditions.voting import Poll
from aurelia_plugin.settings import AureliaSettings
from aurelia_plugin.traces.precomputed import open_precomputed
from aurelia_plugin.traces.store import TraceStore

__all__ = ["CONDITIONS", "GROUP", "ConditionInfo", "RunContext", "condition_info", "conditions"]

GROUP = "aurelia.conditions"
"""The entry points of other packages."""


async def _no_evaluator(
    question: Question, answer: str, *, priority: int = 0
) -> Parsed[ReadVerdict | None]:
    raise ConfigError(
        "An answer is to be scored, and this run has no evaluator.",
        "A condition that scores answers says uses_agents=True in its ConditionInfo.",
    )


@dataclass(frozen=True)
class RunContext:
    """What conditions are made from.

    Attributes:
        settings: of the run.
        prompts: of the run.
        store: the traces folder.
        target: the identity of the model under test.
        trace: makes a question's trace; only for conditions that use agents.
        rate: has the evaluator score an answer; likewise.
    """

    settings: AureliaSettings
    prompts: PromptSet
    store: TraceStore
    target: str
    trace: MakeTrace
    rate: RateAnswer = _no_evaluator

    @property
    def injector(self) -> Injector:
        """Puts reasoning in front of questions, as `inject` has it."""
        with_answers = self.settings.inject == "steps_and_answers"
        return Injector(self.prompts, with_answers=with_answers)


@dataclass(frozen=True)
class ConditionInfo:
    """One row of the table.

    Attributes:
        name: as `condition=` takes it.
        help: what the target is given, in a few words.
        make: makes it for one run.
        uses_agents: whether it makes traces, and the run needs agents.
        reuses_traces: whether these are the traces of `condition=aurelia`, so that a study makes
            them there.
        needs_logits: whether the target has to decode with a contrast (`Contrasting`).
    """

    name: str
    help: str
    make: Callable[[RunContext], Condition]
    uses_agents: bool = False
    reuses_traces: bool = False
    needs_logits: bool = False


def _consistency(context: RunContext) -> Condition:
    settings = context.settings
    poll = Poll(context.target, settings.vote_temperature, settings.seed, context.store)
    return Consistency(context.trace, poll)


def _aurelia(context: RunContext) -> Condition:
    return Aurelia(context.trace, context.injector, context.settings.iteration)


def _placebo(context: RunContext) -> Condition:
    settings = context.settings
    return Placebo(context.trace, context.injector, settings.seed, settings.iteration)


def _best_of_n(context: RunContext) -> Condition:
    settings = context.settings
    return BestOfN(context.trace, context.rate, settings.vote_temperature, settings.seed)


def _precomputed(context: RunContext) -> Condition:
    source = context.settings.precomputed
    return Precomputed(open_precomputed(source), context.injector, str(source))


CONDITIONS: Mapping[str, ConditionInfo] = {
    row.name: row
    for row in (
        ConditionInfo(
            "aurelia",
            "the best steps of the loop for this question, in front of it",
            _aurelia,
            uses_agents=True,
        ),
        ConditionInfo(
            "none", "the question as it is: the zero-shot baseline", lambda context: ZeroShot()
        ),
        ConditionInfo(
            "cot",
            '"think step by step" in front of the question',
            lambda context: ChainOfThought(context.prompts),
        ),
        ConditionInfo(
            "placebo",
            "the best steps of *another* question of the run, which look right and help nothing",
            _placebo,
            uses_agents=True,
            reuses_traces=True,
        ),
        ConditionInfo(
            "consistency",
            "the question as it is, asked with sampling once for each call that the loop made; the "
            "majority's answer counts: the control of equal compute",
            _consistency,
            uses_agents=True,
            reuses_traces=True,
        ),
        ConditionInfo(
            "self_refine",
            "the question as it is; the target criticises its answer against the clip and answers "
            "again, as often as the loop's calls allow: a control of equal compute",
            lambda context: SelfRefine(context.trace, context.prompts),
            uses_agents=True,
            reuses_traces=True,
        ),
        ConditionInfo(
            "best_of_n",
            "the question as it is, asked with sampling as often as the loop's calls allow; the "
            "evaluator scores the answers and the best one counts: a control of equal compute",
            _best_of_n,
            uses_agents=True,
            reuses_traces=True,
        ),
        ConditionInfo(
            "avcd",
            "the question as it is, decoded in contrast to masked picture, sound and text, after "
            "AVCD (arXiv 2505.20862); for targets with logits",
            lambda context: AudioVisualContrast(context.settings.contrast),
            needs_logits=True,
        ),
        ConditionInfo(
            "mad",
            "the question as it is, decoded in contrast to masked picture and sound, weighted by "
            "what the model says it needs, after MAD (arXiv 2601.21181); for targets with logits",
            lambda context: ModalityAdaptive(context.prompts, context.settings.contrast),
            needs_logits=True,
        ),
        ConditionInfo(
            "look_again",
            "the question behind the offer to ask for parts of the clip; the target gets them, a "
            "bounded number of times, and answers: an agentic control of this project's own",
            lambda context: LookAgain(context.prompts, context.settings.looks),
        ),
        ConditionInfo(
            "precomputed",
            "steps from a traces folder, a data set (`hf:ID`) or a field of the items "
            "(`field:NAME`), as `precomputed=` names it",
            _precomputed,
        ),
    )
}
"""The conditions of this package."""


def conditions() -> dict[str, ConditionInfo]:
    """Return all conditions, those of other installed packages included."""
    return {**CONDITIONS, **read_extensions(GROUP, CONDITIONS, _info_of).found}


def condition_info(name: str) -> ConditionInfo:
    """Return a condition.

    Raises:
        ConfigError: there is none of this name.
    """
    known = CONDITIONS.get(name) or conditions().get(name)
    if known is None:
        raise ConfigError(
            f"condition={name}: there is no such condition.",
            f"Use one of: {', '.join(conditions())}.",
        )
    return known


def _info_of(entry: EntryPoint) -> ConditionInfo:
    loaded = entry.load()
    info = loaded if isinstance(loaded, ConditionInfo) else loaded()
    if not isinstance(info, ConditionInfo) or info.name != entry.name:
        raise TypeError(f"{entry.value} is no ConditionInfo of that name, but {info!r}")
    return info
