"""`aurelia doctor`: what is installed, which targets can run here, and what the others lack."""

from __future__ import annotations

import argparse
import os
import platform
import runpy
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aurelia_plugin.commands.console import say, say_table, say_wrapped
from aurelia_plugin.commands.parser import Subcommands

if TYPE_CHECKING:
    from aurelia_plugin.model_wrappers.readiness import Lack, LackKind

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
    "AVREASONBENCH_MINI_ITEMS",
    "AVREASONBENCH_PUBLIC_HOME",
    "CUDA_VISIBLE_DEVICES",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "VLLM_API_KEY",
)


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "doctor",
        help="tell what is installed, which targets can run here, and what the others lack",
        description="Print versions, the names of environment variables that are set (never their "
        "values), which targets run here, and the others by what they need. Needs no network and "
        "loads no model.",
    )
    command.set_defaults(run=_run)


_FIX_IN_WORDS: Final[tuple[tuple[str, frozenset[LackKind], str], ...]] = (
    ("Needs a key", frozenset({"key"}), ""),
    ("Needs a download", frozenset({"weights"}), ""),
    ("Needs an engine", frozenset({"engine", "weights", "key"}), ""),
    (
        "Needs more packages",
        frozenset({"package", "weights", "key"}),
        "A package may want other versions of what is here: use an environment of its own.",
    ),
    (
        "Needs a checkout of its code, an environment and weights",
        frozenset({"sidecar"}),
        "What to do, step by step: docs/tutorials/paper-system.md.",
    ),
)
"""Groups of targets that can be made to run: title, what they may lack, and a remark."""

_HOPELESS: Final[tuple[tuple[str, LackKind], ...]] = (
    ("Cannot run in one environment with this package", "excluded"),
    ("Has no adapter yet (docs/sidecars.md shows how to write one)", "adapter"),
    ("Cannot be had", "unavailable"),
)


def _run(_: argparse.Namespace) -> None:
    from aurelia_plugin.model_wrappers import environments
    from aurelia_plugin.model_wrappers.catalogue import rows
    from aurelia_plugin.model_wrappers.readiness import lacks

    say(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    say(f"Device: {_device()}")
    say_wrapped("Packages: ", ", ".join(f"{name} {_version(name)}" for name in _PACKAGES))
    known = {*_VARIABLES, *(name for row in rows().values() for name in row.secrets)}
    seen = sorted(name for name in known if os.environ.get(name))
    say_wrapped("Environment variables that are set: ", ", ".join(seen) or "none")
    for name in environments.names(environments.ENGINES):
        python = environments.environment_python(name, environments.ENGINES)
        say(f"Engine {name}: {python or f'not made (aurelia engine create {name})'}")
    left = {row.id: lacks(row) for row in rows().values()}
    ready = [name for name, missing in left.items() if not missing]
    say("\nRuns here")
    say_table(
        ("target", "see whether picture and sound reach it"),
        [(name, f"aurelia probe --target {name}") for name in ready],
        numbers=False,
    )
    for name in ready:
        del left[name]
    for title, kinds, remark in _FIX_IN_WORDS:
        group = {n: m for n, m in left.items() if {lack.kind for lack in m} <= kinds}
        if group:
            say(f"\n{title}")
            say_table(("target", "then it runs"), _steps(group), numbers=False)
            if remark:
                say_wrapped("", remark)
        left = {name: missing for name, missing in left.items() if name not in group}
    for title, kind in _HOPELESS:
        names = [n for n, missing in left.items() if any(lack.kind == kind for lack in missing)]
        if names:
            say(f"\n{title}")
            _say_hopeless(kind, {name: left[name] for name in names})


def _steps(group: Mapping[str, Sequence[Lack]]) -> list[tuple[str, str]]:
    """Return a line for each step of each target; its name stands in the first one."""
    lines = []
    for name, missing in group.items():
        steps = dict.fromkeys(lack.fix for lack in missing)
        lines += [(name if place == 0 else "", step) for place, step in enumerate(steps)]
    return lines


def _say_hopeless(kind: LackKind, group: Mapping[str, Sequence[Lack]]) -> None:
    if kind == "adapter":
        say_wrapped("", ", ".join(group))
        return
    rows = [(name, f"{missing[0].what}. {missing[0].fix}") for name, missing in group.items()]
    say_table(("target", "why"), rows, numbers=False)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _device() -> str:
    """Return the GPUs that can be used; torch itself is not imported, which would take seconds."""
    names = _gpus()
    if not names:
        return "CPU; no NVIDIA GPU is to be seen"
    if _torch_facts().get("cuda") is None:
        return f"CPU; this torch was built without CUDA and cannot use {', '.join(names)}"
    return ", ".join(names)


def _gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _torch_facts() -> Mapping[str, object]:
    """Return what torch's own file says of its build."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return {}
    path = Path(found.origin).with_name("version.py")
    return runpy.run_path(str(path)) if path.is_file() else {}
