"""The method: roles, prompts, the loop, its trace, and the arms of a comparison."""

from __future__ import annotations

__all__: list[str] = []
