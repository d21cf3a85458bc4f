"""The model before training, and what its processor makes of arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from aurelia_plugin.model_wrappers.embedded.chat import SPECIAL
from aurelia_plugin.reasoning.prompting import PromptSet
from embedded_training import architecture
from embedded_training.clips import texts

__all__ = ["GRID", "SOUND_TOKENS", "VIDEO_TOKENS", "build", "hear", "patches", "positions", "see"]

VIDEO_TOKENS, SOUND_TOKENS = 32, 32
GRID: Final = (
    architecture.FRAMES // architecture.TEMPORAL_PATCH,
    architecture.FRAME_SIDE // architecture.PATCH,
    architecture.FRAME_SIDE // architecture.PATCH,
)
"""Steps in time, rows and columns of patches."""
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


def build(seed: int, kept: Path) -> tuple[Any, Any]:
    """Return an untrained model and its processor, which is that of `kept` where it was kept.

    A run that goes on must not train its tokenizer again: a text that changed would shift all ids.
    """
    from transformers import (
        AutoProcessor,
        GenerationConfig,
        Qwen2_5OmniThinkerForConditionalGeneration,
    )

    if (kept / "tokenizer.json").is_file():
        processor = AutoProcessor.from_pretrained(kept)
    else:
        processor = architecture.processor(texts(seed, 2500, PromptSet("default", "embedded")))
    convert = processor.tokenizer.convert_tokens_to_ids
    ids = {token: convert(token) for token in SPECIAL}
    torch.manual_seed(seed)
    model = Qwen2_5OmniThinkerForConditionalGeneration(
        architecture.config(ids, len(processor.tokenizer))
    )
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=ids["<|im_end|>"], pad_token_id=ids["<|endoftext|>"]
    )
    _quicken(model)
    return model, processor


def positions(model: Any, tokens: list[int]) -> NDArray[Any]:
    """Return the model's own positions `[3, n]` of a prompt's first part."""
    ids = torch.tensor([tokens])
    sounds = int((ids == model.config.audio_start_token_id).sum())
    if not int((ids == model.config.vision_start_token_id).sum()):
        return np.tile(np.arange(len(tokens)), (3, 1))
    found, _ = model.model.get_rope_index(
        ids,
        None,
        torch.tensor([GRID]),
        torch.ones_like(ids),
        False,
        torch.tensor([4 * SOUND_TOKENS] * sounds),
        torch.tensor([0.5]),
    )
    return np.asarray(found[:, 0].numpy())


def patches(frames: NDArray[np.uint8]) -> torch.Tensor:
    """Return what the video processor makes of frames uint8 `[b, 32, 56, 56, 3]`."""
    count, (steps, high, wide) = len(frames), GRID
    merge, side = architecture.MERGE, architecture.PATCH
    scaled = (torch.from_numpy(frames).float() / 255.0 - torch.from_numpy(_MEAN)) / (
        torch.from_numpy(_STD)
    )
    cut = scaled.view(
        count,
        steps,
        architecture.TEMPORAL_PATCH,
        high // merge,
        merge,
        side,
        wide // merge,
        merge,
        side,
        3,
    )
    order = cut.permute(0, 1, 3, 6, 4, 7, 9, 2, 5, 8)
    return order.reshape(count * steps * high * wide, -1)


def see(model: Any, frames: NDArray[np.uint8]) -> torch.Tensor:
    """Return what the thinker gets of frames uint8 `[b, 32, 56, 56, 3]`: `[b, 32, width]`."""
    count = len(frames)
    found = model.model.visual(patches(frames), grid_thw=torch.tensor([GRID] * count)).pooler_output
    seen: torch.Tensor = torch.cat(list(found)) if isinstance(found, tuple | list) else found
    return seen.view(count, VIDEO_TOKENS, -1)


def hear(model: Any, feature_extractor: Any, sounds: list[NDArray[np.float32]]) -> torch.Tensor:
    """Return what the thinker gets of sounds of four seconds: `[b, 32, width]`."""
    with torch.autocast("cpu", enabled=False):
        heard = feature_extractor(
            sounds,
            sampling_rate=16_000,
            padding="max_length",
            return_attention_mask=True,
            return_tensors="pt",
        )
    tokens: torch.Tensor = model.model.get_audio_features(
        heard["input_features"], heard["attention_mask"].long(), return_dict=True
    ).last_hidden_state
    return tokens.view(len(sounds), SOUND_TOKENS, -1)


def _quicken(model: Any) -> None:
    """Let the towers attend to all chunks in one call: clips are of one length here.

    And let the thinker attend by plain products, which in bfloat16 are three times as fast on a
    CPU as the fused kernel with a mask.
    """
    from transformers import AttentionInterface

    AttentionInterface.register("flash_batched", _batched)
    AttentionInterface.register("plain", _plain)
    for tower in (model.model.visual, model.model.audio_tower):
        tower.config._attn_implementation = "flash_batched"
    model.model.language_model.config._attn_implementation = "plain"


def _plain(
    _module: Any, query: Any, key: Any, value: Any, mask: Any, *, scaling: float, **_given: Any
) -> tuple[torch.Tensor, None]:
    """Attend with an additive mask `[b, 1, n, n]`; `[b, heads, n, d]` -> `[b, n, heads, d]`."""
    kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else query.dtype
    with torch.autocast("cpu", enabled=False):  # which would make the softmax a float32 one
        query, key, value, mask = (x.to(kind) for x in (query * scaling, key, value, mask))
        weights = torch.softmax(torch.matmul(query, key.transpose(-1, -2)) + mask, -1)
        return torch.matmul(weights, value).transpose(1, 2), None


def _batched(
    _module: Any, query: Any, key: Any, value: Any, *, scaling: float, **given: Any
) -> tuple[torch.Tensor, None]:
    """Attend within chunks of equal length, all chunks at once; [1, heads, n, d] -> [1, n, ...]."""
    length = int(given["max_length_q"])
    heads, total, width = query.shape[1:]
    queries, keys, values = (
        x[0].view(heads, total // length, length, width).transpose(0, 1)
        for x in (query, key, value)
    )
    out = torch.nn.functional.scaled_dot_product_attention(queries, keys, values, scale=scaling)
    return out.transpose(1, 2).reshape(1, total, heads, width), None
