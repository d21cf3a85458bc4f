"""What a model's towers make of a clip: computed once, and handed to the model in later prompts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aurelia_plugin.model_wrappers.transformers.processing import Tensors

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

__all__ = ["Encoded", "encode", "handed_over", "without_media"]

Encoded = dict[str, Any]
"""The output of each tower, by modality: `image`, `video`, `audio`."""

_MODALITIES = ("image", "video", "audio")


def encode(model: PreTrainedModel, media: Tensors) -> Encoded:
    """Return what the towers make of one clip's features, kept in the computer's own memory.

    Each clip is encoded by itself, so that its outcome does not depend on others.
    """
    base, found = model.base_model, {}
    for modality in _MODALITIES:
        tower = getattr(base, f"get_{modality}_features", None)
        if tower is None or _first(tower) not in media:
            continue
        taken = {
            name: _on(media[name], model.device)
            for name in inspect.signature(tower).parameters
            if name in media
        }
        output = _read(tower(**taken, return_dict=True), modality)
        found[modality] = _mapped(output, lambda tensor: tensor.cpu())
    return found


def without_media(media: Tensors, encoded: Encoded, model: PreTrainedModel) -> Tensors:
    """Return a clip's features with nothing in the place of those that its towers have read."""
    read = {_first(getattr(model.base_model, f"get_{modality}_features")) for modality in encoded}
    return {name: value[:0] if name in read else value for name, value in media.items()}


@contextmanager
def handed_over(model: PreTrainedModel, clips: Sequence[Encoded]) -> Iterator[None]:
    """Give the model the outputs of its towers for a batch of clips, in the order of its prompts.

    The model asks its towers through methods of one name in all families; within the block these
    return what was computed before.
    """
    base = model.base_model
    names = [name for name in _MODALITIES if any(name in clip for clip in clips)]
    for name in names:
        outputs = [clip[name] for clip in clips if name in clip]
        joined = _mapped(_joined(outputs), lambda tensor: tensor.to(model.device))
        own = getattr(base, f"get_{name}_features")
        setattr(base, f"get_{name}_features", _returning(joined, own))
    try:
        yield
    finally:
        for name in names:
            delattr(base, f"get_{name}_features")


def _read(output: Any, modality: str) -> Any:
    """Return what the model reads of an output: of pictures, not the states before merging."""
    dropped = "pooler_output" if modality == "audio" else "last_hidden_state"
    if {"pooler_output", "last_hidden_state"} <= output.keys():
        return type(output)(**{name: part for name, part in output.items() if name != dropped})
    return output


def _returning(value: object, instead_of: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(instead_of)  # the library reads the signature
    def tower(*_: object, **__: object) -> object:
        return value

    return tower


def _first(tower: Callable[..., object]) -> str:
    return next(iter(inspect.signature(tower).parameters))


def _on(value: Any, device: torch.device) -> Any:
    return value.to(device) if hasattr(value, "to") else value


def _mapped(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return an output with every tensor in it changed."""
    if isinstance(value, Mapping):  # an output of the library is one
        return type(value)(**{name: _mapped(part, change) for name, part in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(part, change) for part in value)
    return change(value) if hasattr(value, "cpu") else value


def _joined(outputs: Sequence[Any]) -> Any:
    """Join outputs of the Qwen-Omni families as their towers would have made them together.

    Tensors hold a row for each token. A tuple of them holds one for each medium; a list, one such
    tuple for each layer that is handed on.
    """
    first = outputs[0]
    if len(outputs) == 1:
        return first
    if isinstance(first, Mapping):
        return type(first)(**{name: _joined([one[name] for one in outputs]) for name in first})
    if isinstance(first, tuple):
        return tuple(part for one in outputs for part in one)
    if isinstance(first, list):
        return [_joined([one[layer] for one in outputs]) for layer in range(len(first))]
    import torch

    return torch.cat(list(outputs))
