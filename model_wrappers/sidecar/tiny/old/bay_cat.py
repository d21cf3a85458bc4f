"""A tiny random Bay-CAT, made of upstream's own classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Tuple
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

__all__ = ["tiny_parts"]


def tiny_parts(folder: str) -> Tuple[Any, Any, Any]:
    """Return the language model, its tokenizer, and an ImageBind."""
    import torch
    from imagebind.models import imagebind_model
    from model import mllmcatllm

    for part in (mllmcatllm.Perciver, mllmcatllm.CA):  # where LLaMA's width is written
        tiny.narrow(part, {4096: 64})
    tokenizer = tiny.llama(folder)
    config = mllmcatllm.MLLMCatConfig.from_pretrained(folder)
    model = mllmcatllm.MLLMCatLlamaForCausalLM(config)
    unread = mock.patch.object(mllmcatllm.CA, "load_from_pretrained")
    nothing = {"pretrain_CA": None, "pretrain_mm_mlp_adapter_v": None}
    with tiny.bert(folder), unread:
        model.get_model().initialize_av_modules(
            SimpleNamespace(**nothing, pretrain_mm_mlp_adapter_a=None)
        )
    with tiny.imagebind(imagebind_model, pair=False) as huge:
        encoder = huge()
    return model.to(torch.bfloat16).eval(), tokenizer, encoder.eval()
