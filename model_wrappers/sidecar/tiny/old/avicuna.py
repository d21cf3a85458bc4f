"""Tiny random weights of AVicuna, and tiny stand-ins for what is downloaded; CLAP is full-sized."""

from __future__ import annotations

import contextlib
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Dict, Iterator
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

__all__ = ["tiny_parts"]


@contextlib.contextmanager
def tiny_parts(folder: str) -> Iterator[str]:
    """Put weights into a folder, named as the real ones; inside, CLIP and the BERTs are tiny.

    Yields:
        The folder of the language model.
    """
    import transformers

    llm = os.path.join(folder, "vicuna")
    tiny.llama(llm, max_position_embeddings=4096)  # as Vicuna 1.5 has it
    for name in ("ViT-L-14.pt", "630k-fusion-best.pt"):
        open(os.path.join(folder, name), "wb").close()  # only their places matter
    sizes = {"hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 1}
    config = transformers.RobertaConfig(**sizes, intermediate_size=64, vocab_size=64)
    patch = mock.patch.object
    with contextlib.ExitStack() as stack:
        for patched in (
            tiny.bert(folder),
            patch(transformers.RobertaTokenizer, "from_pretrained"),
            patch(transformers.BartTokenizer, "from_pretrained"),
            patch(
                transformers.RobertaModel,
                "from_pretrained",
                lambda *_, **__: transformers.RobertaModel(config),
            ),
        ):
            stack.enter_context(patched)
        import laion_clap
        import open_clip

        _write_stages(folder, llm)
        stack.enter_context(patch(laion_clap.CLAP_Module, "load_ckpt"))
        stack.enter_context(patch(open_clip, "load_openai_model", lambda *_, **__: _clip()))
        yield llm


def _clip() -> Module:
    import open_clip

    vision = {"layers": 2, "width": 64, "head_width": 16, "patch_size": 28, "image_size": 224}
    text = {"layers": 1, "width": 32, "heads": 2}
    model: Module = open_clip.CLIP(768, vision, text, quick_gelu=True)
    return model


def _write_stages(folder: str, llm: str) -> None:
    """Write what upstream's four stages of training leave: two projectors, two LoRA adapters."""
    import peft
    import torch
    from avicuna.model import AVicunaLlamaForCausalLM

    model = AVicunaLlamaForCausalLM.from_pretrained(llm)
    untrained = {"pretrain_mm_mlp_adapter": None, "pretrain_mm_mlp_adapter_a": None}
    model.get_model().initialize_vision_modules(SimpleNamespace(**untrained))
    for stage, name in ((1, "mm_projector"), (2, "mm_projector_a")):
        os.makedirs(os.path.join(folder, f"tiny-stage{stage}"))
        part = {f"{name}.{key}": value for key, value in _projector(model, name).items()}
        torch.save(part, os.path.join(folder, f"tiny-stage{stage}", f"{name}.bin"))
    form = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    for stage in (3, 4):
        adapter = peft.get_peft_model(model, form)
        adapter.save_pretrained(os.path.join(folder, f"tiny-stage{stage}"))
        model = adapter.unload()


def _projector(model: Any, name: str) -> Dict[str, Tensor]:
    return dict(getattr(model.get_model(), name).state_dict())
