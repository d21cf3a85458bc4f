"""The processes of one run: which this one is, and joining lists over all of them."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["gather_lists", "is_distributed"]


def is_distributed() -> bool:
    """Whether this run was started with several processes (Accelerate or torchrun)."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def gather_lists(items: list[object]) -> list[Any]:
    """Return the concatenation of all processes' lists, in the order of their ranks.

    Every process of the run has to call this at the same point.
    """
    if not is_distributed():
        return items
    import torch.distributed as dist

    parts: list[list[Any]] = [[] for _ in range(dist.get_world_size())]
    dist.all_gather_object(parts, items)
    return [item for part in parts for item in part]
