"""Systems that run in a Python environment of their own, in a process beside this one.

This version has their catalogue rows and the form of their options. The workers come with a later
version; until then choosing one is an error that says so.
"""

from __future__ import annotations

from typing import NoReturn

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = ["OPTIONS", "SidecarOptions", "open_backend"]


class SidecarOptions(BackendOptions):
    """Options of `sidecar:SYSTEM`."""

    python: str | None = None
    """The Python interpreter of the system's own environment."""
    repo: str | None = None
    """The folder with a checkout of the system's own code."""
    weights: str | None = None
    """The folder with the system's weights."""


OPTIONS = SidecarOptions


def open_backend(model: str, options: SidecarOptions) -> NoReturn:
    """Say what is missing.

    Raises:
        ConfigError: always, in this version.
    """
    unset = [key for key, value in options.model_dump().items() if value is None]
    also = f" Not set: {', '.join(f'{key}=…' for key in unset)}." if unset else ""
    raise ConfigError(
        f"sidecar:{model}: this version has no worker for systems with their own Python "
        f"environment.{also}",
        "Wait for a version with sidecars (it will need python=…, repo=… and weights=…), or choose "
        "a target that `aurelia doctor` lists as ready.",
    )
