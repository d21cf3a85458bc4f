"""Qwen2.5-Omni with random weights, built from its configuration alone: nothing from a hub.

Sizes are those of the 7B model's thinker, which are the defaults of the library's configuration;
its processor has the published lengths and pixels, with the embedded model's small tokenizer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers as tr

from aurelia_plugin.model_wrappers.embedded.untrained import folder
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)
from aurelia_plugin.model_wrappers.transformers.families import family_of
from aurelia_plugin.model_wrappers.transformers.loading import Loaded, taken_by

__all__ = ["build", "on"]

_SOUND_SECONDS = 300
"""`chunk_length` of the published feature extractor."""

_ROPE = {"rope_type": "default", "rope_theta": 1_000_000.0, "mrope_section": [16, 24, 24]}


def build(*, tiny: bool, device: str, dtype: torch.dtype, place: Path) -> Loaded:
    """Return the model and its processor; write their configuration (no weights) into `place`."""
    processor = _processor()
    config = _config(processor.tokenizer, tiny=tiny)
    config.save_pretrained(place)
    processor.save_pretrained(place)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            model = tr.Qwen2_5OmniThinkerForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(before)
    # Every reply is as long as it may be.
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    model.generation_config.do_sample = False
    family = family_of("qwen2_5_omni")
    takes = taken_by(str(place), processor, family, TransformersOptions())
    return Loaded(model, processor, takes, family)


def on(loaded: Loaded, place: Path, **options: Any) -> TransformersBackend:
    """Return a backend on a model that was built."""
    set_to = TransformersOptions.model_validate({"max_frames": 16, **options})
    backend = TransformersBackend(str(place), set_to)
    backend.use(loaded)
    return backend


def _config(tokenizer: Any, *, tiny: bool) -> Any:
    ids = tokenizer.convert_tokens_to_ids
    parts: dict[str, Any] = {"text_config": {"rope_parameters": _ROPE}}
    if tiny:
        parts = {
            "text_config": {
                "hidden_size": 128,
                "intermediate_size": 256,
                "num_hidden_layers": 4,
                "num_attention_heads": 1,
                "num_key_value_heads": 1,
                "vocab_size": 16_384,
                "rope_parameters": _ROPE,
            },
            "vision_config": {
                "hidden_size": 64,
                "out_hidden_size": 128,
                "depth": 2,
                "num_heads": 4,
                "intermediate_size": 128,
                "fullatt_block_indexes": [1],
            },
            "audio_config": {
                "d_model": 64,
                "encoder_layers": 2,
                "encoder_attention_heads": 4,
                "encoder_ffn_dim": 128,
                "output_dim": 128,
            },
        }
    return tr.Qwen2_5OmniThinkerConfig(
        **parts,
        audio_token_index=ids("<|AUDIO|>"),
        image_token_index=ids("<|IMAGE|>"),
        video_token_index=ids("<|VIDEO|>"),
        vision_start_token_id=ids("<|vision_bos|>"),
        vision_end_token_id=ids("<|vision_eos|>"),
        audio_start_token_id=ids("<|audio_bos|>"),
        audio_end_token_id=ids("<|audio_eos|>"),
        user_token_id=ids("<|im_start|>"),
    )


def _processor() -> Any:
    own = tr.AutoProcessor.from_pretrained(folder())
    patches = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2}
    area = {"shortest_edge": 128 * 28 * 28, "longest_edge": 768 * 28 * 28}
    return tr.Qwen2_5OmniProcessor(
        image_processor=tr.Qwen2VLImageProcessor(**patches, size=area),
        video_processor=tr.Qwen2VLVideoProcessor(**patches, size=area, cap_pixels_per_frame=False),
        feature_extractor=tr.WhisperFeatureExtractor(
            feature_size=128, chunk_length=_SOUND_SECONDS, return_attention_mask=True
        ),
        tokenizer=own.tokenizer,
        chat_template=own.chat_template,
    )
