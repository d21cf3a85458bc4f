"""Audio-Visual Contrastive Decoding, token by token.

Source: Jung et al., "AVCD: Mitigating Hallucinations in Audio-Visual Large Language Models through
Contrastive Decoding" (NeurIPS 2025, arXiv 2505.20862), section 3.2, supplement B and algorithm 1.
Where the paper leaves something open, its official code decides; where both differ, the paper:

* The dominance of a modality is the mean attention that the last query gives its tokens, over heads
  and all layers (equation 3; the mean over tokens is the code's).
* The threshold is the median (the top half is masked) of the last query's attention, averaged over
  the layers that are masked, in each head, and then the mean over heads (the code's order).
* Tokens above it get no attention from any query, in all layers but the last (section 3.2 and 4.1:
  "set to zero"). The code instead has these tokens give no attention to others.
* beta is 0.1, and implausible tokens are left out (supplement B); the code has 0.2.
* Equation 10 with equal alphas, doubled: an argmax does not see the factor.

A step reads one token beside the cache. Where the plain model is not sure, the whole sequence is
read again, in one batch with a row for each set of masked modalities: masks change from step to
step, so that nothing of these rows can be kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import torch

from aurelia_plugin.calling.contrast import Avcd
from aurelia_plugin.model_wrappers.transformers.contrastive.attention import (
    HighMasked,
    LastQuery,
    attending,
)
from aurelia_plugin.model_wrappers.transformers.contrastive.modalities import (
    Modality,
    modalities_of,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

__all__ = ["AvcdProcessor", "entropy"]

MaskedPass = Callable[[torch.Tensor, int], torch.Tensor]
"""Reads a sequence, int [tokens], in so many rows at once; returns logits [rows, vocabulary]."""


class AvcdProcessor:
    """Chooses among tokens as AVCD does; a logits processor of `generate` over one row.

    Args:
        settings: of the method.
        model, processor: as loaded.
        seen: notes the plain pass's attention.
        read: makes a masked pass.

    Attributes:
        passes: rows that were read for the contrast.
        contrasted: tokens that were chosen with it.
    """

    def __init__(
        self,
        settings: Avcd,
        model: PreTrainedModel,
        processor: ProcessorMixin,
        seen: LastQuery,
        read: MaskedPass,
    ) -> None:
        self._settings = settings
        self._model = model
        self._processor = processor
        self._seen = seen
        self._read = read
        self.passes = 0
        self.contrasted = 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores of the next token, [1, vocabulary]."""
        plain = scores[0].float()
        if entropy(plain) < self._settings.tau:
            return scores
        tokens = modalities_of(self._model, self._processor, input_ids[0])
        if len(tokens) < 2:  # neither picture nor sound
            return scores
        layers = self._layers(input_ids.shape[1])
        dominant = max(tokens, key=lambda one: _dominance(layers, tokens[one]))
        masked = _masked_sets([one for one in tokens if one != dominant])
        mask = torch.stack([_union(tokens, names) for names in masked])
        plan = HighMasked(mask, self._threshold(layers), len(layers))
        with attending(self._model, plan):
            contrast = self._read(input_ids[0], len(masked)).float()
        self.passes += len(masked)
        self.contrasted += 1
        return self._combined(plain, contrast)[None].to(scores.dtype)

    def _layers(self, keys: int) -> list[torch.Tensor]:
        """Return the last query's attention in every layer, [heads, keys] each."""
        layers = [self._seen.layers[layer][0] for layer in sorted(self._seen.layers)]
        if not layers or any(one.shape[-1] != keys for one in layers):
            raise RuntimeError(
                "the attention of its decoder cannot be read over the whole prompt, which AVCD "
                "stands on (layers that look back over a window only, or a form of its own)"
            )
        return layers

    def _threshold(self, layers: Sequence[torch.Tensor]) -> float:
        mean = torch.stack(list(layers[:-1] or layers)).mean(dim=0)
        return float(torch.quantile(mean, 1 - self._settings.masked, dim=-1).mean())

    def _combined(self, plain: torch.Tensor, contrast: torch.Tensor) -> torch.Tensor:
        """Return plain scores in contrast to masked ones: all modalities first, then each."""
        alpha = self._settings.alpha
        if len(contrast) == 1:  # two modalities: equation 2
            combined = (1 + alpha) * plain - alpha * contrast[0]
        else:  # three: equation 10
            combined = (2 + 2 * alpha) * plain - 2 * alpha * contrast[0] + contrast[1:].sum(dim=0)
        least = math.log(self._settings.beta) + float(plain.max())
        return combined.masked_fill(plain < least, -math.inf)


def entropy(scores: torch.Tensor) -> float:
    """Return the entropy of the distribution that scores [vocabulary] stand for, in nats."""
    logs = torch.log_softmax(scores.float(), dim=-1)
    return float(-(logs.exp() * logs.clamp(min=torch.finfo(logs.dtype).min)).sum())


def _dominance(layers: Sequence[torch.Tensor], tokens: torch.Tensor) -> float:
    return sum(float(layer.mean(dim=0)[tokens].mean()) for layer in layers) / len(layers)


def _masked_sets(names: Sequence[Modality]) -> list[tuple[Modality, ...]]:
    """Return all the modalities together, then each by itself where there are two."""
    whole = tuple(names)
    return [whole, *(combinations(names, 1) if len(whole) > 1 else ())]


def _union(tokens: dict[Modality, torch.Tensor], names: Sequence[Modality]) -> torch.Tensor:
    return torch.stack([tokens[name] for name in names]).any(dim=0)
