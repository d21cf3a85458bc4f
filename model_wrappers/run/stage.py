"""The agent stage of a run as `--model_args` describe it: settings, prompts, backends, budget.

What a run under lmms-eval and `aurelia distil` share, so that both make the same traces.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aurelia_plugin.calling.backend import Backend
from aurelia_plugin.calling.budget import Limits
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.contrast import Contrasting, without_logits
from aurelia_plugin.calling.ledger import Ledger
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.media.isolation.limits import configure
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.catalogue import Row, row, rows
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.roles import Role
from aurelia_plugin.reasoning.variant import LoopVariant
from aurelia_plugin.running.conditions.table import ConditionInfo
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.settings import AureliaSettings, validated
from aurelia_plugin.spec import TARGET, BackendSpec, catalogue_id
from aurelia_plugin.traces.store import TraceStore

__all__ = [
    "Resolved",
    "agents_prompts",
    "caller_for",
    "harness_flags",
    "open_store",
    "plan_for",
    "require_able_evaluator",
    "require_logits",
    "require_target",
    "resolved",
    "senses_of",
    "set_decoding",
]


class Resolved(NamedTuple):
    """Settings, completed from the target's catalogue row, and options of the target's backend."""

    settings: AureliaSettings
    options: dict[str, object]


def resolved(given: Mapping[str, object], *, from_catalogue: bool = True) -> Resolved:
    """Split what was given into settings and backend options.

    Args:
        given: the keys of `--model_args`.
        from_catalogue: whether a target that is named by its id brings its row's settings.

    Raises:
        ConfigError: if a setting is unfit.
    """
    settings = {k: v for k, v in given.items() if k in AureliaSettings.model_fields}
    options = {k: v for k, v in given.items() if k not in AureliaSettings.model_fields}
    target = settings.get("target")
    if target and from_catalogue and not BackendSpec.parse(str(target)).provider:
        settings = {**row(BackendSpec.parse(str(target)).model).settings, **settings}
    resolved_settings = validated(settings)
    if resolved_settings.prompts is None:
        brought = agents_prompts(resolved_settings)
        resolved_settings = resolved_settings.model_copy(update={"prompts": brought})
    return Resolved(resolved_settings, options)


def agents_prompts(settings: AureliaSettings) -> str | None:
    """Return the prompt set that the agents' catalogue rows bring, None if they bring none.

    Raises:
        ConfigError: the rows of the agents bring different ones.
    """
    brought = {}
    for role, spec in settings.role_specs().items():
        known = _row_of(spec, settings)
        brought[role] = known.prompts if known else None
    if len(set(brought.values())) > 1:
        named = ", ".join(f"{role}: {prompts or 'none'}" for role, prompts in brought.items())
        raise ConfigError(
            f"The catalogue's rows of the agents bring different prompts ({named}).",
            "Set prompts= to the set that all of them are to follow.",
        )
    return next(iter(brought.values()))


def require_able_evaluator(settings: AureliaSettings, takes: Capabilities | None) -> None:
    """Check that the evaluator sees and hears, as far as that is known.

    Args:
        settings: of the run.
        takes: what the evaluator's backend takes of a clip, None where that is not known.

    Raises:
        ConfigError: it lacks a sense, and `blind_evaluator` does not accept that.
    """
    if takes is None or not takes.lacking or settings.blind_evaluator == "accept":
        return
    raise ConfigError(
        f"evaluator={settings.role_specs()['evaluator']} takes no {' and no '.join(takes.lacking)}:"
        " it cannot tell whether a caption fits the clip.",
        "Name an evaluator that sees and hears (evaluator=, agents=), or set "
        "blind_evaluator=accept.",
    )


def _row_of(spec: str, settings: AureliaSettings) -> Row | None:
    """Return the catalogue row that a role's spec stands for, None if it is none of them."""
    head = (str(settings.target or "") if spec == TARGET else spec).partition("?")[0]
    return None if ":" in head else rows().get(catalogue_id(head))


def require_target(settings: AureliaSettings) -> None:
    """Check that there is a target.

    Raises:
        ConfigError: if there is none.
    """
    if not settings.target:
        raise ConfigError(
            "No target is set.",
            "Use a model name of the catalogue such as aurelia_embedded, or "
            "--model aurelia --model_args target=<id or backend spec>.",
        )


def harness_flags(batch_size: int | str | None, device: str | None) -> dict[str, Any]:
    """Return the harness's flags that were really given: it passes the number 1 for "not set"."""
    flags: dict[str, Any] = {}
    if batch_size not in (None, 1):
        flags["batch_size"] = batch_size
    if device is not None:
        flags["device"] = device
    return flags


def set_decoding(settings: AureliaSettings) -> None:
    """Decode files in this process from now on, if the settings say so."""
    if settings.decoding == "in_process":
        configure(isolated=False)


def open_store(settings: AureliaSettings) -> TraceStore:
    """Open the traces folder that the settings name.

    Raises:
        StoreError: if it cannot be written to.
    """
    return TraceStore(Path(settings.traces or cache_dir() / "traces"))


def plan_for(
    settings: AureliaSettings, prompts: PromptSet, roles: Mapping[Role, Backend]
) -> LoopPlan:
    """Return what the loop reads: as set, else as the preset has it."""
    return LoopPlan(
        prompts=prompts,
        roles={role: backend.identity for role, backend in roles.items()},
        threshold=settings.threshold or prompts.styles.threshold,
        max_iterations=settings.max_iterations or prompts.styles.max_iterations,
        seed=settings.seed,
        variant=_variant(settings, prompts),
    )


def _variant(settings: AureliaSettings, prompts: PromptSet) -> LoopVariant | None:
    """Return what the loop goes without; None for the whole loop."""
    if not settings.without:
        return None
    scores = "evaluator" not in settings.without
    independent = scores and "feedback" in settings.without
    judges_steps = scores and "summarizer" in settings.without
    return LoopVariant(
        # Without an evaluator there is nothing to summarize for, and no second set of steps.
        without=settings.without if scores else ("evaluator",),
        temperature=settings.vote_temperature if independent else None,
        prompt_digest=prompts.steps_digest if judges_steps else None,
    )


def senses_of(settings: AureliaSettings) -> MediaChange:
    """Return what of a clip the agents get."""
    return MediaChange(settings.agents_media, settings.seed)


def require_logits(condition: ConditionInfo, target: Backend) -> None:
    """Check that the target can decode as the condition needs it.

    Raises:
        ConfigError: it gives text alone.
    """
    if condition.needs_logits and not isinstance(target, Contrasting):
        raise without_logits(target.identity)


def caller_for(
    settings: AureliaSettings,
    backends: list[Backend],
    ledger: Ledger,
    process: tuple[int, int],
) -> Caller:
    """Return what makes the calls of process `process[0]` of `process[1]`, within its budget.

    Raises:
        ConfigError: if the price of a model is needed and not known.
    """
    limits = Limits(settings.max_calls, settings.max_tokens, settings.max_cost)
    prices = Prices.packaged(settings.price)
    if limits.cost is not None:
        prices.require(backends)
    return Caller(
        limits=limits.share(*process),
        prices=prices,
        timeout=settings.call_timeout,
        ledger=ledger,
    )
