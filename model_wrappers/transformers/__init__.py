"""Audio-visual models of the transformers library, run in this process."""

from __future__ import annotations

__all__: list[str] = []
