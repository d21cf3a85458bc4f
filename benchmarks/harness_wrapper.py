"""lmms-eval's own wrapper of Qwen2.5-Omni, on a model that is in a folder of this machine.

The wrapper is the harness's code. Replaced are what it imports and does not use here (librosa,
moviepy), its reader of media, so that both ways get the same frames and sound, what it fetches
from a hub, and the whole model's `generate`: of transformers 5.24 it fails without a speech
generator, and does not heed the wrapper's limit on a reply's length.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import transformers

from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.video import uniform_frames

__all__ = ["harness_model"]


def harness_model(folder: Path, frames: int, rows: list[dict[str, Any]]) -> Any:
    """Return the wrapper on a whole Qwen2.5-Omni, given `frames` frames of each video."""

    def process_mm_info(messages: list[dict[str, Any]], use_audio_in_video: bool) -> Any:
        if use_audio_in_video:
            raise SystemExit("lmms-eval interleaves sound now: compare soundtrack=interleaved.")
        blocks = [block for message in messages for block in message["content"]]
        sounds = [
            waveform(Media.file("audio", block["audio"])).samples  # type: ignore[union-attr]
            for block in blocks
            if block["type"] == "audio"
        ]
        videos = [
            uniform_frames(Media.file("video", block["video"]), frames).pixels
            for block in blocks
            if block["type"] == "video"
        ]
        return sounds or None, None, videos or None

    replaced: dict[str, dict[str, Any]] = {
        "librosa": {"resample": None},
        "moviepy": {"VideoFileClip": object},
        "qwen_omni_utils": {"process_mm_info": process_mm_info},
    }
    for name, attributes in replaced.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        sys.modules[name] = module
    torch.save({}, folder / "spk_dict.pt")  # the whole model wants its voices, even if it has none
    own = transformers.Qwen2_5OmniProcessor.from_pretrained(folder)
    transformers.Qwen2_5OmniProcessor.from_pretrained = lambda *_, **__: own
    transformers.Qwen2_5OmniForConditionalGeneration.disable_talker = lambda self: None
    from lmms_eval.models.chat.qwen2_5_omni import Qwen2_5_Omni

    model = Qwen2_5_Omni(pretrained=str(folder), device="cpu")
    whole = model.model

    def generate(**named: Any) -> Any:
        """What the wrapper means: a reply of the thinker, as long as it says."""
        of_speech = {"return_audio", "thinker_do_sample"}
        return whole.thinker.generate(**{k: v for k, v in named.items() if k not in of_speech})

    whole.generate = generate
    model.device_map = "cpu"  # it knows `auto`, which means CUDA, or CUDA
    model.task_dict["engines"] = {"test": rows}
    return model
