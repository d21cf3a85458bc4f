"""A class of the user's own as a backend."""

from __future__ import annotations

__all__: list[str] = []
