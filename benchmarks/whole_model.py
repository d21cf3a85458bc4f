"""Packaged models in the form of published weights, and the harness's requests to them.

Nothing of this package is imported: any tree of it can be measured with these.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import transformers
from lmms_eval.api.instance import Instance
from safetensors.torch import load_file, save_file

__all__ = ["instances", "whole_model"]


def whole_model(source: Path, into: Path, seconds: int) -> Path:
    """Write a packaged thinker as the whole Qwen2.5-Omni that published weights are.

    Args:
        source: the thinker's folder.
        into: where to.
        seconds: the longest sound of its feature extractor, to which each one is padded.
    """
    into.mkdir()
    thinker = transformers.AutoConfig.from_pretrained(source)
    config = transformers.Qwen2_5OmniConfig(
        thinker_config=thinker.to_dict(), enable_audio_output=False
    )
    config.architectures = ["Qwen2_5OmniForConditionalGeneration"]
    config.save_pretrained(into)
    weights = load_file(source / "model.safetensors")
    named = {f"thinker.{name}": value.contiguous() for name, value in weights.items()}
    save_file(named, into / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(source / "generation_config.json", into)
    processor = transformers.AutoProcessor.from_pretrained(source)
    own = processor.feature_extractor
    processor.feature_extractor = type(own)(
        feature_size=own.feature_size, chunk_length=seconds, return_attention_mask=True
    )
    processor.save_pretrained(into)
    return into


def instances(rows: list[dict[str, Any]], tokens: int, *, sounds: bool) -> list[Instance]:
    """Return the harness's requests for rows with `video` and `question`.

    Args:
        rows: the documents.
        tokens: of a reply at most.
        sounds: whether a video's sound is given as a block of its own beside it.
    """

    def messages(row: dict[str, Any]) -> list[dict[str, Any]]:
        content = [{"type": "video", "url": row["video"]}]
        if sounds:
            content.append({"type": "audio", "url": row["video"]})
        return [{"role": "user", "content": [*content, {"type": "text", "text": row["question"]}]}]

    settings = {"max_new_tokens": tokens, "until": []}
    return [
        Instance(
            "generate_until",
            (row["question"], messages, settings, index, "engines", "test"),
            0,
            {"task": "engines", "doc_id": index, "repeats": 1},
        )
        for index, row in enumerate(rows)
    ]
