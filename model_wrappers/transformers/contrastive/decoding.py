"""A reply decoded with a contrast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from aurelia_plugin.calling.contrast import Avcd, Mad
from aurelia_plugin.model_wrappers.transformers.contrastive.attention import (
    Hidden,
    LastQuery,
    attending,
)
from aurelia_plugin.model_wrappers.transformers.contrastive.avcd import AvcdProcessor
from aurelia_plugin.model_wrappers.transformers.contrastive.mad import (
    MadProcessor,
    hidden_rows,
    row_weights,
    weights_of,
)
from aurelia_plugin.model_wrappers.transformers.contrastive.modalities import modalities_of
from aurelia_plugin.model_wrappers.transformers.loading import Loaded

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["Decoded", "decode_avcd", "decode_mad"]

_BY_TOKEN = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
"""Inputs with an entry for each token."""


class Decoded(NamedTuple):
    """What a model wrote.

    Attributes:
        tokens: int [tokens], of the reply.
        read: tokens of the prompt.
        passes: forward passes, each row for itself.
    """

    tokens: torch.Tensor
    read: int
    passes: int


def decode_avcd(
    loaded: Loaded, inputs: Mapping[str, Any], contrast: Avcd, options: Mapping[str, object]
) -> Decoded:
    """Return what a model writes under AVCD.

    Args:
        loaded: the model.
        inputs: the model's, of one prompt.
        contrast: the method's settings.
        options: of `generate`.

    Raises:
        RuntimeError: its attention cannot be read.
    """
    model, processor, _, _ = loaded
    seen = LastQuery()

    def read(sequence: torch.Tensor, count: int) -> torch.Tensor:
        with _positions_kept(model):
            output = model(**_longer(_rows(inputs, count), sequence), use_cache=False)
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    chosen = AvcdProcessor(contrast, model, processor, seen, read)
    with torch.inference_mode(), attending(model, seen):
        output = model.generate(**inputs, **options, logits_processor=[chosen])
    length = inputs["input_ids"].shape[1]
    tokens = output[0, length:]
    return Decoded(tokens, length, len(tokens) + chosen.passes)


def decode_mad(
    loaded: Loaded,
    inputs: Mapping[str, Any],
    asking: Mapping[str, Any],
    contrast: Mad,
    options: Mapping[str, object],
) -> Decoded:
    """Return what a model writes under MAD.

    Args:
        loaded: the model.
        inputs: the model's, of one prompt.
        asking: of the prompt that asks which modality is needed.
        contrast: the method's settings.
        options: of `generate`.

    Raises:
        ValueError: the tokenizer cannot tell the names of the modalities apart.
    """
    model, processor, _, _ = loaded
    length = inputs["input_ids"].shape[1]
    tokens = modalities_of(model, processor, inputs["input_ids"][0])
    with torch.inference_mode():
        if not tokens:
            written = model.generate(**inputs, **options)[0, length:]
            return Decoded(written, length, len(written))
        weights = weights_of(processor.tokenizer, model(**asking).logits[0, -1])
        counts = row_weights(tokens, weights, contrast.gamma)
        plan = Hidden(hidden_rows(tokens))
        chosen = MadProcessor(counts, plan)
        with attending(model, plan):
            rows = _rows(inputs, len(counts))
            output = model.generate(**rows, **options, logits_processor=[chosen])
    written = output[0, length:]
    read = length + asking["input_ids"].shape[1]
    return Decoded(written, read, 1 + len(counts) * len(written))


def _rows(inputs: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the inputs of one prompt in so many equal rows.

    Media stand one after the other, row by row, in families that batch prompts with media and in
    those whose processors take one prompt only.
    """
    repeated = dict(inputs)
    for name, value in inputs.items():
        if isinstance(value, torch.Tensor) and value.dim():
            repeated[name] = torch.cat([value] * count)
        elif isinstance(value, list):
            repeated[name] = value * count
    return repeated


def _longer(inputs: Mapping[str, Any], sequence: torch.Tensor) -> dict[str, Any]:
    """Return the inputs of a prompt with what was written behind it, the same in every row."""
    rows, length = inputs["input_ids"].shape
    more = sequence[length:].expand(rows, -1)
    longer = dict(inputs)
    for name in _BY_TOKEN:
        value = inputs.get(name)
        if value is not None:
            fill = torch.ones_like(more) if name == "attention_mask" else torch.zeros_like(more)
            added = more if name == "input_ids" else fill
            longer[name] = torch.cat([value, added.to(value.dtype)], dim=1)
    return longer


@contextmanager
def _positions_kept(model: PreTrainedModel) -> Iterator[None]:
    """Keep what some families remember of the prompt whose reply is being written."""
    holders = [part for part in model.modules() if hasattr(part, "rope_deltas")]
    kept = [part.rope_deltas for part in holders]
    try:
        yield
    finally:
        for part, value in zip(holders, kept, strict=True):
            part.rope_deltas = value
