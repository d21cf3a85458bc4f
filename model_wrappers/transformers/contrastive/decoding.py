"""A reply decoded with a contrast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

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

__all__ = ["Decoded", "Rows", "decode_avcd", "decode_mad"]

Rows = Callable[[int], Mapping[str, Any]]
"""Makes the model's inputs for one prompt in so many equal rows."""


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


def decode_avcd(loaded: Loaded, rows: Rows, contrast: Avcd, options: Mapping[str, Any]) -> Decoded:
    """Return what a model writes under AVCD.

    Args:
        loaded: the model.
        rows: of the prompt.
        contrast: the method's settings.
        options: of `generate`.

    Raises:
        RuntimeError: its attention cannot be read.
    """
    model, processor, _, _ = loaded
    inputs = rows(1)
    seen = LastQuery()
    repeated: dict[int, Mapping[str, Any]] = {}

    def read(sequence: torch.Tensor, count: int) -> torch.Tensor:
        if count not in repeated:
            repeated[count] = rows(count)
        with _positions_kept(model):
            output = model(**_longer(repeated[count], sequence), use_cache=False)
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    chosen = AvcdProcessor(contrast, model, processor, seen, read)
    with torch.inference_mode(), attending(model, seen):
        output = model.generate(**inputs, **options, logits_processor=[chosen])
    length = inputs["input_ids"].shape[1]
    tokens = output[0, length:]
    return Decoded(tokens, length, len(tokens) + chosen.passes)


def decode_mad(
    loaded: Loaded, rows: Rows, asking: Rows, contrast: Mad, options: Mapping[str, Any]
) -> Decoded:
    """Return what a model writes under MAD.

    Args:
        loaded: the model.
        rows: of the prompt.
        asking: of the prompt that asks which modality is needed.
        contrast: the method's settings.
        options: of `generate`.

    Raises:
        ValueError: the tokenizer cannot tell the names of the modalities apart.
    """
    model, processor, _, _ = loaded
    plain = rows(1)["input_ids"][0]
    length = len(plain)
    tokens = modalities_of(model, processor, plain)
    with torch.inference_mode():
        if not tokens:
            written = model.generate(**rows(1), **options)[0, length:]
            return Decoded(written, length, len(written))
        question = asking(1)
        weights = weights_of(processor.tokenizer, model(**question).logits[0, -1])
        counts = row_weights(tokens, weights, contrast.gamma)
        plan = Hidden(hidden_rows(tokens))
        chosen = MadProcessor(counts, plan)
        with attending(model, plan):
            inputs = rows(len(counts))
            output = model.generate(**inputs, **options, logits_processor=[chosen])
    written = output[0, length:]
    read = length + question["input_ids"].shape[1]
    return Decoded(written, read, 1 + len(counts) * len(written))


def _longer(inputs: Mapping[str, Any], sequence: torch.Tensor) -> dict[str, Any]:
    """Return the inputs of a prompt with what was written behind it, the same in every row."""
    rows, length = inputs["input_ids"].shape
    more = sequence[length:].expand(rows, -1)
    longer = dict(inputs)
    for name, value in inputs.items():
        if isinstance(value, torch.Tensor) and value.shape[:2] == (rows, length):
            fill = value.new_ones if name == "attention_mask" else value.new_zeros
            longer[name] = torch.cat([value, fill(rows, more.shape[1], *value.shape[2:])], dim=1)
    longer["input_ids"] = torch.cat([inputs["input_ids"], more], dim=1)
    return longer


@contextmanager
def _positions_kept(model: Any) -> Iterator[None]:
    """Keep what some families remember of the prompt whose reply is being written."""
    holders = [part for part in model.modules() if hasattr(part, "rope_deltas")]
    kept = [part.rope_deltas for part in holders]
    try:
        yield
    finally:
        for part, value in zip(holders, kept, strict=True):
            part.rope_deltas = value
