"""The attention of a model's decoder, read and masked while it runs.

The library lets a model's layers call an attention function by name. The one registered here
computes attention in plain steps, as the library's `eager` does, and hands what it computes to the
plan that is active in this thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["AttentionPlan", "Hidden", "HighMasked", "LastQuery", "attending", "decoder_of"]

_NAME = "aurelia_contrast"


class AttentionPlan(Protocol):
    """What becomes of each layer's attention.

    `scores` and `weights` are float32 [rows, heads, queries, keys], before and after the softmax.
    """

    def scores(self, layer: int, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores to use."""

    def weights(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Return the weights to use."""


class LastQuery:
    """Notes the attention of the last query in every layer, of the last pass."""

    def __init__(self) -> None:
        self.layers: dict[int, torch.Tensor] = {}
        """Layer to float32 [rows, heads, keys]."""

    def scores(self, layer: int, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        return scores

    def weights(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Return the weights, noted."""
        self.layers[layer] = weights[:, :, -1, :]
        return weights


class HighMasked:
    """Sets high attention to tokens of some kinds to zero, in all layers but the last.

    A key counts as high in a layer and head where the weight that the last query gives it is above
    the threshold; it then gets no weight from any query, and the others share what it had.

    Args:
        tokens: bool [rows, keys], the tokens of each row that may be masked.
        threshold: of a weight.
        layers: how many the decoder has.
    """

    def __init__(self, tokens: torch.Tensor, threshold: float, layers: int) -> None:
        self._tokens = tokens
        self._threshold = threshold
        self._layers = layers

    def scores(self, layer: int, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        return scores

    def weights(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Return the weights without the high ones."""
        if layer >= self._layers - 1:
            return weights
        high = (weights[:, :, -1, :] > self._threshold) & self._tokens[:, None, :]
        kept = weights.masked_fill(high[:, :, None, :], 0.0)
        return kept / kept.sum(dim=-1, keepdim=True).clamp(min=1e-6)


class Hidden:
    """Hides tokens from all queries, in every layer.

    Args:
        tokens: bool [rows, prompt tokens], those that are hidden in each row; what is written
            later is not.

    Attributes:
        keys: how many tokens there are in the pass: layers that look back over fewer have the last
            ones.
    """

    def __init__(self, tokens: torch.Tensor) -> None:
        self._tokens = tokens
        self.keys = tokens.shape[1]

    def scores(self, layer: int, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores, those of hidden tokens as low as can be."""
        written = self._tokens.new_zeros(len(self._tokens), self.keys - self._tokens.shape[1])
        hidden = torch.cat([self._tokens, written], dim=1)[:, -scores.shape[-1] :]
        return scores.masked_fill(hidden[:, None, None, :], torch.finfo(scores.dtype).min)

    def weights(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Return the weights."""
        return weights


class _Active(threading.local):
    plan: AttentionPlan | None = None


_active = _Active()


def decoder_of(model: PreTrainedModel) -> PreTrainedModel:
    """Return the part of a model that writes text: a stack of layers with attention."""
    return model.get_decoder()


@contextmanager
def attending(model: PreTrainedModel, plan: AttentionPlan) -> Iterator[None]:
    """Have a model's decoder follow a plan until the end of the block; blocks may be nested.

    One thread at a time may run the model.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, eager_mask)
    config = decoder_of(model).config
    before, plan_before = config._attn_implementation, _active.plan
    config._attn_implementation = _NAME
    _active.plan = plan
    try:
        yield
    finally:
        _active.plan = plan_before
        config._attn_implementation = before


class _Layer(Protocol):
    """A layer's attention, which knows its number from the first layer on."""

    layer_idx: int


def _attend(
    module: _Layer,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    **others: object,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return attention's output, [rows, queries, heads, size], and its weights.

    Args:
        query: [rows, heads, queries, size].
        key, value: [rows, heads or fewer, keys, size].
        attention_mask: added to the scores.
        scaling: of the scores.
        softcap: bound of the scores, for families that have one.
        others: what this form of attention has no use for.
    """
    groups = query.shape[1] // key.shape[1]
    key, value = (one.repeat_interleave(groups, dim=1) for one in (key, value))
    scores = query @ key.transpose(2, 3)
    scores = scores * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    if attention_mask is not None:
        scores = scores + attention_mask[..., : key.shape[-2]]
    plan, layer = _active.plan, module.layer_idx
    scores = scores.float()
    if plan is not None:
        scores = plan.scores(layer, scores)
    weights = torch.softmax(scores, dim=-1)
    if plan is not None:
        weights = plan.weights(layer, weights)
    output = weights.to(query.dtype) @ value
    return output.transpose(1, 2).contiguous(), weights
