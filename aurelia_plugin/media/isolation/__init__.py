"""Decoding in processes of their own, so that a decoder's fault costs one file and no run."""

from __future__ import annotations

__all__: list[str] = []
