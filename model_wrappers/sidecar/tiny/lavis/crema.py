"""Tiny random weights of CREMA, and tiny stand-ins for the parts that it downloads."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Iterator
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str) -> Iterator[None]:
    """Put weights into a folder, named as the real ones; inside, no part is full-sized."""
    import torch
    from lavis.models import eva_vit
    from lavis.models.beats import BEATs
    from lavis.models.blip2_models import blip2
    from transformers import T5Config, T5ForConditionalGeneration

    t5 = os.path.join(folder, "t5")
    tokenizer = tiny.word_tokenizer(t5)
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    config = T5Config(
        vocab_size=len(tokenizer), decoder_start_token_id=0, initializer_factor=3.0, **sizes
    )
    T5ForConditionalGeneration(config).save_pretrained(t5)
    tiny.beats_checkpoint(os.path.join(folder, "BEATs_tiny.pt"), BEATs)
    own = {"model": {"t5_proj_rgb.bias": torch.zeros(32)}}
    torch.save(own, os.path.join(folder, "crema_pretrained.pth"))

    def eva(image_size: int, *_: object) -> Module:  # its width is written into upstream's class
        sizes = {"embed_dim": 1408, "depth": 1, "num_heads": 16, "mlp_ratio": 1}
        return tiny.eva(eva_vit.VisionTransformer, img_size=image_size, **sizes)

    def bert(*_: object, config: object) -> object:
        return blip2.BertLMHeadModel(config)

    with contextlib.ExitStack() as stack:
        stack.enter_context(tiny.bert(folder))
        stack.enter_context(mock.patch.object(blip2, "create_eva_vit_g", eva))
        stack.enter_context(mock.patch.object(blip2.BertLMHeadModel, "from_pretrained", bert))
        yield
