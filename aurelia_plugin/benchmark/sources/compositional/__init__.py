"""The column of made clips: events joined in turn or side by side, and exchanged soundtracks."""

from __future__ import annotations

__all__: list[str] = []
