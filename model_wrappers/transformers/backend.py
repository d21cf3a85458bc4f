"""Audio-visual models of the transformers library, run in this process.

Any model that `AutoModelForMultimodalLM` and `AutoProcessor` know. Sound is decoded here, because
processors that read it from the video file need a system FFmpeg; it goes in as the model was
trained: interleaved with the frames, or as blocks of its own.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from aurelia_plugin.calling.backend import Generation, Prompt, Reply, Usage, cut_at
from aurelia_plugin.errors import BackendError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.model_wrappers.batching import MicroBatcher
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared, prepare
from aurelia_plugin.model_wrappers.transformers.families import Family, family_of
from aurelia_plugin.model_wrappers.transformers.loading import (
    Loaded,
    find_revision,
    load,
    model_type,
)
from aurelia_plugin.model_wrappers.transformers.options import TransformersOptions

__all__ = ["OPTIONS", "TransformersBackend", "TransformersOptions", "open_backend"]

_DECODERS = 4
"""Clips decoded at once while the model runs; more would only hold memory."""


_SHORT_S = 30
"""Seconds up to which an extractor's own padding costs next to nothing, and is left as it is."""

_TIME_SCALE = ("position_id_per_seconds", "seconds_per_chunk")

OPTIONS = TransformersOptions


class _Job(NamedTuple):
    prepared: Prepared
    generation: Generation


class TransformersBackend:
    """One model, loaded on first use.

    Args:
        model: a hub id or a folder; weights and processor come from the same place.

    Raises:
        ConfigError: if the model cannot be found.
    """

    def __init__(self, model: str, options: TransformersOptions | None = None) -> None:
        self._model = model
        self.options = options or TransformersOptions()
        self._revision = find_revision(model, self.options)
        self._load_lock = threading.Lock()
        self._state: Loaded | None = None
        self._decoding = threading.BoundedSemaphore(_DECODERS)
        self._batcher: MicroBatcher[_Job, Reply] = MicroBatcher(
            self._answer_batch, self.options.batch_size, self._group
        )

    @functools.cached_property
    def identity(self) -> str:
        """Model, revision (or the folder's content) and the options that change replies."""
        facts = self.options.that_change_replies()
        if self.options.soundtrack is None and self._family_interleaves():
            # Traces that were made before soundtracks were interleaved are made anew.
            facts["soundtrack"] = "interleaved"
        return f"transformers:{self.name}@{self._revision}#{digest_of(facts)[:12]}"

    def _family_interleaves(self) -> bool:
        return family_of(model_type(self._model, self.options)).soundtrack == "interleaved"

    @property
    def name(self) -> str:
        """The hub id; of a folder its last part, since its place says nothing about the model."""
        path = Path(self._model).expanduser()
        return path.name if path.is_dir() else self._model

    @property
    def concurrency(self) -> int:
        """Two batches: one that runs and one that is being decoded."""
        return 2 * self.options.batch_size

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt.

        Raises:
            MediaError: if a medium cannot be decoded.
            BackendError: if the model cannot run on it.
        """
        prepared = await asyncio.to_thread(self._prepare, prompt)
        return await self._batcher(_Job(prepared, self._bounded(prompt.generation)))

    async def close(self) -> None:
        """Release the model."""
        self._state = None

    def next_token_logits(self, prompt: Prompt) -> npt.NDArray[np.float32]:
        """Return the logits of the first token of the reply: float32 [vocabulary].

        Raises:
            MediaError: if a medium cannot be decoded.
            BackendError: if the model cannot run on it.
        """
        import torch

        inputs = self.inputs([self._prepare(prompt)])
        with torch.inference_mode():
            logits = self.load().model(**inputs).logits[0, -1].float().cpu().numpy()
        return cast("npt.NDArray[np.float32]", logits)

    def _group(self, job: _Job) -> Hashable | None:
        """Greedy requests with equal settings run together; a sampled one alone, for its seed.

        Interleaving is asked for a whole batch, with one frame rate.
        """
        if job.generation.temperature > 0 or not self.load().family.batches:
            return None
        rates = tuple(job.prepared.video_rates) if job.prepared.interleaved else None
        return job.generation.digest(), rates

    def _bounded(self, generation: Generation) -> Generation:
        limit = self.options.max_new_tokens
        if limit is None or generation.max_new_tokens <= limit:
            return generation
        return Generation(**{**vars(generation), "max_new_tokens": limit})

    def _prepare(self, prompt: Prompt) -> Prepared:
        with self._decoding:
            loaded = self.load()
            return prepare(prompt, loaded.takes, system=loaded.family.system)

    def load(self) -> Loaded:
        """Return the model, its processor and what it takes; loads them on the first call."""
        with self._load_lock:
            if self._state is None:
                self._state = load(self._model, self.options)
            return self._state

    def inputs(self, prepared: Sequence[Prepared]) -> Any:
        """Return the model's inputs for a batch, on the model's device, padded on the left."""
        model, processor, _, family = self.load()
        interleaved = prepared[0].interleaved
        texts = [
            processor.apply_chat_template(
                item.conversation, tokenize=False, add_generation_prompt=True
            )
            for item in prepared
        ]
        videos = [video for item in prepared for video in item.videos]
        sounds = [sound for item in prepared for sound in item.sounds]
        images = [image for item in prepared for image in item.images]
        media: dict[str, Any] = {}
        if videos:
            media["videos"] = videos
            media["videos_kwargs"] = {"do_sample_frames": False, **self._video_size(family)}
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
        self._check_heard(processor, batch, prepared)
        if interleaved:
            batch["use_audio_in_video"] = True
        return batch.to(model.device, dtype=model.dtype)

    def _video_size(self, family: Family) -> dict[str, Any]:
        own = family.video_pixels or (None, None)
        low = self.options.min_pixels or own[0]
        high = self.options.max_pixels or own[1]
        if low is None and high is None:
            return {}
        return {"size": {"shortest_edge": low or 1, "longest_edge": high or low}}

    def _check_heard(self, processor: Any, batch: Any, prepared: Sequence[Prepared]) -> None:
        """Make sure that every sound handed over has left tokens in its prompt."""
        token = getattr(processor, "audio_token_id", None)
        if token is None:
            return
        for row, item in zip(batch["input_ids"], prepared, strict=True):
            if item.sounds and int((row == token).sum()) < len(item.sounds):
                raise BackendError(
                    self.identity,
                    f"{len(item.sounds)} sounds were handed over, and the prompt has fewer sound "
                    "tokens than that: the chat template drops them.",
                    "Use a processor whose chat template has audio blocks.",
                )

    def _answer_batch(self, jobs: Sequence[_Job]) -> list[Reply]:
        import torch

        model, processor, _, family = self.load()
        generation = jobs[0].generation
        inputs = self.inputs([job.prepared for job in jobs])
        sampled = generation.temperature > 0
        with torch.inference_mode(), torch.random.fork_rng(enabled=sampled):
            if sampled:
                torch.manual_seed(generation.seed)
            output = model.generate(**inputs, **family.generation, **_decoding(generation))
        if not model.config.is_encoder_decoder:
            output = output[:, inputs["input_ids"].shape[1] :]
        texts = processor.batch_decode(output, skip_special_tokens=True)
        fill = processor.tokenizer.pad_token_id
        return [
            Reply(
                text=cut_at(text, job.generation.until).strip(),
                usage=Usage(
                    input_tokens=int(mask.sum()), output_tokens=int((tokens != fill).sum())
                ),
                evidence=job.prepared.evidence,
                model=self.name,
            )
            for text, tokens, mask, job in zip(
                texts, output, inputs["attention_mask"], jobs, strict=True
            )
        ]


def _decoding(generation: Generation) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "max_new_tokens": generation.max_new_tokens,
        "num_beams": generation.num_beams,
        "do_sample": generation.temperature > 0,
    }
    if generation.temperature > 0:
        settings["temperature"] = generation.temperature
        for name in ("top_p", "top_k"):
            if getattr(generation, name) is not None:
                settings[name] = getattr(generation, name)
    return settings


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


def open_backend(model: str, options: TransformersOptions) -> TransformersBackend:
    """Return the backend of `transformers:MODEL`."""
    return TransformersBackend(model, options)
