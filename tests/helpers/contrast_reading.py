"""AVCD and MAD read plainly and slowly: the papers' formulas, a token, a row, a head at a time.

Nothing is kept between passes, nothing is batched, and the package's own decoding plays no part:
each row is a whole pass over prompt and reply, in which the model's own `eager` attention is
replaced by loops.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["avcd", "mad"]

Change = Callable[[int, torch.Tensor], torch.Tensor]
"""Layer and the weights of a pass, [heads, queries, keys], to the weights that are used."""


def avcd(
    model: Any,
    inputs: Mapping[str, Any],
    kinds: Mapping[str, Sequence[int]],
    *,
    alpha: float,
    beta: float,
    tau: float,
    steps: int,
    end: int | None,
) -> list[int]:
    """Return the tokens that algorithm 1 of AVCD writes.

    Args:
        inputs: the model's, of one prompt.
        kinds: `picture` and `sound` to the ids of their tokens.
        steps: tokens at most.
        end: the token that ends a reply.
    """
    written: list[int] = []
    layers = model.get_decoder().config.num_hidden_layers
    while len(written) < steps and (end is None or end not in written):
        seen: dict[int, torch.Tensor] = {}
        plain = _logits(model, inputs, written, _noting(seen))
        odds = torch.softmax(plain, dim=0)
        if -sum(p * math.log(p) for p in odds.tolist() if p > 0) < tau:
            written.append(int(plain.argmax()))
            continue
        ids = [*inputs["input_ids"][0].tolist(), *written]
        tokens = _modalities(ids, kinds)
        last = [seen[layer][:, -1, :] for layer in range(layers)]
        by_dominance = sorted(tokens, key=lambda name: -_dominance(last, tokens[name]))
        others = [name for name in tokens if name != by_dominance[0]]
        threshold = _threshold(last[:-1])

        def logits_without(
            names: Sequence[str],
            threshold: float = threshold,
            tokens: Mapping[str, set[int]] = tokens,
        ) -> torch.Tensor:
            masked = set().union(*(tokens[name] for name in names))
            return _logits(model, inputs, written, _zeroing(masked, threshold, layers))

        if len(others) == 2:
            both = logits_without(others)
            first, second = (logits_without([name]) for name in others)
            # Equation 10 as it follows from equation 9, summed over the two modalities.
            chosen = sum(
                (1 + alpha) * (plain + without_other) / 2 - alpha * (without_one + both) / 2
                for without_one, without_other in ((first, second), (second, first))
            )
        else:
            chosen = (1 + alpha) * plain - alpha * logits_without(others)
        best = float(odds.max())
        allowed = [token for token, p in enumerate(odds.tolist()) if p >= beta * best]
        written.append(max(allowed, key=lambda token: float(chosen[token])))
    return written


def mad(
    model: Any,
    inputs: Mapping[str, Any],
    asking: Mapping[str, Any],
    words: Sequence[int],
    kinds: Mapping[str, Sequence[int]],
    *,
    gamma: float,
    steps: int,
    end: int | None,
) -> list[int]:
    """Return the tokens that algorithm 1 of MAD writes.

    Args:
        inputs: the model's, of one prompt with picture and sound.
        asking: of the prompt that asks for the modality.
        words: the first tokens of "both", "video" and "audio".
    """
    said = _logits(model, asking, [], None)
    powers = [math.exp(float(said[word]) - float(said.max())) for word in words]
    both, video, audio = (gamma * power / sum(powers) for power in powers)
    tokens = _modalities(inputs["input_ids"][0].tolist(), kinds)
    written: list[int] = []
    while len(written) < steps and (end is None or end not in written):
        full = _logits(model, inputs, written, None)
        deaf = _logits(model, inputs, written, _hiding(tokens["sound"]))
        blind = _logits(model, inputs, written, _hiding(tokens["picture"]))
        neither = _logits(model, inputs, written, _hiding(tokens["sound"] | tokens["picture"]))
        # Equation 9, line by line.
        chosen = (1 + both) * full - both * blind
        chosen = chosen + (1 + both) * full - both * deaf
        chosen = chosen + (1 + video) * deaf - video * neither
        chosen = chosen + (1 + audio) * blind - audio * neither
        written.append(int(chosen.argmax()))
    return written


def _modalities(ids: Sequence[int], kinds: Mapping[str, Sequence[int]]) -> dict[str, set[int]]:
    places = {name: {i for i, t in enumerate(ids) if t in known} for name, known in kinds.items()}
    found = {name: places[name] for name in places if places[name]}
    media = set().union(*found.values())
    found["language"] = {i for i in range(len(ids)) if i > min(media) and i not in media}
    return found


def _dominance(last: Sequence[torch.Tensor], tokens: set[int]) -> float:
    shares = [float(one[:, sorted(tokens)].sum()) / len(one) / len(tokens) for one in last]
    return sum(shares) / len(shares)


def _threshold(last: Sequence[torch.Tensor]) -> float:
    mean = sum(last) / len(last)
    assert isinstance(mean, torch.Tensor)
    medians = []
    for head in mean.tolist():
        ordered = sorted(head)
        middle = (len(ordered) - 1) / 2
        medians.append((ordered[math.floor(middle)] + ordered[math.ceil(middle)]) / 2)
    return sum(medians) / len(medians)


def _noting(seen: dict[int, torch.Tensor]) -> Change:
    def note(layer: int, weights: torch.Tensor) -> torch.Tensor:
        seen[layer] = weights
        return weights

    return note


def _zeroing(tokens: set[int], threshold: float, layers: int) -> Change:
    def zero(layer: int, weights: torch.Tensor) -> torch.Tensor:
        if layer == layers - 1:
            return weights
        weights = weights.clone()
        for head in weights:
            for token, weight in enumerate(head[-1].tolist()):
                if token in tokens and weight > threshold:
                    head[:, token] = 0
        return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-6)

    return zero


def _hiding(tokens: set[int]) -> Change:
    def hide(layer: int, weights: torch.Tensor) -> torch.Tensor:
        weights = weights.clone()
        weights[:, :, sorted(tokens)] = 0
        return weights / weights.sum(dim=-1, keepdim=True)

    return hide


def _logits(
    model: Any, inputs: Mapping[str, Any], written: Sequence[int], change: Change | None
) -> torch.Tensor:
    """Return the next token's logits, [vocabulary], after one whole pass."""
    ids = torch.tensor([[*inputs["input_ids"][0].tolist(), *written]])
    longer = {**inputs, "input_ids": ids, "attention_mask": torch.ones_like(ids)}
    for name in ("token_type_ids", "mm_token_type_ids"):
        if name in inputs:
            more = torch.zeros(1, len(written), dtype=inputs[name].dtype)
            longer[name] = torch.cat([inputs[name], more], dim=1)
    with torch.inference_mode(), _eager(model, change):
        logits: torch.Tensor = model(**longer, use_cache=False).logits[0, -1].float()
    return logits


@contextmanager
def _eager(model: Any, change: Change | None) -> Iterator[None]:
    """Have the decoder use the family's own plain attention, with a change to its weights."""
    decoder = model.get_decoder()
    module = importlib.import_module(type(decoder).__module__)
    own, before = module.eager_attention_forward, decoder.config._attn_implementation
    layers = {id(part) for part in decoder.modules()}

    def changed(part: Any, query: Any, key: Any, value: Any, mask: Any, **more: Any) -> Any:
        output, weights = own(part, query, key, value, mask, **more)
        if change is None or id(part) not in layers:
            return output, weights
        new = change(part.layer_idx, weights[0].float())[None].to(weights.dtype)
        groups = query.shape[1] // value.shape[1]
        full = value.repeat_interleave(groups, dim=1)
        return (new @ full).transpose(1, 2).contiguous(), new

    module.eager_attention_forward = changed
    decoder.config._attn_implementation = "eager"
    try:
        yield
    finally:
        module.eager_attention_forward = own
        decoder.config._attn_implementation = before
