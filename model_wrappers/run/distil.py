"""`aurelia distil` from its arguments: the settings of a later run, without its target."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from aurelia_plugin import __version__
from aurelia_plugin.calling.backend import Backend, service_of
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.delivery.encoding import has_room
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.run.stage import (
    caller_for,
    open_store,
    plan_for,
    require_able_evaluator,
    resolved,
    senses_of,
    set_decoding,
)
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.roles import ROLES, Role
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.running.distilling import Distiller, Shard
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.outcomes import RunOutcome
from aurelia_plugin.spec import TARGET

__all__ = ["DistilRun"]

_WINDOW = 8
_WIDEST = 8
"""Questions under way at most, for each call that services are asked at once."""

_PREFIX = "aurelia_"


class DistilRun:
    """What `--model` and `--model_args` describe, for the agents alone.

    The traces that it makes are those that a run of lmms-eval with the same two arguments looks
    for. A target that plays no role is checked, and not loaded.

    Args:
        model: `aurelia`, or `aurelia_<id>` of the catalogue.
        given: the keys of `--model_args`; roles may be backends as Python objects.
        shard: which share of the job this is; it gets its share of the budget.

    Raises:
        ConfigError: if anything in it is unknown or unfit.
    """

    def __init__(self, model: str, given: Mapping[str, object], shard: Shard | None = None) -> None:
        self.shard = shard or Shard()
        values = {**_named(model), **given}
        objects = {key: value for key, value in values.items() if isinstance(value, Backend)}
        named = {key: value.identity for key, value in objects.items()}
        self.settings, options = resolved({**values, **named})
        self.settings.check_config_digest()
        set_decoding(self.settings)
        self.prompts = PromptSet(self.settings.preset, self.settings.prompts)
        self._pool = self._opened(options, objects)
        specs = self.settings.role_specs()
        evaluator = objects.get("evaluator") or specs["evaluator"]
        require_able_evaluator(self.settings, self._pool.takes(evaluator))
        self.roles: dict[Role, Backend] = {
            role: self._pool.get(objects.get(role) or specs[role]) for role in ROLES
        }
        self.store = open_store(self.settings)
        self.outcome = RunOutcome()
        self.caller = caller_for(
            self.settings,
            list(self.roles.values()),
            self.outcome.ledger,
            (self.shard.index, self.shard.count),
        )
        self.plan = plan_for(self.settings, self.prompts, self.roles)
        senses = senses_of(self.settings)
        self.distiller = Distiller(
            Agents(self.roles, self.plan, self.store, self.caller, senses=senses),
            MediaChange(self.settings.media, self.settings.seed),
            self.outcome.items,
            window=self._window(),
            widest=_WIDEST * sum(b.concurrency for b in self._backends() if service_of(b)),
            room=has_room,
        )
        self._started = time.time()

    def record(self) -> dict[str, Any]:
        """Return the run's record, as `put_run` keeps it."""
        prices = self.caller.prices
        return {
            "condition": "distil",
            **self.outcome.record(),
            "version": __version__,
            "roles": dict(self.plan.roles),
            "threshold": self.plan.threshold,
            "max_iterations": self.plan.max_iterations,
            "settings": self.settings.model_dump(),
            "prompts": self.prompts.digests,
            "prices": prices and prices.date,
            "shard": f"{self.shard.index}/{self.shard.count}",
            "seconds": round(time.time() - self._started, 3),
        }

    def record_name(self) -> str:
        """Return the name of the run's record."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._started))
        return f"{stamp}_distil-{self.shard.index}of{self.shard.count}"

    async def close(self) -> None:
        """Release the backends."""
        await self._pool.close()

    def _opened(self, options: Mapping[str, object], objects: Mapping[str, Backend]) -> BackendPool:
        """Return the pool; the target is in it only if it is an agent, too."""
        target, specs = self.settings.target, self.settings.role_specs()
        if target is None and options:
            raise ConfigError(
                f"--model_args: there are no settings {', '.join(sorted(options))}.",
                "Correct them; options of a backend stand behind its spec (?key=value), and those "
                "of a target go with target=.",
            )
        if any(spec == TARGET for role, spec in specs.items() if role not in objects):
            return BackendPool(objects.get("target") or target, options)
        pool = BackendPool(None, {})
        if target is not None and "target" not in objects:
            pool.check(target, options)
        return pool

    def _window(self) -> int:
        return max(_WINDOW, 2 * sum(backend.concurrency for backend in self._backends()))

    def _backends(self) -> list[Backend]:
        """Return the backends, each once."""
        return list({id(backend): backend for backend in self.roles.values()}.values())


def _named(model: str) -> dict[str, str]:
    """Return the target that a model's name stands for."""
    if model == "aurelia":
        return {}
    if not model.startswith(_PREFIX):
        raise ConfigError(
            f"--model {model}: not a model of this plugin.",
            "Use aurelia, or a name that `aurelia models` lists.",
        )
    return {"target": model.removeprefix(_PREFIX)}
