"""Media containers: their streams, their timelines, what they hold."""

from __future__ import annotations

__all__: list[str] = []
