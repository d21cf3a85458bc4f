"""vLLM, started and ended by the run that needs it."""

from __future__ import annotations

__all__: list[str] = []
