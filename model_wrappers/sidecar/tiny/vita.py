"""A tiny random VITA-1.5, made of upstream's own classes."""

from __future__ import annotations

import json
import os
from typing import Any

from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE
from aurelia_plugin.model_wrappers.sidecar.kit.tiny import byte_tokenizer

__all__ = ["write_checkpoint"]


def write_checkpoint(folder: str) -> str:
    """Write a checkpoint into a folder, which becomes the working directory; return its path."""
    from vita.model.language_model.vita_qwen2 import VITAQwen2Config, VITAQwen2ForCausalLM
    from vita.model.multimodal_encoder.internvit.configuration_intern_vit import InternVisionConfig
    from vita.model.multimodal_encoder.internvit.modeling_intern_vit import InternVisionModel

    os.chdir(folder)  # upstream tells towers by words in their path: "internvit"
    _write_tower(InternVisionConfig, InternVisionModel)
    _write_ear(hidden=32)
    tokenizer = byte_tokenizer("tiny-vita")
    config = VITAQwen2Config(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=len(tokenizer),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        mm_vision_tower="internvit",
        mm_hidden_size=64,
        mm_projector_type="mlp2x_gelu",
        mm_audio_encoder="ear",
        audio_prompt_finetune=True,
        audio_prompt_num=5,
        tokenizer_model_max_length=6200,
        image_aspect_ratio="pad",
        initializer_range=0.2,
    )
    VITAQwen2ForCausalLM(config).save_pretrained("tiny-vita")
    return "tiny-vita"


def _write_tower(config_class: Any, model_class: Any) -> None:
    from transformers import CLIPImageProcessor

    config = config_class(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=56,
        use_flash_attn=False,
    )
    model_class(config).save_pretrained("internvit")
    side = {"height": 56, "width": 56}
    CLIPImageProcessor(size=side, crop_size=side).save_pretrained("internvit")


def _write_ear(hidden: int) -> None:
    """Write a small Whale encoder without weights, and neutral statistics for its input."""
    import torch
    import yaml

    part = {f"transformer-{side}-dim": hidden for side in ("input", "output", "attention")}
    form = {
        "input_dim": 80,
        "is_json_cmvn": True,
        "encoder_conf": {
            "overview_conf": {
                "encoder-input-dim": 80,
                "encoder-output-dim": hidden,
                "encoder-layer-config": "subsampling-transformer",
            },
            "para_conf": {
                "subsampling": {"subsampling-input-dim": 80, "subsampling-output-dim": hidden},
                "transformer": {
                    **part,
                    "transformer-attention-heads": 2,
                    "transformer-linear-units": 48,
                    "transformer-num-blocks": 1,
                    "transformer-pos-enc-class": "rel-enc",
                },
            },
        },
        "model_conf": {
            "llm_path": "",
            "enc_out_dim": hidden,
            "llm_embed_dim": 32,
            "kernel_size": 5,
            "adpter_type": "subsampling",
        },
        "dataset_conf": {
            "resample_conf": {"resample_rate": RATE},
            "fbank_conf": {
                "num_mel_bins": 80,
                "frame_length": 25,
                "frame_shift": 10,
                "dither": 0.0,
            },
        },
    }
    os.makedirs("ear", exist_ok=True)
    with open("ear/train.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump(form, file)
    with open("ear/global_cmvn", "w", encoding="utf-8") as file:
        json.dump({"mean_stat": [0.0] * 80, "var_stat": [100.0] * 80, "frame_num": 1}, file)
    torch.save({}, "ear/final.pt")  # its weights come with the checkpoint
