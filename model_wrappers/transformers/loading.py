"""Finding and loading a model of the transformers library, and what its processor takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of_path
from aurelia_plugin.model_wrappers.delivery.arrays import Intake
from aurelia_plugin.model_wrappers.transformers.families import Family, family_of
from aurelia_plugin.model_wrappers.transformers.options import TransformersOptions

__all__ = ["Loaded", "find_revision", "load"]


class Loaded(NamedTuple):
    """A model in memory.

    Attributes:
        model: in evaluation mode, on its device.
        processor: from the same place as the weights.
        intake: what it takes.
        family: the facts about its kind.
    """

    model: Any
    processor: Any
    intake: Intake
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


def load(model: str, options: TransformersOptions) -> Loaded:
    """Load a model and its processor, both from the same place.

    Of a family that also speaks, only the part that writes text is loaded.

    Raises:
        ConfigError: if this version of the library cannot load it.
    """
    import transformers

    how = {
        "dtype": options.dtype,
        "device_map": options.device_map,
        "attn_implementation": options.attn_implementation,
    }
    try:
        config = _config(model, options)
        family = family_of(config.model_type)
        loader: Any = transformers.AutoModelForMultimodalLM
        if family.loads and family.config:
            loader = getattr(transformers, family.loads)
            how["config"] = getattr(config, family.config)
        processor = transformers.AutoProcessor.from_pretrained(model, **_place(options))
        if getattr(processor, "chat_template", None) is None:  # some keep it in the tokenizer
            processor.chat_template = processor.tokenizer.chat_template
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
    return Loaded(loaded.eval(), processor, _intake(processor, family, options), family)


def _place(options: TransformersOptions) -> dict[str, Any]:
    return {"revision": options.revision, "trust_remote_code": options.trust_remote_code}


def _config(model: str, options: TransformersOptions) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(model, **_place(options))


def _intake(processor: Any, family: Family, options: TransformersOptions) -> Intake:
    ears = getattr(processor, family.ears, None)
    rate = None
    if ears is not None:
        rate = family.sound_rate or getattr(ears, "sampling_rate", None)
    longest = getattr(ears, "n_samples", None)
    own_seconds = longest / rate if longest and rate else None
    has_video = getattr(processor, "video_processor", None) is not None
    return Intake(
        video=has_video and not family.frames_as_images,
        images=getattr(processor, "image_processor", None) is not None,
        sound_rate=rate,
        sound_seconds=family.sound_seconds or own_seconds,
        frames=options.max_frames,
        longest_side=options.longest_side,
        fps=options.fps,
        sound_first=family.soundtrack == "before",
        system=family.system,
    )


def _own_device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    return "cpu"
