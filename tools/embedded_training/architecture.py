"""The trained model's sizes, processor and tokenizer; the classes are Qwen2.5-Omni's own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from aurelia_plugin.benchmark.synthetic.atlas import ATLAS, ATTRIBUTES, MELODIES
from aurelia_plugin.benchmark.synthetic.families.draw import LEGEND
from aurelia_plugin.benchmark.synthetic.vocabulary import (
    COLOURS,
    INSTRUMENTS,
    MOTIONS,
    PLACES,
    SHAPES,
)
from aurelia_plugin.model_wrappers.embedded.chat import CHAT_TEMPLATE, NAMED_TOKENS, SPECIAL

__all__ = [
    "FRAMES",
    "FRAME_SIDE",
    "MERGE",
    "PATCH",
    "SOUND_HOP",
    "TEMPORAL_PATCH",
    "VALUE_TOKENS",
    "config",
    "processor",
    "tokenizer",
]

FRAMES = 32
FRAME_SIDE = 56
PATCH, MERGE = 7, 4
"""Pixels of a patch's side; patches of a token's side, of which a picture then has two."""
TEMPORAL_PATCH = 4
"""Frames, half a second together, that one step in time is made of."""
SOUND_HOP = 500
"""Samples from one spectrum to the next: 32 spectra, hence 8 sound tokens, a second."""
_SOUND_SECONDS = 5
_NAMES = sorted({r.name for r in ATLAS} | {getattr(r, a) for r in ATLAS for a in ATTRIBUTES})
VALUE_TOKENS: tuple[str, ...] = (
    *(*COLOURS, *SHAPES, *INSTRUMENTS, *PLACES, *MELODIES, *MOTIONS, *_NAMES),
    *("huge", "tiny", "deep", "squeaky", "fast", "slow", "yes", "no", "flash"),
    *(value.capitalize() for value in (*COLOURS, *SHAPES, *INSTRUMENTS)),
    *(f"Audio {number}" for number in range(1, 5)),
    *(f"{tenths / 10:.1f}" for tenths in range(1, 41)),
)
"""Whatever can be found or looked up: each is one token."""
_VOCABULARY = 2048
_WIDTH = 128


def config(ids: Mapping[str, int], vocabulary: int) -> Any:
    """Return the configuration of a thinker with about 4.4 million parameters."""
    from transformers import Qwen2_5OmniThinkerConfig

    return Qwen2_5OmniThinkerConfig(
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": _WIDTH,
            "intermediate_size": 3 * _WIDTH,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 4096,
            "max_window_layers": 4,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [8, 4, 4],
            },
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        # A name that is looked up is said as it was read.
        tie_word_embeddings=True,
        vision_config={
            "hidden_size": 96,
            "out_hidden_size": _WIDTH,
            "depth": 3,
            "num_heads": 3,
            "intermediate_size": 256,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL_PATCH,
            # Within one step in time, then over all of them, then within one again.
            "window_size": FRAME_SIDE,
            "fullatt_block_indexes": [1],
        },
        audio_config={
            "d_model": 96,
            "encoder_layers": 3,
            "encoder_attention_heads": 3,
            "encoder_ffn_dim": 256,
            "num_mel_bins": 80,
            "output_dim": _WIDTH,
        },
        audio_token_index=ids["<|AUDIO|>"],
        audio_start_token_id=ids["<|audio_bos|>"],
        audio_end_token_id=ids["<|audio_eos|>"],
        image_token_index=ids["<|IMAGE|>"],
        video_token_index=ids["<|VIDEO|>"],
        vision_start_token_id=ids["<|vision_bos|>"],
        vision_end_token_id=ids["<|vision_eos|>"],
        user_token_id=ids["<|im_start|>"],
        # Half a second is one step in time of the picture and four sound tokens.
        position_id_per_seconds=8,
    )


def processor(texts: Iterable[str]) -> Any:
    """Return the processor, with a tokenizer trained on the texts."""
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2_5OmniProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        WhisperFeatureExtractor,
    )

    words = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(texts),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        extra_special_tokens=NAMED_TOKENS,
    )
    patches = {"patch_size": PATCH, "merge_size": MERGE, "temporal_patch_size": TEMPORAL_PATCH}
    area = {"shortest_edge": 28 * 28, "longest_edge": FRAME_SIDE**2}
    return Qwen2_5OmniProcessor(
        image_processor=Qwen2VLImageProcessor(**patches, size=area),
        video_processor=Qwen2VLVideoProcessor(**patches, size=area),
        feature_extractor=WhisperFeatureExtractor(
            feature_size=80,
            hop_length=SOUND_HOP,
            n_fft=800,
            chunk_length=_SOUND_SECONDS,
            return_attention_mask=True,
        ),
        tokenizer=words,
        chat_template=CHAT_TEMPLATE,
    )


def tokenizer(texts: Iterable[str]) -> Any:
    """Return a byte-level BPE whose tokens may span words.

    Sentences that every prompt has become a few tokens, so that prompts are short on a CPU. Words
    that carry a value are kept apart: a red circle must not be one token, or combinations that are
    held out could never be understood. A value is the same token after a space and without one,
    or the one could not be looked up by the other.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    values = [value for value in VALUE_TOKENS if value.islower() or value in _NAMES]
    words = "|".join(f"[{v[0].upper()}{v[0].lower()}]{v[1:]}" for v in values if v.isalpha())
    listed = (SHAPES, COLOURS, INSTRUMENTS, PLACES, MOTIONS)
    whole = (LEGEND, *(", ".join(names) for names in listed), "left, middle or right")
    whole += ("rising, falling or level", "from left to right or from top to bottom")
    whole += ("rising, falling, level, a hill (up, then down) or a valley (down, then up)",)
    fixed = "|".join(map(re.escape, whole)) + "|End with one line: Answer: <[^>]*>"
    pattern = Regex(
        rf"{fixed}|\n| -> |\b(?:{words})\b|\bAudio [1-4]\b|[0-9]\.[0-9]|10|[0-9]"
        r"|(?<=\n)[A-Z]\.|</?think>"
    )
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    # Every value is met often enough to become one token.
    common = VALUE_TOKENS * 2000
    bpe.train_from_iterator(
        itertools.chain(texts, common),
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY,
            min_frequency=8,
            special_tokens=list(SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return bpe
