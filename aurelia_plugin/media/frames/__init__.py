"""Frames as a stream: where they come from, and how alike they are."""

from __future__ import annotations

__all__: list[str] = []
