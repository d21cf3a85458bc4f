"""A tiny random VideoLLaMA2-AV, made of upstream's own classes."""

from __future__ import annotations

import os

from aurelia_plugin.model_wrappers.sidecar.kit.tiny import beats, byte_tokenizer, siglip

__all__ = ["write_checkpoint"]


def write_checkpoint(folder: str) -> str:
    """Write a checkpoint into a folder, which becomes the working directory; return its path."""
    from videollama2.model import encoder
    from videollama2.model.videollama2_qwen2 import (
        Videollama2Qwen2Config,
        Videollama2Qwen2ForCausalLM,
    )

    os.chdir(folder)  # upstream tells towers by words in their path: "siglip"
    siglip("siglip")
    tokenizer = byte_tokenizer("tiny-av")
    encoder.BEATsConfig = beats(encoder.BEATsConfig, encoder_layers=1)
    config = Videollama2Qwen2Config(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=len(tokenizer),
        num_frames=16,
        mm_vision_tower="siglip",
        mm_hidden_size=32,
        mm_vision_select_layer=-2,
        mm_vision_select_feature="patch",
        mm_projector_type="stc_connector_v35",
        mm_audio_tower="beats",
        mm_projector_a_type="mlp2x_gelu",
        mm_hidden_size_a=32,
        hidden_size_a=32,
        initializer_range=0.2,
    )
    # BEATs shares a tensor between its layers, which safetensors refuse.
    Videollama2Qwen2ForCausalLM(config).save_pretrained("tiny-av", safe_serialization=False)
    return "tiny-av"
