"""Other people's boards as tasks: their rows, their media, their scoring."""

from __future__ import annotations

__all__: list[str] = []
