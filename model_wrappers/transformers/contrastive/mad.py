"""Modality-Adaptive Decoding, four rows in lockstep.

Source: Chung et al., "MAD: Modality-Adaptive Decoding for Mitigating Cross-Modal Hallucinations in
Multimodal Large Language Models" (CVPR 2026, arXiv 2601.21181), section 3.2 and algorithm 1.

The rows read one prompt: whole, without its sound, without its picture, without both. A modality is
taken away by hiding its tokens from all others, in every layer (section 3.1.2 names masking); the
official code makes prompts without the medium instead, whose tokens stand at other positions. The
wording of the question for the modality is this project's own (`modality.jinja`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from aurelia_plugin.model_wrappers.transformers.contrastive.attention import Hidden
from aurelia_plugin.model_wrappers.transformers.contrastive.modalities import Modality

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["WORDS", "MadProcessor", "Weights", "hidden_rows", "row_weights", "weights_of"]

WORDS = ("both", "video", "audio")
"""What the model may say that it needs, in the order of `Weights`."""


class Weights(NamedTuple):
    """How much the question needs picture and sound together, the picture, the sound; they add up
    to 1."""

    both: float
    picture: float
    sound: float


def weights_of(tokenizer: PreTrainedTokenizerBase, logits: torch.Tensor) -> Weights:
    """Return the weights of a question from the next token's logits after it was asked for them.

    Equation 6, over the first token of each word.

    Raises:
        ValueError: two words begin with the same token.
    """
    ids = [tokenizer.encode(word, add_special_tokens=False)[0] for word in WORDS]
    if len(set(ids)) < len(ids):
        raise ValueError("its tokenizer begins two of the words audio, video and both alike")
    return Weights(*torch.softmax(logits.float()[ids], dim=0).tolist())


def hidden_rows(tokens: Mapping[Modality, torch.Tensor]) -> torch.Tensor:
    """Return the tokens that each row hides, bool [rows, tokens].

    Four rows for a prompt with picture and sound: nothing, the sound, the picture, both. Two rows
    where it has one of them: nothing, and that one.
    """
    media = [tokens[one] for one in ("sound", "picture") if one in tokens]
    nothing = torch.zeros_like(media[0])
    together = [media[0] | media[1]] if len(media) == 2 else []
    return torch.stack([nothing, *media, *together])


def row_weights(
    tokens: dict[Modality, torch.Tensor], weights: Weights, gamma: float
) -> list[float]:
    """Return how much each of these rows' logits count.

    Equation 9, summed up row by row; equation 5 where there is one modality.
    """
    both, picture, sound = (gamma * weight for weight in weights)
    if "picture" in tokens and "sound" in tokens:
        return [2 + 2 * both, 1 + picture - both, 1 + sound - both, -picture - sound]
    one = picture if "picture" in tokens else sound
    return [1 + one, -one]


class MadProcessor:
    """Gives all rows the same scores; a logits processor of `generate` over these rows.

    Args:
        counts: how much each row counts.
        hidden: is told how many tokens the next pass has.
    """

    def __init__(self, counts: Sequence[float], hidden: Hidden) -> None:
        self._counts = torch.tensor(counts)
        self._hidden = hidden

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores of the next token, [rows, vocabulary], the same in each row."""
        self._hidden.keys = input_ids.shape[1] + 1
        counts = self._counts.to(scores.device, torch.float32)
        combined = (counts[:, None] * scores.float()).sum(dim=0)
        return combined.to(scores.dtype).expand_as(scores)
