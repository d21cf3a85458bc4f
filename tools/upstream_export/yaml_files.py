"""What the task files of all contributions share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

__all__ = ["BY_VIDEO", "GENERATION", "read_yaml"]

GENERATION = """\
generation_kwargs:
  max_new_tokens: {tokens}
  do_sample: false
  temperature: 0
  until: []
reasoning_tags:
  - ["<think>", "</think>"]
score_key: score
cluster_key: video
"""
"""How answers are made and what the harness reads of results."""

BY_VIDEO = """\
metric_list:
  - metric: score
    aggregation: mean
    higher_is_better: true
  - metric: accuracy
    aggregation: mean
    higher_is_better: true
  - metric: unparsed
    aggregation: mean
    higher_is_better: false
  - metric: by_video
    aggregation: !function utils.mean_by_video
    higher_is_better: true
"""


class _Loader(yaml.SafeLoader):
    """Reads the harness's YAML files; a `!function` is kept as its name."""


_Loader.add_constructor("!function", lambda loader, node: str(node.value))


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the content of one of the harness's YAML files."""
    content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    assert isinstance(content, dict)
    return content
