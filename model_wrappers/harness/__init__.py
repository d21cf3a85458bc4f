"""All that knows lmms-eval's requests, tasks and processes."""

from __future__ import annotations

__all__: list[str] = []
