"""One run: settings resolved, backends opened, the condition chosen, outcomes kept."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from aurelia_plugin import __version__
from aurelia_plugin.calling.backend import Backend
from aurelia_plugin.model_wrappers.catalogue import row
from aurelia_plugin.model_wrappers.one_by_one import OneByOne
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.run.stage import (
    caller_for,
    harness_flags,
    open_store,
    plan_for,
    require_able_evaluator,
    require_logits,
    require_target,
    resolved,
    senses_of,
    set_decoding,
)
from aurelia_plugin.model_wrappers.run.summary import Summary
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.roles import ROLES, Role
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.running.conditions.base import Condition
from aurelia_plugin.running.conditions.donors import Gather, no_gather
from aurelia_plugin.running.conditions.table import (
    RunContext,
    condition_info,
)
from aurelia_plugin.running.kept_replies import KeptReplies
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.running.outcomes import RunOutcome
from aurelia_plugin.running.pipeline import Answer, Pipeline, Progress, Source
from aurelia_plugin.running.stopping import TargetWatch
from aurelia_plugin.running.target import Target
from aurelia_plugin.spec import BackendSpec

__all__ = ["Run"]

_WINDOW = 8
"""Questions under way at least, so that a slow one does not hold up the rest."""


class Run:
    """What `--model_args` describe.

    Args:
        given: settings, options of the target's backend, and backends as Python objects.
        batch_size: `--batch_size`, used where the target's backend has such an option and the
            arguments do not set it.
        device: `--device`, likewise.
        gather: joins lists over the processes of the run.
        process: which process this is, and how many the run has: each gets its share of the budget.

    Raises:
        ConfigError: if anything in it is unknown or unfit.
    """

    def __init__(
        self,
        given: Mapping[str, object],
        *,
        batch_size: int | str | None = None,
        device: str | None = None,
        gather: Gather[object] = no_gather,
        process: tuple[int, int] = (0, 1),
    ) -> None:
        objects = {key: value for key, value in given.items() if isinstance(value, Backend)}
        named = {key: value.identity for key, value in objects.items()}
        self.settings, options = resolved(
            {**given, **named}, from_catalogue="target" not in objects
        )
        require_target(self.settings)
        set_decoding(self.settings)
        self._info = condition_info(self.settings.condition)
        self._objects = objects
        self.config_digest = self.settings.check_config_digest()
        self.prompts = PromptSet(self.settings.preset, self.settings.prompts)
        self.store = open_store(self.settings)
        self._pool = BackendPool(
            objects.get("target") or str(self.settings.target),
            options,
            harness_flags(batch_size, device),
        )
        require_logits(self._info, self.target)
        self.outcome = RunOutcome()
        self.roles: dict[Role, Backend] = {}
        if self.uses_agents:
            specs = self.settings.role_specs()
            evaluator = objects.get("evaluator") or specs["evaluator"]
            require_able_evaluator(self.settings, self._pool.takes(evaluator))
            self.roles = {role: self._pool.get(objects.get(role) or specs[role]) for role in ROLES}
        self.plan = plan_for(self.settings, self.prompts, self.roles)
        self.caller = caller_for(
            self.settings, [self.target, *self.roles.values()], self.outcome.ledger, process
        )
        self._pipeline = Pipeline(
            self._target(),
            self._condition(),
            MediaChange(self.settings.media, self.settings.seed),
            on_agent_failure=self.settings.on_agent_failure,
            items=self.outcome.items,
            window=self._window(),
            gather=gather,
            watch=TargetWatch(self.settings.stop_after),
        )

    @property
    def target(self) -> Backend:
        """The model under test."""
        return self._pool.target

    @property
    def uses_agents(self) -> bool:
        """Whether this arm makes traces."""
        return self._info.uses_agents

    @property
    def item_field(self) -> str | None:
        """The field of each item that `precomputed=field:NAME` reads."""
        if self.settings.condition != "precomputed":
            return None
        kind, _, name = (self.settings.precomputed or "").partition(":")
        return name if kind == "field" and name else None

    async def answer(self, sources: Sequence[Source], progress: Progress) -> list[Answer]:
        """Answer questions through the run's arm."""
        await self._pool.begin()
        return await self._pipeline.run(sources, progress)

    async def close(self) -> None:
        """Release the backends; what is loaded may stay for a later run of this process."""
        await self._pool.close()

    def advice(self) -> list[str]:
        """Return what a user should know before the run starts."""
        lines = [f"AURELIA: condition={self.settings.condition}, traces in {self.store.folder}"]
        if self.config_digest is not None:
            paths = ", ".join(f"{k}={p}" for k, p in self.settings.named_paths().items())
            lines.append(
                f"Settings that name files: {paths}; digest {self.config_digest}. With "
                "--use_cache, whose key does not see file contents, add "
                f"config_digest={self.config_digest} to --model_args."
            )
        return lines

    def record_name(self, started: float) -> str:
        """Return the name of the run's record, from its start (seconds since the epoch)."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(started))
        return f"{stamp}_{self.settings.condition}"

    def summary(self, outcome: RunOutcome, seconds: float) -> Summary:
        """Return what the run did, for the screen and for the record."""
        return Summary(
            condition=self.settings.condition,
            outcome=outcome,
            about={
                "version": __version__,
                "target": self.target.identity,
                "roles": {role: backend.identity for role, backend in self.roles.items()},
                "threshold": self.plan.threshold,
                "max_iterations": self.plan.max_iterations,
                "settings": self.settings.model_dump(),
                "prompts": self.prompts.digests,
                "config_digest": self.config_digest,
                "prices": self.caller.prices and self.caller.prices.date,
                "seconds": round(seconds, 3),
            },
        )

    def _target(self) -> Target:
        """Return the target as questions reach it, its replies kept."""
        fresh = self.settings.answers == "fresh"
        return Target(self._adapted(), KeptReplies(self.caller, self.store, fresh=fresh))

    def _adapted(self) -> Backend:
        """Return the target's backend, one that rates sounds one by one where it must."""
        spec = BackendSpec.parse(str(self.settings.target))
        if "target" in self._objects or spec.provider:
            return self.target
        clips = row(spec.model).takes.sounds
        return self.target if clips is None else OneByOne(self.target, clips)

    def _window(self) -> int:
        backends = {id(b): b for b in (self._pool.target, *self.roles.values())}
        return max(_WINDOW, 2 * sum(backend.concurrency for backend in backends.values()))

    def _condition(self) -> Condition:
        senses = senses_of(self.settings)
        agents = Agents(self.roles, self.plan, self.store, self.caller, senses=senses)
        return self._info.make(
            RunContext(
                self.settings,
                self.prompts,
                self.store,
                self.target.identity,
                agents.trace,
                agents.rate,
            )
        )
