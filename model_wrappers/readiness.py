"""Which targets can run here, and what each other one lacks. Needs no network, loads no model."""

from __future__ import annotations

import importlib.util
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from aurelia_plugin.model_wrappers.catalogue import Row
from aurelia_plugin.model_wrappers.options import read_options
from aurelia_plugin.model_wrappers.providers import PROVIDERS
from aurelia_plugin.model_wrappers.sidecar.facts import adapters
from aurelia_plugin.model_wrappers.sidecar.settings import SidecarOptions, missing
from aurelia_plugin.spec import BackendSpec

__all__ = ["Lack", "lacks"]


class Lack(NamedTuple):
    """Something that keeps a target from running, and what to do about it."""

    what: str
    fix: str


def lacks(row: Row) -> list[Lack]:
    """Return what a target lacks here; an empty list says that nothing is known to be missing."""
    if row.backend is None:
        return [Lack(row.note.rstrip("."), f"What stands in for it: {row.stands_in}.")]
    spec = BackendSpec.parse(row.backend)
    if spec.provider == "sidecar":
        return _sidecar(spec, row)
    found = [*_packages(row), *_secrets(row)]
    if spec.provider not in PROVIDERS:
        found.append(Lack(f"no backend {spec.provider!r}", "Install a newer version."))
    weights = spec.model if spec.provider == "transformers" else row.weights
    if weights is not None:
        found += _weights(weights, row.options)
    return found


def _sidecar(spec: BackendSpec, row: Row) -> list[Lack]:
    options = read_options(SidecarOptions, {**row.options, **spec.options}, row.id)
    if spec.model not in adapters():
        fix = "Write one (docs/sidecars.md), and name it: target=sidecar:/path/to/adapter.py."
        return [Lack("there is no adapter for this system yet", fix)]
    return [
        Lack(f"{lack.setting}=… is not set: {lack.what}", lack.fix)
        for lack in missing(spec.model, options)
    ]


def _packages(row: Row) -> list[Lack]:
    found = []
    missing = [name for name in row.needs if not _importable(name)]
    if missing:
        where = "" if row.environment == "plugin" else f" Environment: {row.environment}."
        fix = f"Install what provides: {', '.join(missing)}.{where}"
        found.append(Lack(f"not importable: {', '.join(missing)}", fix))
    for text in row.requires:
        wanted = Requirement(text)
        try:
            have = version(wanted.name)
        except PackageNotFoundError:
            have = ""
        if not have or have not in wanted.specifier:
            fix = f"Use an environment with {text}."
            found.append(Lack(f"needs {text}, has {have or 'none'}", fix))
    return found


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # a parent is missing; a module without spec
        return False


def _secrets(row: Row) -> list[Lack]:
    if not row.secrets or any(os.environ.get(name) for name in row.secrets):
        return []
    names = " or ".join(row.secrets)
    return [Lack(f"{names} is not set", f"export {row.secrets[0]}=...")]


def _weights(model: str, options: dict[str, Any]) -> list[Lack]:
    if Path(model).expanduser().is_dir():
        return []
    from huggingface_hub import try_to_load_from_cache

    revision = options.get("revision")
    if isinstance(try_to_load_from_cache(model, "config.json", revision=revision), str):
        return []
    more = f" --revision {revision}" if revision else ""
    return [Lack("weights are not in the local cache", f"hf download {model}{more}")]
