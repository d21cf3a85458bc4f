"""Tiny random weights of Video-LLaMA, and tiny stand-ins for the parts that it downloads."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import Any, Iterator
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit.tiny import sentencepiece_model

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str) -> Iterator[None]:
    """Put weights into a folder as upstream lays them out; inside, no part is full-sized.

    The parts that upstream downloads (EVA, the Q-former, BERT's vocabulary) are random too.
    """
    import torch
    from transformers import BertConfig, BertTokenizer, LlamaConfig, LlamaTokenizer
    from video_llama.models import blip2, eva_vit
    from video_llama.models.ImageBind.models import imagebind_model
    from video_llama.models.modeling_llama import LlamaForCausalLM

    llm = os.path.join(folder, "tiny-llama-2")
    tokenizer = LlamaTokenizer(sentencepiece_model(folder))
    tokenizer.save_pretrained(llm)
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    wide = {"initializer_range": 0.3}  # so that the media weigh more than rounding does
    config = LlamaConfig(vocab_size=len(tokenizer) + 2, num_attention_heads=4, **sizes, **wide)
    LlamaForCausalLM(config).save_pretrained(llm)
    words = os.path.join(folder, "vocab.txt")
    with open(words, "w", encoding="utf-8") as file:
        file.write("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]))
    bert = {"hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2}
    blocks = {"embed_dim": 32, "num_blocks": 1, "num_heads": 2}
    kinds = ("vision", "audio", "text", "depth", "thermal", "imu")
    narrow = {f"{kind}_{name}": size for kind in kinds for name, size in blocks.items()}

    def imagebind(*_: Any, **__: Any) -> Any:
        return imagebind_model.ImageBindModel(out_embed_dim=64, **narrow), 64

    def eva(image_size: int, *_: Any) -> Any:
        return eva_vit.VisionTransformer(
            img_size=image_size,
            patch_size=14,
            embed_dim=48,
            depth=2,
            num_heads=4,
            mlp_ratio=2,
            qkv_bias=True,
            use_mean_pooling=False,
        )

    torch.save(imagebind()[0].state_dict(), os.path.join(folder, "imagebind_huge.pth"))
    for file_name, part in (("VL_tiny.pth", "llama_proj"), ("AL_tiny.pth", "audio_llama_proj")):
        checkpoint = {"model": {f"{part}.bias": torch.zeros(64)}}
        torch.save(checkpoint, os.path.join(folder, file_name))
    vocabulary = functools.partial(BertTokenizer, words)
    sized = functools.partial(BertConfig, intermediate_size=64, vocab_size=64, **bert, **wide)
    patch = mock.patch.object
    with contextlib.ExitStack() as stack:
        for patched in (
            patch(BertTokenizer, "from_pretrained", lambda *_, **__: vocabulary()),
            patch(BertConfig, "from_pretrained", lambda *_, **__: sized()),
            patch(blip2, "create_eva_vit_g", eva),
            patch(blip2.Blip2Base, "load_from_pretrained", lambda *_, **__: None),
            patch(imagebind_model, "imagebind_huge", imagebind),
        ):
            stack.enter_context(patched)
        yield
