"""Providers and sidecar adapters that other installed packages bring, through entry points."""

from __future__ import annotations

import importlib.util
from collections.abc import Container
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from aurelia_plugin.extensions import Extensions, read_extensions

__all__ = ["PROVIDER_GROUP", "SIDECAR_GROUP", "provider_modules", "sidecar_files"]

PROVIDER_GROUP = "aurelia.providers"
SIDECAR_GROUP = "aurelia.sidecars"


def provider_modules(packaged: Container[str]) -> Extensions[Any]:
    """Return the providers of other packages: modules with `OPTIONS` and `open_backend`."""
    return read_extensions(PROVIDER_GROUP, packaged, _provider)


def sidecar_files(packaged: Container[str]) -> Extensions[Path]:
    """Return the adapters' files of other packages; none of them is run here."""
    return read_extensions(SIDECAR_GROUP, packaged, _adapter)


def _provider(entry: EntryPoint) -> Any:
    module = entry.load()
    lacking = [name for name in ("OPTIONS", "open_backend") if not hasattr(module, name)]
    if lacking:
        raise TypeError(f"{entry.value} has no {' and no '.join(lacking)}")
    if not hasattr(module.OPTIONS, "model_fields") or not callable(module.open_backend):
        raise TypeError(
            f"{entry.value}: OPTIONS is no subclass of BackendOptions, or open_backend no function"
        )
    return module


def _adapter(entry: EntryPoint) -> Path:
    """Return an adapter's file: a module's, or the path that an attribute holds."""
    if entry.attr:
        place = entry.load()
        place = getattr(place, "__file__", place)
    else:
        spec = importlib.util.find_spec(entry.module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"no module {entry.module}")
        place = spec.origin
    path = Path(place)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file")
    return path
