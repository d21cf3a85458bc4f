"""Remarks of the transformers library that say nothing to whoever runs an evaluation."""

from __future__ import annotations

import logging
from typing import Final

__all__ = ["quiet"]

_LOGGERS: Final = tuple(
    f"transformers.models.{name}.video_processing_{name}" for name in ("qwen2_vl", "qwen3_vl")
)
_IDLE: Final = ("does not apply the per-frame pixel cap",)
"""How large frames are is set here by `max_pixels`, and recorded."""


def quiet() -> None:
    """Keep these remarks out of the log; every other warning stays."""
    for name in _LOGGERS:
        log = logging.getLogger(name)
        if not any(isinstance(one, _Idle) for one in log.filters):
            log.addFilter(_Idle())


class _Idle(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not any(words in record.getMessage() for words in _IDLE)
