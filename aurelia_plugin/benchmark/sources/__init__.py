"""Readers of the public data sets that `avreasonbench_public` is rebuilt from.

Each reads annotation files as they are published and gives drafts of items; media come later.
"""

from __future__ import annotations

from aurelia_plugin.benchmark.sources.catalogue import SOURCES, PublicSource
from aurelia_plugin.benchmark.sources.draft import Draft, Pool, Reading

__all__ = ["SOURCES", "Draft", "Pool", "PublicSource", "Reading"]
