"""One module for each system. See docs/sidecars.md."""

from __future__ import annotations
