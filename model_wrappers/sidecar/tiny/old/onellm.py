"""A tiny random OneLLM, made of upstream's own classes."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Iterator, Tuple
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

__all__ = ["tiny_parts"]

_SIZES = {15724: 16, 8192: 64, 8: 2}
"""Of a brain scan, whose layer would be most of a tiny instance, and layers of each expert."""


@contextlib.contextmanager
def tiny_parts(folder: str) -> Iterator[Tuple[str, str]]:
    """Write a tiny configuration and a tokenizer; inside, CLIP is tiny.

    Yields:
        The two files.
    """
    import open_clip
    from model.LLM.onellm import Transformer

    path = os.path.join(folder, "tiny.json")
    with open(path, "w", encoding="utf-8") as file:
        form = {"dim": 64, "multiple_of": 16, "n_heads": 4, "n_layers": 2, "vocab_size": -1}
        json.dump(form, file)

    def clip(*_: Any, **__: Any) -> Any:
        vision = {"layers": 2, "width": 64, "head_width": 16, "patch_size": 14, "image_size": 224}
        text = {"layers": 1, "width": 32, "heads": 2}
        return open_clip.CLIP(64, vision, text), None, None

    tiny.narrow(Transformer, _SIZES)
    with mock.patch.object(open_clip, "create_model_and_transforms", clip):
        yield path, tiny.sentencepiece_model(folder)
