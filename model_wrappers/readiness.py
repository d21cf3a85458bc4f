"""Which targets can run here, and what each other one lacks. Needs no network, loads no model."""

from __future__ import annotations

import importlib.util
import os
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Literal, NamedTuple

from packaging.requirements import Requirement

from aurelia_plugin.model_wrappers.catalogue import Row
from aurelia_plugin.model_wrappers.options import read_options
from aurelia_plugin.model_wrappers.providers import provider_names
from aurelia_plugin.model_wrappers.sidecar.facts import adapters
from aurelia_plugin.model_wrappers.sidecar.installation import SidecarOptions, missing
from aurelia_plugin.model_wrappers.vllm.interpreter import found_python
from aurelia_plugin.spec import BackendSpec

__all__ = ["Lack", "LackKind", "lacks"]

LackKind = Literal[
    "key", "weights", "package", "engine", "sidecar", "excluded", "adapter", "unavailable"
]
"""What kind of thing is missing: `excluded` says that this package rules it out, so that no
environment holds both; `unavailable` that it cannot be had at all."""

_PACKAGES = {
    "flash_attn": "flash-attn",
    "google.genai": "google-genai",
    "qwen_vl_utils": "qwen-vl-utils",
    "whisper": "openai-whisper",
}
"""Packages whose name is not that of their module."""

_REPOSITORIES = {
    "egogpt": "https://github.com/EvolvingLMMs-Lab/EgoLife (folder EgoGPT)",
    "kimia_infer": "https://github.com/MoonshotAI/Kimi-Audio",
    "ola": "https://github.com/Ola-Omni/Ola",
    "uni_moe": "https://github.com/HITsz-TMG/Uni-MoE",
}
"""Where modules come from that are no packages of a registry."""


class Lack(NamedTuple):
    """Something that keeps a target from running, and what to do about it."""

    what: str
    fix: str
    kind: LackKind


def lacks(row: Row) -> list[Lack]:
    """Return what a target lacks here; an empty list says that nothing is known to be missing."""
    if row.backend is None:
        instead = row.substitute or "none"
        none = instead == "none"
        fix = "Choose another target." if none else f"What stands in for it: {instead}."
        return [Lack(row.note.rstrip("."), fix, "unavailable")]
    spec = BackendSpec.parse(row.backend)
    if spec.provider == "sidecar":
        return _sidecar(spec, row)
    excluded = _excluded(row)
    if excluded:
        return excluded
    found = [*_packages(row), *_secrets(row)]
    if spec.provider == "vllm" and found_python(None) is None:
        fix = "aurelia engine create vllm, or python=/path/to/venv/bin/python"
        found.append(Lack("there is no environment with vLLM", fix, "engine"))
    if spec.provider not in provider_names():
        found.append(Lack(f"no backend {spec.provider!r}", "Install a newer version.", "package"))
    own = spec.provider in ("transformers", "vllm")
    weights = spec.model if own else row.weights
    if weights is not None:
        found += _weights(weights, row.options)
    return found


def _sidecar(spec: BackendSpec, row: Row) -> list[Lack]:
    options = read_options(SidecarOptions, {**row.options, **spec.options}, row.id)
    if spec.model not in adapters():
        if row.status == "unavailable":
            return [Lack(row.note.rstrip("."), "Choose another target.", "unavailable")]
        fix = "Write one (docs/sidecars.md), and name it: target=sidecar:/path/to/adapter.py."
        return [Lack("there is no adapter for this system yet", fix, "adapter")]
    lacking = [
        Lack(f"{lack.setting}=… is not set: {lack.what}", lack.fix, "sidecar")
        for lack in missing(spec.model, options)
    ]
    if row.status == "code-only":
        fix = "Run its code with tiny=true; no score can be had."
        lacking.append(Lack("no weights exist", fix, "unavailable"))
    return lacking


def _packages(row: Row) -> list[Lack]:
    found = []
    missing = [name for name in row.needs if not _importable(name)]
    if missing:
        where = "" if row.environment == "plugin" else f" (environment: {row.environment})"
        fix = f"{_how_to_install(missing)}{where}"
        found.append(Lack(f"not importable: {', '.join(missing)}", fix, "package"))
    for text in row.requires:
        wanted = Requirement(text)
        try:
            have = version(wanted.name)
        except PackageNotFoundError:
            have = ""
        if not have or have not in wanted.specifier:
            fix = f"Use an environment with {text}."
            found.append(Lack(f"needs {text}, has {have or 'none'}", fix, "package"))
    return found


def _excluded(row: Row) -> list[Lack]:
    """Return what a target needs in a version that this package's own requirements rule out."""
    own = {
        requirement.name: requirement
        for requirement in map(Requirement, requires("aurelia-lmms-eval") or ())
        if requirement.marker is None
    }
    found = []
    for text in row.requires:
        wanted = Requirement(text)
        least = [
            part.version
            for part in (own[wanted.name].specifier if wanted.name in own else ())
            if part.operator == ">="
        ]
        ours = [*least, _version(wanted.name)]
        if least and not any(wanted.specifier.contains(one, prereleases=True) for one in ours):
            what = f"its code needs {text}, and this package {own[wanted.name]}"
            fix = "Serve it from an environment of its own, and name the server: target=openai:..."
            found.append(Lack(what, fix, "excluded"))
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "0"


def _how_to_install(modules: list[str]) -> str:
    packages = [_PACKAGES.get(name, name) for name in modules if name not in _REPOSITORIES]
    steps = [f"pip install {' '.join(packages)}"] if packages else []
    steps += [f"{name} from {_REPOSITORIES[name]}" for name in modules if name in _REPOSITORIES]
    return "; ".join(steps)


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # a parent is missing; a module without spec
        return False


def _secrets(row: Row) -> list[Lack]:
    if not row.secrets or any(os.environ.get(name) for name in row.secrets):
        return []
    names = " or ".join(row.secrets)
    return [Lack(f"{names} is not set", f"export {row.secrets[0]}=...", "key")]


def _weights(model: str, options: dict[str, Any]) -> list[Lack]:
    if Path(model).expanduser().is_dir():
        return []
    from huggingface_hub import try_to_load_from_cache

    revision = options.get("revision")
    if isinstance(try_to_load_from_cache(model, "config.json", revision=revision), str):
        return []
    more = f" --revision {revision}" if revision else ""
    return [Lack("weights are not in the local cache", f"hf download {model}{more}", "weights")]
