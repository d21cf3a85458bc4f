"""What adapters are written with. Importing it needs the standard library of Python 3.8 alone."""

from __future__ import annotations

from aurelia_plugin.model_wrappers.sidecar.kit.forms import (
    Answer,
    Block,
    Generation,
    Image,
    MediaError,
    Options,
    RequestError,
    Sound,
    System,
    Text,
    Used,
    Video,
)
from aurelia_plugin.model_wrappers.sidecar.kit.text import (
    TAG,
    conversation,
    fitted,
    placed,
    spliced,
    turns,
)

__all__ = [
    "TAG",
    "Answer",
    "Block",
    "Generation",
    "Image",
    "MediaError",
    "Options",
    "RequestError",
    "Sound",
    "System",
    "Text",
    "Used",
    "Video",
    "conversation",
    "fitted",
    "placed",
    "spliced",
    "turns",
]
