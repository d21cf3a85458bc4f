"""A tiny random Macaw-LLM, made of upstream's own classes."""

from __future__ import annotations

from aurelia_plugin.model_wrappers.sidecar.kit import tiny

__all__ = ["write_checkpoint"]

_MARKS = [f"<{end}{kind}>" for kind in ("image", "audio", "video") for end in ("", "/")]


def write_checkpoint(folder: str) -> None:
    """Write a checkpoint of upstream's classes and its tokenizer into a folder."""
    from modeling import MM_LLMs, MM_LLMs_Config
    from transformers import CLIPConfig, LlamaConfig, LlamaTokenizer

    tokenizer = LlamaTokenizer(tiny.sentencepiece_model(folder))
    tokenizer.add_special_tokens({"additional_special_tokens": _MARKS})
    tokenizer.save_pretrained(folder)
    layers = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    clip = {**layers, "num_attention_heads": 2, "projection_dim": 40}
    config = MM_LLMs_Config(
        clip_config=CLIPConfig(
            projection_dim=40, text_config=clip, vision_config={**clip, "patch_size": 16}
        ),
        whisper_config=tiny.whisper().config,
        llm_config=LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            **tiny.WIDE,
        ),
    )
    MM_LLMs(config).save_pretrained(folder)
