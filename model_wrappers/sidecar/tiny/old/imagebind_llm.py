"""Tiny random weights of ImageBind-LLM, and a tiny ImageBind."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Iterator
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

__all__ = ["tiny_parts"]

_SIZES = {4096: 64, 4 * 4096: 256}


@contextlib.contextmanager
def tiny_parts(folder: str) -> Iterator[None]:
    """Put weights into a folder, named as the real ones; inside, ImageBind is tiny.

    LLaMA's width is written into upstream's class, and is narrowed there.
    """
    import faiss
    import torch
    from ImageBind.models import imagebind_model
    from llama.llama_adapter import LLaMA_adapter

    form = {"dim": 64, "n_layers": 2, "n_heads": 4, "multiple_of": 16}
    os.makedirs(os.path.join(folder, "7B_chinese"))
    with open(os.path.join(folder, "7B_chinese", "params.json"), "w", encoding="utf-8") as file:
        json.dump(form, file)
    tiny.sentencepiece_model(folder)
    known = torch.nn.functional.normalize(torch.randn(32, 1024), dim=-1)
    index = faiss.IndexFlatIP(1024)
    index.add(known.numpy())
    faiss.write_index(index, os.path.join(folder, "knn.index"))
    open_gates = {f"llama.layers.{n}.attention.gate": torch.ones(1, 4, 1, 1) for n in range(2)}
    torch.save({"model": open_gates}, os.path.join(folder, "7B.pth"))  # untrained ones are shut
    open(os.path.join(folder, "imagebind_w3D.pth"), "wb").close()  # only its place matters
    tiny.narrow(LLaMA_adapter, _SIZES)
    without = mock.patch.object(imagebind_model, "PointTransformerBind", torch.nn.Identity)
    with without, tiny.imagebind(imagebind_model, pair=False):
        yield
