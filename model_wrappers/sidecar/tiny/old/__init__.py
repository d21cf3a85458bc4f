"""Tiny random instances of the systems that run in the environment `old`."""

from __future__ import annotations
