"""The page: a static folder that is opened from disk, works offline, and asks no server."""

from __future__ import annotations

from aurelia_plugin.compare.outputs.page.writing import write_page

__all__ = ["write_page"]
