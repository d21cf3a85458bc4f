"""Sound: its channels as one, and its frames on the timeline."""

from __future__ import annotations

__all__: list[str] = []
