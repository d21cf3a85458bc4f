"""A run, as `--model_args` describe it."""

from __future__ import annotations

__all__: list[str] = []
