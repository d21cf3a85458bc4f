"""Finding and loading a model of the transformers library, and what its processor takes."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of_path
from aurelia_plugin.model_wrappers.capabilities import Capabilities, VideoInput
from aurelia_plugin.model_wrappers.transformers.families import Family, family_of
from aurelia_plugin.model_wrappers.transformers.options import TransformersOptions
from aurelia_plugin.model_wrappers.transformers.quiet import quiet

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, ProcessorMixin

__all__ = ["Loaded", "find_revision", "load", "model_type", "on_gpu", "taken_by"]


class Loaded(NamedTuple):
    """A model in memory.

    Attributes:
        model: in evaluation mode, on its device.
        processor: from the same place as the weights.
        takes: what it takes of a clip.
        family: the facts about its kind.
    """

    model: PreTrainedModel
    processor: ProcessorMixin
    takes: Capabilities
    family: Family


def find_revision(model: str, options: TransformersOptions) -> str:
    """Return the commit of a hub id or the digest of a folder, after checking that it is there.

    Raises:
        ConfigError: if the model cannot be found.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return digest_of_path(path)[:12]
    try:
        config = _config(model, options)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"transformers:{model}: {str(error).splitlines()[0]}",
            "Name a model id of the hub, or a folder with config.json and weights; offline, "
            "download it first with `hf download`.",
        ) from error
    return getattr(config, "_commit_hash", None) or options.revision or "unversioned"


def model_type(model: str, options: TransformersOptions) -> str:
    """Return the type that a model's configuration names, "" where there is none."""
    try:
        return str(_config(model, options).model_type)
    except (OSError, ValueError):
        return ""


def on_gpu(options: TransformersOptions) -> bool:
    """Tell whether a model with these options runs on a GPU of this machine."""
    import torch

    return torch.cuda.is_available() and not (options.device or "").startswith("cpu")


def load(model: str, options: TransformersOptions) -> Loaded:
    """Load a model and its processor, both from the same place.

    Of a family that also speaks, only the part that writes text is loaded.

    Raises:
        ConfigError: if this version of the library cannot load it.
    """
    import transformers

    quiet()
    how = {
        "dtype": options.dtype,
        "device_map": options.device_map,
        "attn_implementation": options.attn_implementation,
    }
    try:
        config = _config(model, options)
        family = family_of(config.model_type)
        loader = transformers.AutoModelForMultimodalLM
        if family.loads and family.config:
            loader = getattr(transformers, family.loads)
            how["config"] = getattr(config, family.config)
        processor = transformers.AutoProcessor.from_pretrained(model, **_place(options))
        if getattr(processor, "chat_template", None) is None:  # some keep it in the tokenizer
            processor.chat_template = processor.tokenizer.chat_template
        takes = taken_by(model, processor, family, options)
        loaded = loader.from_pretrained(
            model, **_place(options), **{key: value for key, value in how.items() if value}
        )
    except (OSError, ValueError, ImportError, AttributeError) as error:
        raise ConfigError(
            f"transformers:{model} cannot be loaded: {error}",
            "Check the model id, its revision, and that this transformers version knows it.",
        ) from error
    if options.device_map is None:
        loaded.to(options.device or _own_device())
    return Loaded(loaded.eval(), processor, takes, family)


def _place(options: TransformersOptions) -> dict[str, object]:
    return {"revision": options.revision, "trust_remote_code": options.trust_remote_code}


def _config(model: str, options: TransformersOptions) -> PretrainedConfig:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(model, **_place(options))


def taken_by(
    model: str, processor: ProcessorMixin, family: Family, options: TransformersOptions
) -> Capabilities:
    """Return what the processor takes, as family and options have it.

    Raises:
        ConfigError: if soundtracks are to be interleaved and the processor cannot do that.
    """
    sound = getattr(processor, family.sound_part, None)
    rate = None
    if sound is not None:
        rate = family.sound_rate or getattr(sound, "sampling_rate", None)
    longest = getattr(sound, "n_samples", None)
    own_seconds = longest / rate if longest and rate else None
    images = getattr(processor, "image_processor", None) is not None
    has_video = getattr(processor, "video_processor", None) is not None
    as_images: VideoInput = "images" if images else "none"
    video: VideoInput = "frames" if has_video and not family.frames_as_images else as_images
    soundtrack = options.soundtrack or family.soundtrack
    if soundtrack == "interleaved" and not (family.interleaves and _takes_arrays(processor)):
        raise ConfigError(
            f"transformers:{model}: soundtrack=interleaved cannot be had from its processor "
            f"({type(processor).__name__}).",
            "Set soundtrack=after; Qwen2.5-Omni and Qwen3-Omni interleave, with transformers 5.24 "
            "or later.",
        )
    return Capabilities(
        video=video,
        images=images,
        soundtrack="none" if rate is None else soundtrack,
        sounds=0 if rate is None else None,
        sound_rate=rate or 16_000,
        sound_seconds=family.sound_seconds or own_seconds,
        max_frames=options.max_frames,
        fps=options.fps,
        longest_side=options.longest_side,
        min_pixels=options.min_pixels,
        max_pixels=options.max_pixels,
    )


def _takes_arrays(processor: ProcessorMixin) -> bool:
    """Whether this version of the library interleaves sound that was decoded before."""
    calls = (vars(kind).get("__call__") for kind in type(processor).__mro__)
    return any(
        "audio_from_video_indices" in inspect.signature(call).parameters for call in calls if call
    )


def _own_device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    return "cpu"
