"""Whether an adapter tells of every medium what became of it."""

from __future__ import annotations

from typing import Sequence

from aurelia_plugin.model_wrappers.sidecar.kit.forms import Block, Used

__all__ = ["unaccounted"]


def unaccounted(blocks: Sequence[Block], used: Used) -> str:
    """Return which media an adapter neither used nor declared as left out; "" if none."""
    kinds = [type(block).__name__ for block in blocks]
    sounds = kinds.count("Sound") + sum(bool(getattr(block, "sound", None)) for block in blocks)
    entries = [entry.split(":")[0].split()[0] for entry in used.dropped if entry.strip()]
    unheard = sounds - used.clips - entries.count("sound") - entries.count("soundtrack")
    if unheard > 0:
        return f"{unheard} of {sounds} sounds are neither in the prompt nor declared as left out"
    if used.clips and not (used.sound_seconds > 0 and used.sound_tokens > 0):
        return f"{used.clips} sounds are said to be in the prompt, but no sound token was counted"
    if "Video" in kinds and not used.frames and "video" not in entries:
        return "a video is neither in the prompt nor declared as left out"
    unseen = kinds.count("Image") - used.images - entries.count("image")
    return (
        f"{unseen} images are neither in the prompt nor declared as left out" if unseen > 0 else ""
    )
