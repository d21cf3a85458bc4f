"""How the embedded model is trained: texts, clips, packing."""

from __future__ import annotations

__all__: list[str] = []
