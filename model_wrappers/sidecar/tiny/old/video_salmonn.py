"""Tiny random weights of video-SALMONN, and tiny stand-ins for the parts that it downloads."""

from __future__ import annotations

import contextlib
import os
from types import ModuleType
from typing import TYPE_CHECKING, Iterator
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str, module: ModuleType) -> Iterator[None]:
    """Put weights into a folder, named as the real ones; inside, no part is full-sized.

    Args:
        folder: an empty one, but for links.
        module: upstream's `model.openllama`.
    """
    import torch
    from model import eva_vit

    tiny.llama(os.path.join(folder, "vicuna"), module.LlamaForCausalLM)
    tiny.beats_checkpoint(os.path.join(folder, "BEATs_tiny.pt"), module)
    former = {"model": {"query_tokens": torch.randn(1, 32, 48)}}
    torch.save(former, os.path.join(folder, "instruct_blip_vicuna13b_trimmed.pth"))
    torch.save({"llama_proj.bias": torch.zeros(64)}, os.path.join(folder, "pytorch_model_tiny.pt"))
    open(os.path.join(folder, "eva_vit_g.pth"), "wb").close()  # only its place matters
    whisper = tiny.whisper(module.WhisperModel)
    extractor = module.WhisperFeatureExtractor

    def eva(image_size: int, *_: object) -> Module:
        return tiny.eva(eva_vit.VisionTransformer, img_size=image_size)

    patch = mock.patch.object
    with contextlib.ExitStack() as stack:
        for patched in (
            tiny.bert(folder),
            patch(module, "create_eva_vit_g", eva),
            patch(module.WhisperModel, "from_pretrained", lambda *_, **__: whisper),
            patch(extractor, "from_pretrained", lambda *_, **__: extractor()),
        ):
            stack.enter_context(patched)
        yield
