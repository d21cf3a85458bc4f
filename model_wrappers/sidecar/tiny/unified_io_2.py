"""A tiny random Unified-IO-2."""

from __future__ import annotations

import copy
from typing import Any

from aurelia_plugin.model_wrappers.sidecar.kit.tiny import sentencepiece_model

__all__ = ["write_checkpoint"]


def write_checkpoint(folder: str, config: Any, model_class: Any, size: str) -> None:
    """Write a checkpoint of one of upstream's configurations, with few, narrow layers.

    Args:
        folder: gets the checkpoint and `tokenizer.model`.
        config: upstream's module `uio2.config`, in which the narrow one takes that size's place.
        model_class: upstream's `UnifiedIOModel`.
        size: `large` or `xl`.
    """
    own = copy.deepcopy(config.CONFIG_MAP[size])
    tokenizer = config.get_tokenizer(sentencepiece_model(folder))
    sizes = {"emb_dim": 64, "num_heads": 4, "head_dim": 16, "mlp_dim": 96}
    vars(own.t5_config).update(sizes, num_encoder_layers=2, num_decoder_layers=2)
    own.t5_config.vocab_size = tokenizer.vocab_size
    for part in ("image_vit_cfg", "audio_vit_cfg", "image_history_cfg", "audio_history_cfg"):
        vars(getattr(own, part)).update(sizes, num_layers=2)
    own.target_modalities = ("text",)
    model = model_class(own)
    words = tokenizer.vocab_size - tokenizer.extra_ids - tokenizer.modality_extra_ids
    embeddings = model.text_token_embedder.weight.data  # they score the tokens of a reply, too
    embeddings[:3] = embeddings[words:] = 0  # or a reply might hold nothing but special tokens
    model.save_pretrained(folder)
    config.CONFIG_MAP[size] = own
