"""A prompt's media in the forms that backends take: arrays, encoded bytes, files."""

from __future__ import annotations

__all__: list[str] = []
