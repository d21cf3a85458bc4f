"""Reasoning steps for a manifest's items, made by agents and fit to be published."""

from __future__ import annotations

__all__: list[str] = []
