"""The embedded models: tiny Qwen2.5-Omni thinkers that run the whole real path on a CPU."""

from __future__ import annotations

__all__: list[str] = []
