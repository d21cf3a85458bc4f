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
from aurelia_plugin.calling.ledger import Ledger
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.model_wrappers.catalogue import row
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.roles import Role
from aurelia_plugin.settings import AureliaSettings, validated
from aurelia_plugin.spec import BackendSpec
from aurelia_plugin.traces.store import TraceStore

__all__ = [
    "Resolved",
    "caller_for",
    "harness_flags",
    "open_store",
    "plan_for",
    "require_target",
    "resolved",
]


class Resolved(NamedTuple):
    """Settings, completed from the target's catalogue row, and options of the target's backend."""

    settings: AureliaSettings
    options: dict[str, Any]


def resolved(given: Mapping[str, Any], *, from_catalogue: bool = True) -> Resolved:
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
    return Resolved(validated(settings), options)


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
    if batch_size not in (None, 1, "auto"):
        flags["batch_size"] = batch_size
    if device is not None:
        flags["device"] = device
    return flags


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
    )


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
