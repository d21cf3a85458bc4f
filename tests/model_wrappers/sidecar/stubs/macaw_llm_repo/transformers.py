"""Stands in for the parts of the real library that Macaw-LLM's parts come from."""

from types import SimpleNamespace

import torch
from modeling import Tokenizer as LlamaTokenizer

__all__ = ["CLIPImageProcessor", "LlamaTokenizer", "WhisperFeatureExtractor"]


class CLIPImageProcessor:
    def __call__(self, pictures, return_tensors):
        count = len(pictures) if isinstance(pictures, list) else 1
        return SimpleNamespace(pixel_values=torch.zeros(count, 3, 8, 8))


class WhisperFeatureExtractor:
    def __call__(self, sound, sampling_rate, return_tensors):
        assert sampling_rate == 16000
        return SimpleNamespace(input_features=torch.zeros(1, 80, 3000))
