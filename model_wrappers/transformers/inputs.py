"""From decoded prompts to what a model of the transformers library takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aurelia_plugin.errors import BackendError
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared
from aurelia_plugin.model_wrappers.transformers.families import Family
from aurelia_plugin.model_wrappers.transformers.loading import Loaded
from aurelia_plugin.model_wrappers.transformers.options import TransformersOptions

__all__ = ["model_inputs"]

_SHORT_S = 30
"""Seconds up to which an extractor's own padding costs next to nothing, and is left as it is."""

_TIME_SCALE = ("position_id_per_seconds", "seconds_per_chunk")


def model_inputs(
    loaded: Loaded, options: TransformersOptions, prepared: Sequence[Prepared], identity: str
) -> Any:
    """Return a model's inputs for a batch, on the model's device, padded on the left.

    Args:
        loaded: the model and its processor.
        options: of the backend.
        prepared: the prompts.
        identity: the backend's, for messages.

    Raises:
        BackendError: a sound that was handed over is not in its prompt.
    """
    model, processor, _, family = loaded
    interleaved = prepared[0].interleaved
    texts = [
        processor.apply_chat_template(item.conversation, tokenize=False, add_generation_prompt=True)
        for item in prepared
    ]
    videos = [video for item in prepared for video in item.videos]
    sounds = [sound for item in prepared for sound in item.sounds]
    images = [image for item in prepared for image in item.images]
    media: dict[str, Any] = {}
    if videos:
        media["videos"] = videos
        media["videos_kwargs"] = {"do_sample_frames": False, **_video_size(options, family)}
        if family.timestamps:
            media["video_metadata"] = [
                _metadata(times) for item in prepared for times in item.video_times
            ]
    if sounds:
        media[family.sound_argument] = sounds
        media["audio_kwargs"] = {**family.sound_options}
        if family.pads_sound and processor.feature_extractor.chunk_length > _SHORT_S:
            media["audio_kwargs"]["max_length"] = _padded(processor.feature_extractor, sounds)
    if interleaved:
        media |= _interleaving(model.config, len(videos))
        media["videos_kwargs"]["fps"] = prepared[0].video_rates[0]
    if images:
        media["images"] = images
    batch = processor(text=texts, return_tensors="pt", padding=True, **media)
    if "video_second_per_grid" in batch:
        # The processor takes one frame rate for all videos; each was sampled at its own.
        step = getattr(processor.video_processor, "temporal_patch_size", 1)
        rates = [rate for item in prepared for rate in item.video_rates]
        batch["video_second_per_grid"] = batch["video_second_per_grid"].new_tensor(
            [step / rate for rate in rates]
        )
    _check_heard(processor, batch, prepared, identity)
    if interleaved:
        batch["use_audio_in_video"] = True
    return batch.to(model.device, dtype=model.dtype)


def _video_size(options: TransformersOptions, family: Family) -> dict[str, Any]:
    own = family.video_pixels or (None, None)
    low = options.min_pixels or own[0]
    high = options.max_pixels or own[1]
    if low is None and high is None:
        return {}
    return {"size": {"shortest_edge": low or 1, "longest_edge": high or low}}


def _check_heard(processor: Any, batch: Any, prepared: Sequence[Prepared], identity: str) -> None:
    """Make sure that every sound handed over has left tokens in its prompt."""
    token = getattr(processor, "audio_token_id", None)
    if token is None:
        return
    for row, item in zip(batch["input_ids"], prepared, strict=True):
        if item.sounds and int((row == token).sum()) < len(item.sounds):
            raise BackendError(
                identity,
                f"{len(item.sounds)} sounds were handed over, and the prompt has fewer sound "
                "tokens than that: the chat template drops them.",
                "Use a processor whose chat template has audio blocks.",
            )


def _interleaving(config: Any, videos: int) -> dict[str, Any]:
    """Return the processor's arguments: each sound is its video's, on the model's time scale."""
    scale = {name: getattr(config, name, None) for name in _TIME_SCALE}
    return {
        "load_audio_from_video": True,
        "audio_from_video_indices": list(range(videos)),
        **{name: float(value) for name, value in scale.items() if value is not None},
    }


def _padded(extractor: Any, sounds: Sequence[npt.NDArray[np.float32]]) -> int:
    """Return the samples to which the sounds of a batch are padded.

    The longest one's own length, and silence for one window more, so that no frame of it differs
    from that of a sound padded to the longest that the extractor takes.
    """
    longest = max(len(sound) for sound in sounds)
    whole = -(-(longest + extractor.n_fft) // extractor.hop_length) * extractor.hop_length
    return int(min(whole, extractor.n_samples))


def _metadata(times: Sequence[float]) -> dict[str, Any]:
    """Describe sampled frames by their times, in milliseconds as if there were 1000 a second."""
    indices = [round(time * 1000) for time in times]
    return {"total_num_frames": len(times), "fps": 1000.0, "frames_indices": indices}
