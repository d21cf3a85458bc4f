"""Reka's service: OpenAI-compatible, with videos as data URLs. The form is in servers.yaml."""

from __future__ import annotations

from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions

__all__ = ["OPTIONS", "RekaOptions", "open_backend"]


class RekaOptions(OpenAIOptions):
    """Options of `reka:MODEL`."""

    server: str = "reka"
    """What the server takes: a name in servers.yaml."""


OPTIONS = RekaOptions


def open_backend(model: str, options: RekaOptions) -> OpenAIBackend:
    """Return the backend of `reka:MODEL`."""
    return OpenAIBackend(model, options)
