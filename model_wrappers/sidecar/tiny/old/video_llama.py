"""Tiny random weights of Video-LLaMA, and tiny stand-ins for the parts that it downloads."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterator
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str) -> Iterator[None]:
    """Put weights into a folder as upstream lays them out; inside, no part is full-sized.

    The parts that upstream downloads (EVA, the Q-former, BERT's vocabulary) are random too.
    """
    import torch
    from video_llama.models import blip2, eva_vit
    from video_llama.models.ImageBind.models import imagebind_model
    from video_llama.models.modeling_llama import LlamaForCausalLM

    tiny.llama(os.path.join(folder, "tiny-llama-2"), LlamaForCausalLM, spare=2)

    def eva(image_size: int, *_: Any) -> Any:
        return tiny.eva(eva_vit.VisionTransformer, img_size=image_size)

    for file_name, part in (("VL_tiny.pth", "llama_proj"), ("AL_tiny.pth", "audio_llama_proj")):
        checkpoint = {"model": {f"{part}.bias": torch.zeros(64)}}
        torch.save(checkpoint, os.path.join(folder, file_name))
    patch = mock.patch.object
    with contextlib.ExitStack() as stack:
        for patched in (
            tiny.bert(folder),
            patch(blip2, "create_eva_vit_g", eva),
            patch(blip2.Blip2Base, "load_from_pretrained", lambda *_, **__: None),
        ):
            stack.enter_context(patched)
        huge = stack.enter_context(tiny.imagebind(imagebind_model, 64))
        torch.save(huge()[0].state_dict(), os.path.join(folder, "imagebind_huge.pth"))
        yield
