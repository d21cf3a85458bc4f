"""A tiny random VITA-1.0, made of upstream's own classes."""

from __future__ import annotations

import json
import os
from typing import Any, Tuple

from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE
from aurelia_plugin.model_wrappers.sidecar.kit.tiny import byte_tokenizer

__all__ = ["build"]


def build(folder: str) -> Tuple[Any, Any]:
    """Write its parts into a folder; return tokenizer and model.

    Upstream's own `load_pretrained_model` is not used: it wants two GPUs.
    """
    from transformers import AutoConfig
    from vita.model.language_model.vita_mixtral import VITAMixtralConfig, VITAMixtralForCausalLM
    from vita.model.multimodal_encoder.internvit.configuration_intern_vit import InternVisionConfig
    from vita.model.multimodal_encoder.internvit.modeling_intern_vit import InternVisionModel

    os.chdir(folder)  # upstream tells towers by words in their path: "internvit"
    # Published checkpoints bring this class as remote code.
    AutoConfig.register(InternVisionConfig.model_type, InternVisionConfig)
    _write_tower(InternVisionConfig, InternVisionModel)
    _write_ear(hidden=32)
    tokenizer = byte_tokenizer("tokenizer")
    config = VITAMixtralConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        num_local_experts=2,
        vocab_size=len(tokenizer),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        mm_vision_tower="internvit",
        mm_hidden_size=64,
        mm_projector_type="mlp2x_gelu",
        mm_audio_encoder="ear",
        tokenizer_model_max_length=6200,
        image_aspect_ratio="pad",
        initializer_range=0.2,
    )
    return tokenizer, VITAMixtralForCausalLM(config)


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
    """Write the configuration of a small Whale encoder, and neutral statistics for its input."""
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
