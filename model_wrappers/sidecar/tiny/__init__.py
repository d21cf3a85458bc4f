"""Tiny random instances of systems, for tests and `aurelia sidecar check --tiny`."""

from __future__ import annotations
