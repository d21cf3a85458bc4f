"""Small language models for tiny random instances."""

from __future__ import annotations

import importlib
import os
from typing import Any, Dict

from aurelia_plugin.model_wrappers.sidecar.kit.tiny.tokenizers import sentencepiece_model

__all__ = ["WIDE", "llama"]

WIDE: Dict[str, float] = {"initializer_range": 0.3}
"""For configurations of transformers: the media then weigh more than rounding does."""


def llama(folder: str, model_class: Any = None, spare: int = 0, **sizes: Any) -> Any:
    """Write a LLaMA of two layers, 64 wide, and its tokenizer; return the tokenizer.

    Args:
        folder: gets both, and the tokenizer's `tokenizer.model`.
        model_class: upstream's own LLaMA; by default that of transformers.
        spare: rows of the vocabulary for tokens that upstream adds to the tokenizer's. Random
            weights choose any row, and one without a token cannot be decoded.
        sizes: for `LlamaConfig`, in place of those set here.
    """

    transformers = importlib.import_module("transformers")
    os.makedirs(folder, exist_ok=True)
    tokenizer = transformers.LlamaTokenizer(sentencepiece_model(folder))
    tokenizer.save_pretrained(folder)
    config = transformers.LlamaConfig(
        **{
            "vocab_size": len(tokenizer) + spare,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            **WIDE,
            **sizes,
        }
    )
    (model_class or transformers.LlamaForCausalLM)(config).save_pretrained(folder)
    return tokenizer
