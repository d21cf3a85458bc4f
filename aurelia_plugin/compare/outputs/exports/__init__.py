"""Results and questions in the forms of others."""

from __future__ import annotations

__all__: list[str] = []
