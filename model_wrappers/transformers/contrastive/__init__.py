"""Contrastive decoding with models of the transformers library."""

from __future__ import annotations

__all__: list[str] = []
