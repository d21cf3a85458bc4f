"""Adapters of the systems that run in the environment `lavis`."""

from __future__ import annotations
