"""A tiny random Unified-IO-2."""

from __future__ import annotations

import copy
from typing import Any, Tuple

from aurelia_plugin.model_wrappers.sidecar.kit.tiny import sentencepiece_model

__all__ = ["build"]


def build(folder: str, config: Any, model_class: Any, size: str) -> Tuple[Any, str]:
    """Return a model of one of upstream's configurations with few, narrow layers, and a tokenizer.

    Args:
        folder: gets `tokenizer.model`.
        config: upstream's module `uio2.config`.
        model_class: upstream's `UnifiedIOModel`.
        size: `large` or `xl`.
    """
    own = copy.deepcopy(config.CONFIG_MAP[size])
    path = sentencepiece_model(folder)
    tokenizer = config.get_tokenizer(path)
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
    return model, path
