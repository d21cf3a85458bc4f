"""The embedded models: tiny Qwen2.5-Omni thinkers that run the whole real path on a CPU.

The classes are those of the 7B model. `embedded:trained` ships with the package; it sees, hears
and reasons on the synthetic clips of `avreasonbench_mini` and knows nothing else.
`embedded:random` is built in code, and its answers mean nothing. Neither is evidence for anything
but that the path works.
"""

from __future__ import annotations

from pathlib import Path

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.embedded.untrained import build, folder
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)

__all__ = ["OPTIONS", "TRAINED", "build", "folder", "open_backend"]

OPTIONS = TransformersOptions

TRAINED = Path(__file__).parent / "trained"
"""The folder of the trained model."""


def open_backend(model: str, options: TransformersOptions) -> TransformersBackend:
    """Return the backend of `embedded:trained` or `embedded:random`.

    Raises:
        ConfigError: for any other name, or if the weights are not there.
    """
    if model == "random":
        return TransformersBackend(str(folder()), options)
    if model != "trained":
        raise ConfigError(
            f"embedded:{model}: there is no such embedded model.",
            "Use embedded:trained or embedded:random.",
        )
    if not (TRAINED / "model.safetensors").is_file():
        raise ConfigError(
            f"embedded:trained: {TRAINED} holds no model.safetensors.",
            "Install the package again, or make the weights with tools/train_embedded.py.",
        )
    return TransformersBackend(str(TRAINED), options)
