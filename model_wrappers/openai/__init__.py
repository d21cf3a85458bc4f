"""Services and servers that speak OpenAI's chat completions."""

from __future__ import annotations

__all__: list[str] = []
