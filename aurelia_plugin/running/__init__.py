"""A run: conditions, media modes, agents, and the path of each question."""

from __future__ import annotations

__all__: list[str] = []
