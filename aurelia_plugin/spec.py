"""Backend specs: one line that names a model and how to reach it.

`<provider>:<model>[?key=value&key=value]`, for example
`transformers:Qwen/Qwen2.5-Omni-7B?max_frames=32` or `scripted:replies.yaml`. A bare word is a
catalogue id, with or without the `aurelia_` prefix; `target` is the run's own target.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aurelia_plugin.errors import ConfigError

__all__ = ["TARGET", "BackendSpec", "catalogue_id"]

TARGET = "target"
"""The role name that binds an agent to the run's target."""


@dataclass(frozen=True)
class BackendSpec:
    """A parsed spec.

    Attributes:
        provider: which kind of backend, or "" for a catalogue id.
        model: the model id, path, or catalogue id.
        options: the options behind the question mark, as text.
    """

    provider: str
    model: str
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> BackendSpec:
        """Parse a spec.

        Raises:
            ConfigError: if it is empty, or an option lacks `=` or occurs twice.
        """
        head, _, query = text.strip().partition("?")
        provider, colon, model = head.partition(":")
        if not colon:
            provider, model = "", catalogue_id(head)
        if not model or (colon and not provider):
            raise ConfigError(
                f"Backend spec {text!r} names no model.",
                "Write a catalogue id, or <provider>:<model>[?key=value&key=value].",
            )
        try:
            # A plus sign is itself: unlike in a web form, it belongs to paths and versions.
            pairs = parse_qsl(
                query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=bool(query)
            )
        except ValueError as error:
            raise ConfigError(
                f"Backend spec {text!r}: {error}.", "Write options as ?key=value&key=value."
            ) from error
        options = dict(pairs)
        if len(options) != len(pairs):
            raise ConfigError(f"Backend spec {text!r} gives an option twice.", "Give it once.")
        return cls(provider, model, options)


def catalogue_id(name: str) -> str:
    """Return a target id without the `aurelia_` prefix of its lmms-eval model name."""
    return name.strip().removeprefix("aurelia_")
