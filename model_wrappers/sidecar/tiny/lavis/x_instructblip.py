"""Tiny random weights of X-InstructBLIP, and tiny stand-ins for the parts that it downloads."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Dict, Iterator, Optional
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str) -> Iterator[Dict[str, Optional[bool]]]:
    """Put weights into a folder, named as the real ones; inside, no part is full-sized.

    Yields:
        What differs in upstream's configuration: nothing is read from the Q-formers' files.
    """
    from lavis.models import eva_vit
    from lavis.models.beats import BEATs
    from lavis.models.blip2_models import blip2
    from lavis.models.blip2_models.modeling_llama import LlamaForCausalLM

    tiny.llama(os.path.join(folder, "vicuna"), LlamaForCausalLM)
    tiny.beats_checkpoint(os.path.join(folder, "BEATs_tiny.pt"), BEATs)

    def eva(image_size: int, *_: object) -> Module:
        return tiny.eva(eva_vit.VisionTransformer, img_size=image_size)

    without = {f"pretrained_{sense}_qformer": None for sense in ("audio", "video")}
    unread = {f"load_projection_{sense}": False for sense in ("audio", "video")}
    with tiny.bert(folder), mock.patch.object(blip2, "create_eva_vit_g", eva):
        yield {**without, **unread}
