"""Runs handed in by many people, and the board that is made of them."""

from __future__ import annotations

__all__: list[str] = []
