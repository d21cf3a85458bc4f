"""What answers prompts: the lmms-eval model, the catalogue of targets, and the backends."""

from __future__ import annotations

__all__: list[str] = []
