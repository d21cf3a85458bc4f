"""Tiny random weights of AnyGPT, and tiny stand-ins for the parts that it downloads."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterator
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str, module: Any) -> Iterator[None]:
    """Put weights into a folder, named as the real ones; inside, no part is full-sized.

    Args:
        folder: a new one.
        module: upstream's module of the chat model, whose names of codes get into the vocabulary.
    """
    import torch
    from seed2.seed_qformer import blip2, eva_vit

    kinds = [kind for kind in module.modal_special_str if kind != "speech"]
    names = [module.modal_special_str[kind] for kind in kinds]
    codes = [f"<{name['prefix']}{n}>" for name in names for n in range(name["vocab_size"])]
    marks = [name[mark] for name in names for mark in ("sos", "eos")]
    sizes = {"max_position_embeddings": 4096}  # as the real weights have it
    tokenizer = tiny.llama(folder, spare=len(codes) + len(marks), **sizes)
    tokenizer.add_tokens([*marks, *codes])
    tokenizer.save_pretrained(folder)
    _write_encodec(os.path.join(folder, "encodec"))
    torch.save({}, os.path.join(folder, "seed_quantizer.pt"))

    def eva(size: int, *_: Any) -> Any:
        return tiny.eva(eva_vit.VisionTransformer, img_size=size)

    def bert(*_: Any, config: Any) -> Any:
        return blip2.BertLMHeadModel(config)

    with contextlib.ExitStack() as stack:
        stack.enter_context(tiny.bert(folder))
        stack.enter_context(mock.patch.object(blip2, "create_eva_vit_g", eva))
        stack.enter_context(mock.patch.object(blip2.BertLMHeadModel, "from_pretrained", bert))
        yield


def _write_encodec(folder: str) -> None:
    """Write an EnCodec with few channels, whose codebooks differ, and its processor."""
    from transformers import EncodecConfig, EncodecFeatureExtractor, EncodecModel

    config = EncodecConfig(
        target_bandwidths=[2.2],
        sampling_rate=32_000,
        upsampling_ratios=[8, 5, 4, 4],
        codebook_size=2048,
        num_filters=4,
        hidden_size=16,
        codebook_dim=16,
        num_lstm_layers=1,
    )
    model = EncodecModel(config)
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_(std=0.1)
    model.save_pretrained(folder)
    EncodecFeatureExtractor(sampling_rate=32_000).save_pretrained(folder)
