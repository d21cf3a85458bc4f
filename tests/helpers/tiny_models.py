"""Tiny random instances of transformers families, built from configuration alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers as tr

from aurelia_plugin.model_wrappers.embedded.backend import folder
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


def gemma4(into: Path) -> Path:
    """A Gemma 4 with its vision and sound towers."""
    torch.manual_seed(5)
    tokenizer = _tokenizer(**_GEMMA4_TOKENS)
    processor = tr.Gemma4Processor(
        feature_extractor=tr.Gemma4AudioFeatureExtractor(),
        image_processor=tr.Gemma4ImageProcessor(patch_size=8, max_soft_tokens=70),
        video_processor=tr.Gemma4VideoProcessor(patch_size=8, max_soft_tokens=70),
        tokenizer=tokenizer,
        chat_template=_template("<image>", "<audio>", "<|video|>"),
    )
    config = tr.Gemma4Config(
        text_config={
            **_gemma4_text(tokenizer),
            "vocab_size_per_layer_input": len(tokenizer),
            "hidden_size_per_layer_input": 8,
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "patch_size": 8,
            "position_embedding_size": 128,
        },
        audio_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "subsampling_conv_channels": [128, 4],  # the first also stands for the bands of sound
            "output_proj_dims": 32,
        },
        **_gemma4_ids(processor),
    )
    return _save(tr.Gemma4ForConditionalGeneration(config), processor, into)


def gemma4_unified(into: Path) -> Path:
    """A Gemma 4 without towers: patches and samples are projected directly."""
    torch.manual_seed(6)
    tokenizer = _tokenizer(**_GEMMA4_TOKENS)
    patches = {"patch_size": 4, "pooling_kernel_size": 3, "max_soft_tokens": 70}
    processor = tr.Gemma4UnifiedProcessor(
        feature_extractor=tr.Gemma4UnifiedAudioFeatureExtractor(),
        image_processor=tr.Gemma4UnifiedImageProcessor(**patches),
        video_processor=tr.Gemma4UnifiedVideoProcessor(**patches),
        tokenizer=tokenizer,
        chat_template=_template("<image>", "<audio>", "<|video|>"),
    )
    config = tr.Gemma4UnifiedConfig(
        text_config=_gemma4_text(tokenizer),
        vision_config={
            "patch_size": 4,
            "pooling_kernel_size": 3,
            "mm_embed_dim": 32,
            "mm_posemb_size": 128,
            "output_proj_dims": 32,
        },
        audio_config={"audio_embed_dim": 640},
        **_gemma4_ids(processor),
    )
    return _save(tr.Gemma4UnifiedForConditionalGeneration(config), processor, into)


def nemotron_omni(into: Path) -> Path:
    """A Nemotron omni: mamba, attention and expert layers, RADIO eyes, Parakeet ears."""
    torch.manual_seed(7)
    tokenizer = _tokenizer(
        image_token="<image>", video_token="<video>", audio_token="<so_embedding>"
    )
    statistics = {"norm_mean": [0.5, 0.5, 0.5], "norm_std": [0.5, 0.5, 0.5]}
    processor = tr.NemotronH_Omni_Reasoning_V3Processor(
        image_processor=tr.NemotronH_Omni_Reasoning_V3ImageProcessor(
            patch_size=8, min_num_patches=16, max_num_patches=64
        ),
        video_processor=tr.NemotronH_Omni_Reasoning_V3VideoProcessor(
            patch_size=8, video_target_num_patches=16, **statistics
        ),
        feature_extractor=tr.ParakeetFeatureExtractor(feature_size=80),
        tokenizer=tokenizer,
        chat_template=_template("<image>", "<so_embedding>", "<video>"),
    )
    config = tr.NemotronH_Omni_Reasoning_V3_Config(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "layers_block_type": ["mamba", "attention", "moe"],
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 8192,
            "intermediate_size": 48,
            "use_mamba_kernels": False,
            "ssm_state_size": 16,
            "mamba_num_heads": 4,
            "mamba_head_dim": 16,
            "n_groups": 1,
            "chunk_size": 16,
            "n_routed_experts": 4,
            "moe_intermediate_size": 16,
            "moe_shared_expert_intermediate_size": 16,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "patch_size": 8,
            "image_size": 64,
            "max_img_size": 128,
            "video_temporal_patch_size": 2,
            **statistics,
        },
        audio_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 48,
            "subsampling_conv_channels": 8,
            "projection_hidden_size": 32,
            "projection_bias": False,
        },
        projector_hidden_size=32,
        vision_hidden_size=32,
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
        audio_token_id=processor.audio_token_id,
    )
    return _save(tr.NemotronH_Omni_Reasoning_V3(config), processor, into)


def dots3_note(into: Path) -> Path:
    """A dots3-note: indexed and sliding attention, experts in its text and in its eyes."""
    torch.manual_seed(12)
    named = {
        "image_token": "<|imgpad|>",
        "video_token": "<|video_pad|>",
        "audio_token": "<|audio_comp_pad|>",
    }
    tokenizer = _tokenizer(**named)
    patches = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 1}
    processor = tr.Dots3NoteProcessor(
        image_processor=tr.Qwen2VLImageProcessor(
            **patches, size={"shortest_edge": 28 * 28, "longest_edge": 56 * 56}
        ),
        video_processor=tr.Qwen3VLVideoProcessor(
            **patches, size={"shortest_edge": 28 * 28, "longest_edge": 16 * 56 * 56}
        ),
        feature_extractor=tr.Dots3NoteFeatureExtractor(chunk_length=8),
        tokenizer=tokenizer,
        chat_template=_template("<|imgpad|>", "<|audio_comp_pad|>", "<|video_pad|>"),
    )
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    lora = {"q_lora_rank": 16, "kv_lora_rank": 16, "v_head_dim": 16, "head_dim": 16}
    ranks = {**lora, "qk_nope_head_dim": 8}
    config = tr.Dots3NoteConfig(
        text_config={
            **TEXT,
            **ranks,
            **{f"swa_{name}": value for name, value in {**heads, **ranks}.items()},
            "qk_rope_head_dim": 8,
            "swa_qk_rope_head_dim": 8,
            "num_hidden_layers": 3,
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": None,
            "moe_intermediate_size": 16,
            "shared_experts_intermediate_size": 16,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "index_head_dim": 16,
            "index_n_heads": 2,
        },
        vision_config={
            "hidden_size": 32,
            "adapter_in_dim": 32,
            "adapter_out_dim": 32,
            "intermediate_size": 48,
            "moe_intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "pyramid_num_routed": [-1, 4],
        },
        audio_config={
            "hidden_size": 32,
            "adapter_input_size": 32,
            "adapter_out_dim": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "downsample_hidden_size": 8,
        },
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
        audio_token_id=processor.audio_token_id,
    )
    return _save(tr.Dots3NoteForConditionalGeneration(config), processor, into)


def inkling(into: Path) -> Path:
    """An Inkling: frames as images, sound as discrete bins."""
    torch.manual_seed(13)
    tokenizer = _tokenizer(
        image_token="<|unused_200054|>",
        audio_token="<|unused_200053|>",
        image_bos="<|content_image|>",
        audio_bos="<|content_audio_input|>",
    )
    processor = tr.InklingProcessor(
        feature_extractor=tr.InklingFeatureExtractor(),
        image_processor=tr.InklingImageProcessor(),
        tokenizer=tokenizer,
        chat_template=_template(
            "<|content_image|><|unused_200054|>", "<|content_audio_input|><|unused_200053|>"
        ),
    )
    config = tr.InklingConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "moe_intermediate_size": 16,
            "num_hidden_layers": 6,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "swa_num_attention_heads": 2,
            "swa_num_key_value_heads": 2,
            "swa_head_dim": 16,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "n_shared_experts": 1,
            "logits_mup_width_multiplier": 1.0,
            "bos_token_id": None,
            "eos_token_id": tokenizer.eos_token_id,
        },
        audio_config={"mel_vocab_size": 16},
        vision_config={"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
        image_token_id=processor.image_token_id,
        audio_token_id=processor.audio_token_id,
        image_bos_token_id=processor.image_bos_token_id,
        audio_bos_token_id=processor.audio_bos_token_id,
    )
    return _save(tr.InklingForConditionalGeneration(config), processor, into)


def qwen2_audio(into: Path) -> Path:
    """A Qwen2-Audio: hears only."""
    torch.manual_seed(8)
    own = _embedded()
    processor = tr.Qwen2AudioProcessor(
        feature_extractor=tr.WhisperFeatureExtractor(feature_size=128),
        tokenizer=own.tokenizer,
        chat_template=CHAT_TEMPLATE,
    )
    config = tr.Qwen2AudioConfig(
        audio_config=_whisper_encoder(1500),
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": len(own.tokenizer)},
        audio_token_index=processor.audio_token_id,
    )
    return _save(tr.Qwen2AudioForConditionalGeneration(config), processor, into)


def audio_flamingo_3(into: Path) -> Path:
    """An Audio Flamingo 3: hears only, one sound a prompt."""
    torch.manual_seed(9)
    tokenizer = _tokenizer(audio_token="<sound>")
    processor = tr.AudioFlamingo3Processor(
        feature_extractor=tr.WhisperFeatureExtractor(feature_size=128),
        tokenizer=tokenizer,
        chat_template=_template("", "<sound>"),
    )
    encoder = _whisper_encoder(1500)
    config = tr.AudioFlamingo3Config(
        audio_config={
            "num_mel_bins": encoder["num_mel_bins"],
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 48,
            "hidden_size": 32,
        },
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": len(tokenizer)},
        audio_token_id=processor.audio_token_id,
    )
    return _save(tr.AudioFlamingo3ForConditionalGeneration(config), processor, into)


def qwen2_5_vl(into: Path) -> Path:
    """A Qwen2.5-VL: sees only."""
    torch.manual_seed(10)
    own = _embedded()
    area = {"shortest_edge": 28 * 28, "longest_edge": 56 * 56}
    named = {"image_token": "<|IMAGE|>", "video_token": "<|VIDEO|>"}
    processor = tr.Qwen2_5_VLProcessor(
        image_processor=tr.Qwen2VLImageProcessor(size=area),
        video_processor=tr.Qwen2VLVideoProcessor(size=area),
        tokenizer=_tokenizer(**named),
        chat_template=CHAT_TEMPLATE,
    )
    ids = own.tokenizer.convert_tokens_to_ids
    config = tr.Qwen2_5_VLConfig(
        text_config={
            **TEXT,
            "vocab_size": len(own.tokenizer),
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [2, 3, 3],
            },
        },
        vision_config={
            "hidden_size": 32,
            "out_hidden_size": 32,
            "intermediate_size": 48,
            "depth": 2,
            "num_heads": 2,
            "fullatt_block_indexes": [1],
        },
        image_token_id=ids("<|IMAGE|>"),
        video_token_id=ids("<|VIDEO|>"),
        vision_start_token_id=ids("<|vision_bos|>"),
        vision_end_token_id=ids("<|vision_eos|>"),
    )
    return _save(tr.Qwen2_5_VLForConditionalGeneration(config), processor, into)


def video_salmonn_2(into: Path) -> Path:
    """A LoRA adapter, as video-SALMONN 2's weights are published, for `qwen2_5_vl`."""
    import peft

    base = tr.Qwen2_5_VLForConditionalGeneration.from_pretrained(qwen2_5_vl(into / "base"))
    lora = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    peft.get_peft_model(base, lora).save_pretrained(str(into / "adapter"))
    return into


def _whisper_encoder(positions: int) -> dict[str, Any]:
    return {
        "model_type": "qwen2_audio_encoder",
        "num_mel_bins": 128,
        "encoder_layers": 1,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 48,
        "d_model": 32,
        "max_source_positions": positions,
    }


_GEMMA4_TOKENS = {
    "boi_token": "<boi>",
    "eoi_token": "<eoi>",
    "image_token": "<image>",
    "boa_token": "<boa>",
    "eoa_token": "<eoa>",
    "audio_token": "<audio>",
}


def _gemma4_text(tokenizer: Any) -> dict[str, Any]:
    return {
        **TEXT,
        "vocab_size": len(tokenizer) + 1,  # the processor adds <|video|>
        "head_dim": 16,
        "global_head_dim": 16,
        "layer_types": ["sliding_attention", "full_attention"],
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _gemma4_ids(processor: Any) -> dict[str, int]:
    tokenizer = processor.tokenizer
    return {
        "image_token_id": processor.image_token_id,
        "video_token_id": processor.video_token_id,
        "audio_token_id": processor.audio_token_id,
        "boi_token_id": tokenizer.boi_token_id,
        "eoi_token_id": tokenizer.eoi_token_id,
        "boa_token_id": tokenizer.boa_token_id,
        "eoa_token_index": tokenizer.eoa_token_id,
    }


def _tokenizer(**named: str) -> Any:
    own = _embedded().tokenizer
    return tr.PreTrainedTokenizerFast(
        tokenizer_object=own.backend_tokenizer,
        eos_token=own.eos_token,
        pad_token=own.pad_token,
        padding_side="left",
        extra_special_tokens=named,
    )


def _template(image: str, audio: str, video: str | None = None) -> str:
    template = CHAT_TEMPLATE.replace("<|vision_bos|><|IMAGE|><|vision_eos|>", image).replace(
        "<|audio_bos|><|AUDIO|><|audio_eos|>", audio
    )
    if video is None:
        return template
    return template.replace("<|vision_bos|><|VIDEO|><|vision_eos|>", video)
