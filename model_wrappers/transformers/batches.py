"""Several prompts as one batch for the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aurelia_plugin.model_wrappers.transformers.processing import Tensors

__all__ = ["collate"]


def collate(texts: Sequence[Tensors], media: Sequence[Tensors], fill: int) -> Tensors:
    """Return one batch of prompts that were processed one by one.

    Args:
        texts: values for each token of each prompt, [1, tokens]; padded on the left.
        media: features of each prompt's media, the first axis counting media or their patches;
            where lengths differ they are padded at the end, where masks hide it.
        fill: the token of padding.
    """
    batch: Tensors = {}
    for name in texts[0]:
        value = fill if name == "input_ids" else 0
        batch[name] = _stacked([text[name] for text in texts], value, left=True)
    for name in dict.fromkeys(name for one in media for name in one):
        parts = [one[name] for one in media if name in one]
        # What is no tensor is a switch, and the same for a whole batch.
        batch[name] = _stacked(parts, 0) if hasattr(parts[0], "shape") else parts[0]
    return batch


def _stacked(parts: Sequence[Any], value: int, *, left: bool = False) -> Any:
    """Join along the first axis; the other ones get the length of the longest."""
    import torch

    if len(parts) == 1:
        return parts[0]
    shape = [max(lengths) for lengths in zip(*(part.shape[1:] for part in parts), strict=True)]
    padded = []
    for part in parts:
        missing = [most - own for most, own in zip(shape, part.shape[1:], strict=True)]
        # Counted from the last axis, before and after each.
        sides = [side for more in reversed(missing) for side in ((more, 0) if left else (0, more))]
        padded.append(torch.nn.functional.pad(part, sides, value=value))
    return torch.cat(padded)
