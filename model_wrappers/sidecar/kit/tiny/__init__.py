"""Small parts for tiny random instances: nothing is downloaded, nothing is trained."""

from __future__ import annotations

from aurelia_plugin.model_wrappers.sidecar.kit.tiny.encoders import (
    beats,
    beats_checkpoint,
    bert,
    eva,
    imagebind,
    narrow,
    resized,
    siglip,
    whisper,
)
from aurelia_plugin.model_wrappers.sidecar.kit.tiny.language import WIDE, llama
from aurelia_plugin.model_wrappers.sidecar.kit.tiny.tokenizers import (
    byte_letters,
    byte_tokenizer,
    sentencepiece_model,
    word_tokenizer,
)

__all__ = [
    "WIDE",
    "beats",
    "beats_checkpoint",
    "bert",
    "byte_letters",
    "byte_tokenizer",
    "eva",
    "imagebind",
    "llama",
    "narrow",
    "resized",
    "sentencepiece_model",
    "siglip",
    "whisper",
    "word_tokenizer",
]
