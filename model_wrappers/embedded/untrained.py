"""An untrained model with random weights drawn from a fixed seed, built in code.

It shows that the path works and is what tests of the path itself run on. Its answers mean nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.model_wrappers.embedded.chat import (
    CHAT_TEMPLATE,
    END_OF_TEXT,
    NAMED_TOKENS,
    SPECIAL,
    TURN,
    TURN_END,
)
from aurelia_plugin.reasoning.prompting import PACKAGED_PROMPTS

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase, ProcessorMixin

__all__ = ["build", "folder"]

_RECIPE = 2
"""Raised when the same inputs build another model."""

_SEED = 20250323
_VOCABULARY = 1024
_SOUND_SECONDS = 8
_FRAME_SIDE = 56


def folder() -> Path:
    """Return the model's folder; builds it in the user's cache on first use."""
    import transformers

    name = digest_of([_RECIPE, _SEED, _corpus(), CHAT_TEMPLATE, transformers.__version__])[:12]
    place = cache_dir() / "embedded" / name
    if not (place / "model.safetensors").is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=place.parent, prefix=".making-"))
        try:
            build(made)
            os.replace(made, place)
        except OSError:
            shutil.rmtree(made, ignore_errors=True)
            if not (place / "model.safetensors").is_file():  # no other process was faster
                raise
    return place


def build(into: Path) -> None:
    """Write the model, its processor and tokenizer into a folder. The same bytes every time."""
    import torch
    from transformers import GenerationConfig, Qwen2_5OmniThinkerForConditionalGeneration

    processor = _processor()
    ids = {token: processor.tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        model = Qwen2_5OmniThinkerForConditionalGeneration(_config(ids, len(processor.tokenizer)))
    with torch.no_grad():
        # Untrained, it must neither end a reply at random nor write a media placeholder.
        model.lm_head.weight[list(ids.values())] = 0.0
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=ids[TURN_END], pad_token_id=ids[END_OF_TEXT]
    )
    model.save_pretrained(into)
    processor.save_pretrained(into)


def _config(ids: Mapping[str, int], vocabulary: int) -> PretrainedConfig:
    from transformers import Qwen2_5OmniThinkerConfig

    return Qwen2_5OmniThinkerConfig(
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 8192,
            "max_window_layers": 4,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [4, 6, 6],
            },
            "eos_token_id": ids[TURN_END],
            "pad_token_id": ids[END_OF_TEXT],
            "tie_word_embeddings": False,
        },
        vision_config={
            "hidden_size": 64,
            "out_hidden_size": 128,
            "depth": 2,
            "num_heads": 4,
            "intermediate_size": 128,
            "fullatt_block_indexes": [1],
        },
        audio_config={
            "d_model": 64,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 128,
            "num_mel_bins": 80,
            "output_dim": 128,
        },
        audio_token_index=ids["<|AUDIO|>"],
        audio_start_token_id=ids["<|audio_bos|>"],
        audio_end_token_id=ids["<|audio_eos|>"],
        image_token_index=ids["<|IMAGE|>"],
        video_token_index=ids["<|VIDEO|>"],
        vision_start_token_id=ids["<|vision_bos|>"],
        vision_end_token_id=ids["<|vision_eos|>"],
        user_token_id=ids[TURN],
    )


def _processor() -> ProcessorMixin:
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2_5OmniProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        WhisperFeatureExtractor,
    )

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(),
        eos_token=TURN_END,
        pad_token=END_OF_TEXT,
        padding_side="left",
        extra_special_tokens=NAMED_TOKENS,
    )
    patches = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2}
    area = {"shortest_edge": 28 * 28, "longest_edge": _FRAME_SIDE**2}
    return Qwen2_5OmniProcessor(
        image_processor=Qwen2VLImageProcessor(**patches, size=area),
        # Left open, it warns that another version of the library may reduce frames further.
        video_processor=Qwen2VLVideoProcessor(**patches, size=area, cap_pixels_per_frame=False),
        feature_extractor=WhisperFeatureExtractor(
            feature_size=80, chunk_length=_SOUND_SECONDS, return_attention_mask=True
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE,
    )


def _tokenizer() -> PreTrainedTokenizerBase:
    """Return a byte-level BPE tokenizer trained on the packaged prompts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        _corpus(),
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY,
            special_tokens=list(SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return tokenizer


def _corpus() -> list[str]:
    # Not of all sets: with another one the model would become another, and its replies too.
    sets = ("default", "embedded", "paper")
    paths = sorted(path for name in sets for path in (PACKAGED_PROMPTS / name).glob("*.jinja"))
    return [path.read_text(encoding="utf-8") for path in paths]
