"""From a backend spec to a backend."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from aurelia_plugin.calling.backend import Backend
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.catalogue import row, row_of
from aurelia_plugin.model_wrappers.extensions import provider_modules
from aurelia_plugin.model_wrappers.options import read_options
from aurelia_plugin.model_wrappers.resting import RESTING
from aurelia_plugin.spec import TARGET, BackendSpec

__all__ = ["PROVIDERS", "BackendPool", "provider_names"]

PROVIDERS = {
    "embedded": "aurelia_plugin.model_wrappers.embedded.backend",
    "gemini": "aurelia_plugin.model_wrappers.gemini.backend",
    "lmms": "aurelia_plugin.model_wrappers.lmms.backend",
    "openai": "aurelia_plugin.model_wrappers.openai.backend",
    "python": "aurelia_plugin.model_wrappers.python.backend",
    "reka": "aurelia_plugin.model_wrappers.reka.backend",
    "scripted": "aurelia_plugin.model_wrappers.scripted",
    "sidecar": "aurelia_plugin.model_wrappers.sidecar.backend",
    "transformers": "aurelia_plugin.model_wrappers.transformers.backend",
    "vllm": "aurelia_plugin.model_wrappers.vllm.backend",
}
"""The module of each packaged provider, imported on first use: its `OPTIONS` is the schema of the
options, its `open_backend(model, options)` makes the backend."""


class _Place(NamedTuple):
    """Where a spec leads once the catalogue has been asked."""

    provider: str
    model: str
    options: tuple[tuple[str, object], ...]


class BackendPool:
    """Opens backends, each once: equal specs share one model in memory.

    Args:
        target: the target's spec, or the target itself; None where no target takes part.
        overrides: options of the target given beside its spec.
        harness: the harness's own flags (`batch_size`, `device`), for every backend opened here
            that has such an option; they go before the catalogue, after all that names a backend.

    Raises:
        ConfigError: if the target's spec or options cannot be used.
    """

    def __init__(
        self,
        target: str | Backend | None,
        overrides: Mapping[str, object],
        harness: Mapping[str, object] | None = None,
    ) -> None:
        self._open: dict[_Place, Backend] = {}
        self._harness = harness or {}
        self._target: Backend | None
        self._target_spec = target if isinstance(target, str) else None
        if target is None or isinstance(target, str):
            self._target = None if target is None else self._get(target, overrides)
        elif overrides:
            raise ConfigError(
                f"The target is a Python object and takes no options: {', '.join(overrides)}.",
                "Give these options to the object itself.",
            )
        else:
            self._target = target

    @property
    def target(self) -> Backend:
        """The target.

        Raises:
            ConfigError: if none takes part.
        """
        if self._target is None:
            raise ConfigError(
                "A role is `target`, and no target is set.",
                "Set agents=<id or backend spec>, or target=<id or backend spec> for a model that "
                "reasons for itself.",
            )
        return self._target

    def check(self, text: str, overrides: Mapping[str, object]) -> None:
        """Check a spec and options without opening the backend.

        Raises:
            ConfigError: if they cannot be used.
        """
        self._options(self._resolve(BackendSpec.parse(text), overrides))

    def get(self, spec: str | Backend) -> Backend:
        """Return the backend of a role.

        Raises:
            ConfigError: if the spec cannot be used.
        """
        if not isinstance(spec, str):
            return spec
        return self.target if spec == TARGET else self._get(spec, {})

    def takes(self, spec: str | Backend) -> Capabilities | None:
        """Return what the backend of a role takes of a clip, None where that is not known.

        A backend says so itself (its attribute `takes`), else its catalogue row does.

        Raises:
            ConfigError: if the spec cannot be used.
        """
        own: Capabilities | None = getattr(self.get(spec), "takes", None)
        if own is not None:
            return own
        text = self._target_spec if spec == TARGET else spec
        known = row_of(text) if isinstance(text, str) else None
        return known.takes if known is not None else None

    def _get(self, text: str, overrides: Mapping[str, object]) -> Backend:
        place = self._resolve(BackendSpec.parse(text), overrides)
        if place not in self._open:
            module = _module(place.provider)
            options = self._options(place)
            rested = RESTING.take(place)
            self._open[place] = rested or module.open_backend(place.model, options)
        return self._open[place]

    def _options(self, place: _Place) -> Any:
        name = f"{place.provider}:{place.model}"
        return read_options(_module(place.provider).OPTIONS, dict(place.options), name)

    def _resolve(self, spec: BackendSpec, overrides: Mapping[str, object]) -> _Place:
        defaults: dict[str, Any] = {}
        provider, model = spec.provider, spec.model
        if not provider:
            known = row(spec.model)
            if known.backend is None:
                raise ConfigError(
                    f"aurelia_{known.id} ({known.system}) cannot be had: {known.note}",
                    f"What stands in for it: {known.substitute or 'nothing'}.",
                )
            base = BackendSpec.parse(known.backend)
            provider, model = base.provider, base.model
            defaults = {**known.options, **base.options}
        fields = _module(provider).OPTIONS.model_fields
        flags = {key: value for key, value in self._harness.items() if key in fields}
        options = {**defaults, **flags, **spec.options, **overrides}
        return _Place(provider, model, tuple(sorted(options.items())))

    async def begin(self) -> None:
        """Make room for the models of this pool: close what rests of earlier runs."""
        await RESTING.close()

    async def close(self) -> None:
        """Close every backend that was opened here, or let it rest for a later run."""
        for place, backend in self._open.items():
            await RESTING.leave(place, backend)


def provider_names() -> list[str]:
    """Return the names of all providers, those of other packages too."""
    return sorted([*PROVIDERS, *provider_modules(PROVIDERS).found])


def _module(provider: str) -> Any:
    extensions = provider_modules(PROVIDERS)
    if provider in PROVIDERS:
        return importlib.import_module(PROVIDERS[provider])
    if provider in extensions.found:
        return extensions.found[provider]
    if provider in extensions.broken:
        raise ConfigError(
            f"The backend provider {provider!r} cannot be used: {extensions.broken[provider]}.",
            "Correct or update the package that brings it.",
        )
    raise ConfigError(
        f"There is no backend provider {provider!r}.",
        f"Use one of: {', '.join(provider_names())}.",
    )
