"""Where a system is: its options, the environment variables beside them, and what is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ConfigDict, Field

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.catalogue import rows
from aurelia_plugin.model_wrappers.environments import environment_python
from aurelia_plugin.model_wrappers.options import BackendOptions
from aurelia_plugin.model_wrappers.sidecar.facts import AdapterFacts, adapter_facts
from aurelia_plugin.model_wrappers.sidecar.process import Launch

__all__ = ["Missing", "Place", "SidecarOptions", "found", "missing"]

_WORKER = Path(__file__).with_name("worker.py")


class SidecarOptions(BackendOptions):
    """Options of `sidecar:SYSTEM`; an adapter may have more of its own."""

    model_config = ConfigDict(extra="allow")

    repo: str | None = None
    """The folder with a checkout of the system's own code."""
    python: str | None = None
    """The Python interpreter of the system's own environment; by default the one that `aurelia
    sidecar create` has made."""
    weights: str | None = None
    """The folder or file with the system's weights."""
    tiny: bool = False
    """A tiny random instance instead of weights: shows that everything works, answers nonsense."""
    decoding: Literal["asked", "upstream"] = "asked"
    """How replies are decoded: as the task asks (greedy unless it says otherwise), or as the
    system's authors do it."""
    max_new_tokens: int | None = Field(None, ge=1)
    """Upper bound on every reply, whatever the task or role asks for."""
    device: str | None = None
    """`cuda` or `cpu`; by default `cuda` where there is a GPU."""
    gpus: str | None = None
    """Numbers of GPUs, joined by vertical bars: a worker for each; a plus sign gives one worker
    several."""
    workers: int = Field(1, ge=1)
    """Workers, where `gpus` does not say it."""
    limit: float = Field(600.0, gt=0)
    """Seconds for one reply, after which the worker is ended."""
    load_limit: float = Field(3600.0, gt=0)
    """Seconds until a worker has to be ready."""
    seed: int = 0
    """Seeds the random weights of a tiny instance."""
    known_as: str | None = None
    """The catalogue id that this stands for, where several share one adapter."""


class Missing(NamedTuple):
    """A setting that a system needs: `what` says what it has to be, `fix` how to come by it."""

    setting: str
    what: str
    fix: str


class Place(NamedTuple):
    """A system with all that it needs.

    Attributes:
        name: for messages and in the identity: `sidecar:<adapter>` or the catalogue id.
        facts: what its adapter says of it.
        repo: folder of the checkout; "" if the adapter needs none.
        python: the interpreter.
        weights: folder or file; "" for a tiny instance.
        more: the adapter's own options.
    """

    name: str
    facts: AdapterFacts
    repo: str
    python: str
    weights: str
    more: dict[str, str]

    def launches(self, options: SidecarOptions) -> list[Launch]:
        """Return how each worker is started."""
        fields = {
            "repo": self.repo,
            "weights": self.weights,
            "device": options.device or ("cuda" if _has_gpu() else "cpu"),
            "seed": options.seed,
            "more": self.more,
        }
        return [
            Launch(
                name=self.name,
                command=(self.python, str(_WORKER), str(self.facts.path)),
                order={"options": fields, "tiny": options.tiny, "heartbeat": 5.0},
                environment=environment,
                load_limit=options.load_limit,
                call_limit=options.limit,
            )
            for environment in _devices(options)
        ]


def found(model: str, options: SidecarOptions) -> Place:
    """Return where a system is.

    Raises:
        ConfigError: naming the model, each setting that is missing or wrong, and the fix.
    """
    facts = adapter_facts(model)
    name = _name(model, options)
    more = {key: str(value) for key, value in (options.model_extra or {}).items()}
    if unknown := sorted(set(more) - set(facts.options)):
        known = sorted({*SidecarOptions.model_fields, *facts.options})
        raise ConfigError(
            f"{name}: no such option: {', '.join(f'{key}={more[key]}' for key in unknown)}.",
            f"Correct or remove them. This backend's options: {', '.join(known)}.",
        )
    lacking = missing(model, options)
    if lacking:
        named = "; ".join(f"{lack.setting}=… ({lack.what})" for lack in lacking)
        variables = ", ".join(_variables(model, options, lack.setting)[0] for lack in lacking)
        raise ConfigError(
            f"{name} runs in an environment of its own, and this is missing: {named}.",
            f"{' '.join(lack.fix for lack in lacking)} Then name it in --model_args, or in the "
            f"environment: {variables}.",
        )
    values = _values(model, options)
    return Place(
        name,
        facts,
        values["repo"],
        values["python"] or sys.executable,
        "" if options.tiny else values["weights"],
        more,
    )


def missing(model: str, options: SidecarOptions) -> list[Missing]:
    """Return the settings that a system lacks; each that is given has to be there, too.

    Raises:
        ConfigError: if there is no adapter for the system.
    """
    facts = adapter_facts(model)
    values = _values(model, options)
    row = rows().get(options.known_as or model)
    weights = (row and row.weights) or facts.weights
    lacking = []
    if facts.upstream and not Path(values["repo"] or "/dev/null").is_dir():
        lacking.append(
            Missing(
                "repo",
                _not_there(values["repo"], f"a checkout of {facts.upstream}"),
                f"git clone https://github.com/{facts.upstream}"
                + (f" and check out {facts.commit[:7]}." if facts.commit else "."),
            )
        )
    if facts.environment and not Path(values["python"] or "/dev/null/x").is_file():
        lacking.append(
            Missing(
                "python",
                _not_there(values["python"], f"the Python of the environment {facts.environment}"),
                f"aurelia sidecar create {facts.environment}.",
            )
        )
    if facts.weights and not options.tiny and not Path(values["weights"] or "/dev/null/x").exists():
        lacking.append(
            Missing(
                "weights",
                _not_there(values["weights"], f"a folder with the weights, {weights}"),
                _how_to_get(weights),
            )
        )
    return lacking


def _how_to_get(weights: str) -> str:
    if "/" not in weights or " " in weights:  # no hub id
        return "docs/sidecars.md says where they are (or tiny=true for random ones)."
    return f"hf download {weights} --local-dir DIR (or tiny=true for random ones)."


def _not_there(value: str, what: str) -> str:
    return f"{what}; {value} is not there" if value else what


def _values(model: str, options: SidecarOptions) -> dict[str, str]:
    """Return repo, python and weights: from the options, else from the environment, else ""."""
    values = {}
    for setting in ("repo", "python", "weights"):
        given: str = getattr(options, setting) or ""
        if not given:
            names = _variables(model, options, setting)
            given = next((os.environ[name] for name in names if os.environ.get(name)), "")
        # A bare name is a program on the PATH; a worker may change its working directory.
        given = (shutil.which(given) or given) if setting == "python" else given
        values[setting] = str(Path(given).expanduser().absolute()) if given else ""
    if not values["python"]:
        environment = adapter_facts(model).environment
        made = environment_python(environment) if environment else None
        values["python"] = str(made) if made is not None else ""
    return values


def _variables(model: str, options: SidecarOptions, setting: str) -> list[str]:
    """Return the environment variables of a setting: the catalogue id's, then the adapter's."""
    ids = dict.fromkeys([options.known_as or model, model])
    return [f"AURELIA_{Path(id_).stem}_{setting}".upper() for id_ in ids]


def _name(model: str, options: SidecarOptions) -> str:
    row = rows().get(options.known_as or model)
    return f"aurelia_{row.id} ({row.system} {row.size})" if row else f"sidecar:{model}"


def _devices(options: SidecarOptions) -> list[Mapping[str, str]]:
    """Return each worker's environment: which GPUs it sees.

    Of several processes of one run each takes its share of `gpus`, or its own GPU.
    """
    rank = int(os.environ.get("LOCAL_RANK", "0"))
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if options.gpus:
        groups = [group.replace("+", ",") for group in options.gpus.split("|") if group]
        own = groups[rank::processes]
        if not own:
            raise ConfigError(
                f"gpus={options.gpus} has {len(groups)} entries for {processes} processes.",
                "Name at least one GPU for each process of the run.",
            )
        return [{"CUDA_VISIBLE_DEVICES": group} for group in own]
    if processes > 1:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        names = visible.split(",") if visible else [str(n) for n in range(processes)]
        return [{"CUDA_VISIBLE_DEVICES": names[rank % len(names)]}] * options.workers
    return [{}] * options.workers


def _has_gpu() -> bool:
    return Path("/dev/nvidia0").exists() or Path("/dev/dxg").exists()
