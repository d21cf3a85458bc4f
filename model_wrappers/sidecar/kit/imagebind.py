"""What the systems share that see and hear through ImageBind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List

from aurelia_plugin.model_wrappers.sidecar.kit.forms import Used
from aurelia_plugin.model_wrappers.sidecar.kit.repairs import (
    load_sound_without_torchcodec,
    pytorchvideo_that_imports,
    run_on_cpu,
)
from aurelia_plugin.model_wrappers.sidecar.kit.shims import import_from, stub_after
from aurelia_plugin.model_wrappers.sidecar.kit.watching import Call

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["frames_in", "hear_excerpts", "prepare", "prepare_header", "senses"]

_EXCERPT = 2.0  # seconds
_CROPS = 3  # of every frame of a video, side by side
_NEGLIGIBLE = 0.5  # seconds by which a soundtrack may outlast its picture


def prepare(device: str) -> None:
    """Make upstream's ImageBind importable and its loaders usable."""
    if device == "cpu":
        run_on_cpu()
    pytorchvideo_that_imports()
    load_sound_without_torchcodec()


def prepare_header(folder: str, device: str) -> None:
    """Make PandaGPT's code and what was made from it importable.

    Every module there begins with `from header import *`, which imports much that inference
    does not use.

    Args:
        folder: the one with `header.py` and `model`.
        device: where the system is to run.
    """
    prepare(device)
    import_from(folder)
    first = ["transformers.deepspeed", "transformers.generation.utils", "peft"]
    stub_after([*first, "transformers.models.llama.modeling_llama"], ["deepspeed", "ipdb", "data"])


def senses(noted: List[Call]) -> Dict[str, Tensor]:
    """Return what ImageBind was given, by sense (`vision`, `audio`), out of its noted calls."""
    return {sense: given for call in noted for sense, given in call.given.items()}


def frames_in(video: Tensor) -> int:
    """Return how many frames an ImageBind video holds.

    Args:
        video: a tensor [1, excerpts x crops, channels, frames, height, width].
    """
    return int(video.shape[1] // _CROPS * video.shape[3])


def hear_excerpts(used: Used, seconds: float, what: str, count: int = 3) -> None:
    """Count the sound that ImageBind hears: excerpts of 2 s at equal distances from the beginning.

    Args:
        used: gets `clips`, `sound_seconds` and what is not heard.
        seconds: the whole sound's length.
        what: `sound` or `soundtrack`.
        count: how many excerpts.
    """
    step = max(seconds - _EXCERPT, 0.0) / count
    heard = min(seconds, _EXCERPT + (count - 1) * min(step, _EXCERPT))
    used.hear(round(heard, 3))
    if heard < seconds - _NEGLIGIBLE:
        used.drop(f"{what} outside the excerpts", "not heard")
