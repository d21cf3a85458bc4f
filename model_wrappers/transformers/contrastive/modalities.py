"""Which tokens of a prompt are picture, sound and language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin

__all__ = ["Modality", "modalities_of"]

Modality = Literal["picture", "sound", "language"]

_NAMES: dict[Modality, tuple[str, ...]] = {
    "picture": ("video_token", "image_token"),
    "sound": ("audio_token",),
}


def modalities_of(
    model: PreTrainedModel, processor: ProcessorMixin, input_ids: torch.Tensor
) -> dict[Modality, torch.Tensor]:
    """Return the modalities that a prompt has, each as bool [tokens].

    Language is every other token from the first one of picture or sound on: what stands before
    them, a system prompt, belongs to none (as in the official code of AVCD). Without picture and
    sound there is no modality.

    Args:
        model: its configuration names the tokens that stand for media.
        processor: likewise.
        input_ids: int [tokens], the prompt and what was written.
    """
    found: dict[Modality, torch.Tensor] = {}
    for modality, names in _NAMES.items():
        tokens = torch.zeros_like(input_ids, dtype=torch.bool)
        for token in _ids(model, processor, names):
            tokens |= input_ids == token
        if bool(tokens.any()):
            found[modality] = tokens
    if found:
        media = torch.stack(list(found.values())).any(dim=0)
        found["language"] = ~media & (media.cumsum(0) > 0)
    return found


def _ids(model: PreTrainedModel, processor: ProcessorMixin, names: tuple[str, ...]) -> set[int]:
    holders = (processor, model.config)
    fields = [f"{name}{end}" for name in names for end in ("_id", "_index")]
    values = [getattr(holder, field, None) for holder in holders for field in fields]
    return {value for value in values if isinstance(value, int)}
