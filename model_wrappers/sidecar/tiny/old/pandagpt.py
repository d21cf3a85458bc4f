"""Tiny random weights of PandaGPT, and a tiny ImageBind."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterator

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str, module: Any) -> Iterator[None]:
    """Put weights into a folder, named as the real ones; inside, ImageBind is tiny.

    Args:
        folder: an empty one.
        module: upstream's `model.openllama`.
    """
    import torch

    tiny.llama(os.path.join(folder, "vicuna"), module.LlamaForCausalLM)
    torch.save({"llama_proj.bias": torch.zeros(64)}, os.path.join(folder, "pytorch_model.pt"))
    open(os.path.join(folder, "imagebind_huge.pth"), "wb").close()  # only its place matters
    with tiny.imagebind(module.imagebind_model):
        yield
