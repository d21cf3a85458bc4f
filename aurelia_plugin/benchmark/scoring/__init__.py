"""Reading replies and scoring them."""

from __future__ import annotations

__all__: list[str] = []
