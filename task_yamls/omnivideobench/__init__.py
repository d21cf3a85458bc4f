"""OmniVideoBench as lmms-eval tasks."""

from __future__ import annotations

__all__: list[str] = []
