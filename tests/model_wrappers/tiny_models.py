"""Tiny random instances of transformers families, built from configuration alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers as tr

from aurelia_plugin.model_wrappers.embedded import folder
from aurelia_plugin.model_wrappers.embedded.chat import CHAT_TEMPLATE

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
}


def _embedded() -> Any:
    return tr.AutoProcessor.from_pretrained(folder())


def _save(model: Any, processor: Any, into: Path) -> Path:
    # Larger than usual weights, so that no medium's share of the outcome drowns in rounding.
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                torch.nn.init.normal_(weight, std=0.1)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    model.save_pretrained(into)
    processor.save_pretrained(into)
    return into


def qwen2_5_omni(into: Path) -> Path:
    """A whole Qwen2.5-Omni without speech generator, as its weights are published: `thinker.*`."""
    torch.manual_seed(1)
    processor = _embedded()
    thinker = tr.AutoConfig.from_pretrained(folder())
    config = tr.Qwen2_5OmniConfig(thinker_config=thinker.to_dict(), enable_audio_output=False)
    return _save(tr.Qwen2_5OmniForConditionalGeneration(config), processor, into)


def qwen3_omni(into: Path) -> Path:
    """A Qwen3-Omni thinker with four experts."""
    torch.manual_seed(2)
    own = _embedded()
    patches = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    area = {"shortest_edge": 32 * 32, "longest_edge": 64 * 64}
    processor = tr.Qwen3OmniMoeProcessor(
        image_processor=tr.Qwen2VLImageProcessor(**patches, size=area),
        video_processor=tr.Qwen2VLVideoProcessor(**patches, size=area),
        feature_extractor=tr.WhisperFeatureExtractor(feature_size=128, chunk_length=8),
        tokenizer=own.tokenizer,
        chat_template=CHAT_TEMPLATE,
    )
    ids = own.tokenizer.convert_tokens_to_ids
    config = tr.Qwen3OmniMoeThinkerConfig(
        text_config={
            **TEXT,
            "vocab_size": len(own.tokenizer),
            "head_dim": 16,
            "moe_intermediate_size": 16,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [2, 3, 3],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "hidden_size": 32,
            "out_hidden_size": 32,
            "intermediate_size": 48,
            "depth": 2,
            "num_heads": 2,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        audio_config={
            "d_model": 32,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 48,
            "num_mel_bins": 128,
            "downsample_hidden_size": 16,
            "output_dim": 32,
        },
        audio_token_id=ids("<|AUDIO|>"),
        image_token_id=ids("<|IMAGE|>"),
        video_token_id=ids("<|VIDEO|>"),
        audio_start_token_id=ids("<|audio_bos|>"),
        vision_start_token_id=ids("<|vision_bos|>"),
    )
    return _save(tr.Qwen3OmniMoeThinkerForConditionalGeneration(config), processor, into)


def gemma3n(into: Path) -> Path:
    """A Gemma 3n with its own audio tower and a small timm vision tower."""
    torch.manual_seed(3)
    tokenizer = _tokenizer(
        boi_token="<boi>",
        eoi_token="<eoi>",
        image_token="<image>",
        boa_token="<boa>",
        eoa_token="<eoa>",
        audio_token="<audio>",
    )
    words = len(tokenizer)
    processor = tr.Gemma3nProcessor(
        feature_extractor=tr.Gemma3nAudioFeatureExtractor(feature_size=128, sampling_rate=16_000),
        image_processor=tr.SiglipImageProcessor(size={"height": 64, "width": 64}),
        tokenizer=tokenizer,
        chat_template=_template("<image>", "<audio>"),
        audio_seq_length=188,
        image_seq_length=4,
    )
    config = tr.Gemma3nConfig(
        text_config={
            **TEXT,
            "vocab_size": words + 256,
            "vocab_size_per_layer_input": words + 256,
            "hidden_size_per_layer_input": 8,
            "head_dim": 16,
            "num_kv_shared_layers": 0,
            "altup_num_inputs": 2,
            "laurel_rank": 4,
            "activation_sparsity_pattern": [0.0, 0.0],
            "layer_types": ["sliding_attention", "full_attention"],
        },
        vision_config={
            "architecture": "mobilenetv3_small_050",
            "hidden_size": 288,
            "vocab_size": 128,
            "vocab_offset": words,
        },
        audio_config={
            "vocab_size": 128,
            "vocab_offset": words + 128,
            "hidden_size": 32,
            "conf_num_attention_heads": 2,
            "conf_num_hidden_layers": 1,
            "sscp_conv_channel_size": [8, 4],
        },
        vision_soft_tokens_per_image=4,
        audio_soft_tokens_per_image=188,
        image_token_id=tokenizer.image_token_id,
        audio_token_id=tokenizer.audio_token_id,
        boi_token_id=tokenizer.boi_token_id,
        eoi_token_id=tokenizer.eoi_token_id,
        boa_token_id=tokenizer.boa_token_id,
        eoa_token_id=tokenizer.eoa_token_id,
    )
    return _save(tr.Gemma3nForConditionalGeneration(config), processor, into)


def phi4_multimodal(into: Path) -> Path:
    """A Phi-4-multimodal: frames as images."""
    torch.manual_seed(4)
    tokenizer = _tokenizer(image_token="<|image|>", audio_token="<|audio|>")
    processor = tr.Phi4MultimodalProcessor(
        image_processor=tr.Phi4MultimodalImageProcessor(
            size={"height": 448, "width": 448}, patch_size=14, dynamic_hd=1
        ),
        audio_processor=tr.Phi4MultimodalFeatureExtractor(),
        tokenizer=tokenizer,
        chat_template=_template("<|image|>", "<|audio|>"),
    )
    config = tr.Phi4MultimodalConfig(
        **TEXT,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 448,
            "crop_size": 448,
            "image_token_id": tokenizer.image_token_id,
        },
        audio_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_blocks": 2,
            "num_attention_heads": 2,
            "ext_pw_out_channel": 32,
            "depthwise_separable_out_channel": 32,
            "nemo_conv_channels": 32,
            "audio_token_id": tokenizer.audio_token_id,
        },
    )
    return _save(tr.Phi4MultimodalForCausalLM(config), processor, into)


def _tokenizer(**named: str) -> Any:
    own = _embedded().tokenizer
    return tr.PreTrainedTokenizerFast(
        tokenizer_object=own.backend_tokenizer,
        eos_token=own.eos_token,
        pad_token=own.pad_token,
        padding_side="left",
        extra_special_tokens=named,
    )


def _template(image: str, audio: str) -> str:
    return CHAT_TEMPLATE.replace("<|vision_bos|><|IMAGE|><|vision_eos|>", image).replace(
        "<|audio_bos|><|AUDIO|><|audio_eos|>", audio
    )
