"""`aurelia doctor`: what is installed, which targets can run here, and what the others lack."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from aurelia_plugin.commands.console import say, say_table
from aurelia_plugin.commands.parser import Subcommands

__all__ = ["add"]

_PACKAGES = (
    "aurelia-lmms-eval",
    "lmms_eval",
    "torch",
    "torchvision",
    "transformers",
    "accelerate",
    "datasets",
    "av",
    "google-genai",
    "openai",
    "peft",
    "timm",
)

_VARIABLES = (
    "AURELIA_CACHE",
    "AVREASONBENCH_HOME",
    "CUDA_VISIBLE_DEVICES",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
)


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "doctor",
        help="tell what is installed, which targets can run here, and what the others lack",
        description="Print versions, the names of environment variables that are set (never their "
        "values), which targets can run here, and for each other one what it lacks and the fix. "
        "Needs no network and loads no model.",
    )
    command.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> None:
    from aurelia_plugin.model_wrappers import environments
    from aurelia_plugin.model_wrappers.catalogue import rows
    from aurelia_plugin.model_wrappers.readiness import lacks

    say(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    say(f"device: {_device()}\n")
    say_table(("package", "version"), [(n, _version(n)) for n in _PACKAGES], numbers=False)
    known = {*_VARIABLES, *(name for row in rows().values() for name in row.secrets)}
    seen = sorted(name for name in known if os.environ.get(name))
    say(f"\nEnvironment variables that are set: {', '.join(seen) or 'none'}")
    found = {row.id: lacks(row) for row in rows().values()}
    for name in environments.names(environments.ENGINES):
        python = environments.environment_python(name, environments.ENGINES)
        say(f"engine {name}: {python or f'not made (aurelia engine create {name})'}")
    say("\nReady here; the command shows what it sees and hears:")
    ready = [id_ for id_, missing in found.items() if not missing]
    probes = [(f"aurelia_{id_}", f"aurelia probe --target {id_}") for id_ in ready]
    say_table(("model name", "command"), probes, numbers=False)
    say("\nNot ready here, and the fix:")
    faults = [
        (f"aurelia_{id_}", lack.what, lack.fix)
        for id_, missing in found.items()
        for lack in missing
    ]
    say_table(("model name", "what it lacks", "fix"), faults, numbers=False)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return f"not installed (pip install {name})"


def _device() -> str:
    import torch

    if not torch.cuda.is_available():
        return "CPU; no GPU that this torch can use"
    names = (torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count()))
    return ", ".join(names)
