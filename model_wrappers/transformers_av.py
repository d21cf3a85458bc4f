"""Audio-visual models of the transformers library, run in this process.

Any model that `AutoModelForMultimodalLM` and `AutoProcessor` know. Sound goes in as blocks of its
own, decoded here, because processors that read it from the video file need a system FFmpeg and
are often told not to.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from aurelia_plugin.backend import Generation, Prompt, Reply, Usage, cut_at
from aurelia_plugin.digests import digest_of, digest_of_path
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.model_wrappers.batching import MicroBatcher
from aurelia_plugin.model_wrappers.evidence import Intake, Prepared, prepare
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = ["OPTIONS", "TransformersBackend", "TransformersOptions", "open_backend"]

_DECODERS = 4
"""Clips decoded at once while the model runs; more would only hold memory."""


class TransformersOptions(BackendOptions):
    """Options of `transformers:MODEL`."""

    dtype: str = "auto"
    """Weights' data type: auto, float32, bfloat16, float16."""
    device: str | None = None
    """Where the model runs; by default the process's own GPU, else the CPU."""
    device_map: str | None = None
    """Spreads a large model over devices, for example `auto`."""
    attn_implementation: str | None = None
    """For example `sdpa` or `flash_attention_2`."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    trust_remote_code: bool = False
    """Whether code that comes with the weights may run."""
    max_frames: int = Field(16, ge=1)
    """Frames of a video, sampled uniformly."""
    longest_side: int | None = Field(None, ge=14)
    """Pixels to which frames and images are reduced before the processor."""
    min_pixels: int | None = Field(None, ge=1)
    """Pixels of one video frame at least, for processors that resize by area."""
    max_pixels: int | None = Field(None, ge=1)
    """Pixels of one video frame at most, for processors that resize by area."""
    max_new_tokens: int | None = Field(None, ge=1)
    """Upper bound on every reply, whatever the task or role asks for."""
    batch_size: int = Field(1, ge=1)
    """Requests that run together."""

    def that_change_replies(self) -> dict[str, Any]:
        """Return the options that are part of the backend's identity."""
        return self.model_dump(
            exclude={"device", "device_map", "batch_size", "trust_remote_code"}, exclude_none=True
        )


OPTIONS = TransformersOptions


class _Loaded(NamedTuple):
    model: Any
    processor: Any
    intake: Intake


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
        self._revision = self._find()
        self._load_lock = threading.Lock()
        self._state: _Loaded | None = None
        self._decoding = threading.BoundedSemaphore(_DECODERS)
        self._batcher: MicroBatcher[_Job, Reply] = MicroBatcher(
            self._answer_batch, self.options.batch_size, _group
        )

    @functools.cached_property
    def identity(self) -> str:
        """Model, revision (or the folder's content) and the options that change replies."""
        options = digest_of(self.options.that_change_replies())[:12]
        return f"transformers:{self.name}@{self._revision}#{options}"

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

    def _bounded(self, generation: Generation) -> Generation:
        limit = self.options.max_new_tokens
        if limit is None or generation.max_new_tokens <= limit:
            return generation
        return Generation(**{**vars(generation), "max_new_tokens": limit})

    def _find(self) -> str:
        """Return the revision, after checking that the model is there."""
        path = Path(self._model).expanduser()
        if path.is_dir():
            return digest_of_path(path)[:12]
        from transformers import AutoConfig

        try:
            config = AutoConfig.from_pretrained(
                self._model,
                revision=self.options.revision,
                trust_remote_code=self.options.trust_remote_code,
            )
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"transformers:{self._model}: {str(error).splitlines()[0]}",
                "Name a model id of the hub, or a folder with config.json and weights; offline, "
                "download it first with `hf download`.",
            ) from error
        return getattr(config, "_commit_hash", None) or self.options.revision or "unversioned"

    def _prepare(self, prompt: Prompt) -> Prepared:
        with self._decoding:
            return prepare(prompt, self.load().intake)

    def load(self) -> _Loaded:
        """Return the model, its processor and what it takes; loads them on the first call."""
        with self._load_lock:
            if self._state is None:
                self._state = self._load()
            return self._state

    def _load(self) -> _Loaded:
        from transformers import AutoModelForMultimodalLM, AutoProcessor

        place = {
            "revision": self.options.revision,
            "trust_remote_code": self.options.trust_remote_code,
        }
        how = {
            "dtype": self.options.dtype,
            "device_map": self.options.device_map,
            "attn_implementation": self.options.attn_implementation,
        }
        try:
            processor = AutoProcessor.from_pretrained(self._model, **place)
            model = AutoModelForMultimodalLM.from_pretrained(
                self._model, **place, **{key: value for key, value in how.items() if value}
            )
        except (OSError, ValueError, ImportError) as error:
            raise ConfigError(
                f"transformers:{self._model} cannot be loaded: {error}",
                "Check the model id, its revision, and that this transformers version knows it.",
            ) from error
        if self.options.device_map is None:
            model.to(self.options.device or _own_device())
        return _Loaded(model.eval(), processor, self._intake(processor))

    def _intake(self, processor: Any) -> Intake:
        ears = getattr(processor, "feature_extractor", None)
        longest = getattr(ears, "n_samples", None)
        rate = getattr(ears, "sampling_rate", None)
        return Intake(
            video=getattr(processor, "video_processor", None) is not None,
            images=getattr(processor, "image_processor", None) is not None,
            sound_rate=rate,
            sound_seconds=longest / rate if longest and rate else None,
            frames=self.options.max_frames,
            longest_side=self.options.longest_side,
        )

    def inputs(self, prepared: Sequence[Prepared]) -> Any:
        """Return the model's inputs for a batch, on the model's device, padded on the left."""
        model, processor, _ = self.load()
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
            media["videos_kwargs"] = {"do_sample_frames": False, **self._video_size()}
        if sounds:
            media["audio"] = sounds
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
        return batch.to(model.device, dtype=model.dtype)

    def _video_size(self) -> dict[str, Any]:
        low, high = self.options.min_pixels, self.options.max_pixels
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

        model, processor, _ = self.load()
        generation = jobs[0].generation
        inputs = self.inputs([job.prepared for job in jobs])
        sampled = generation.temperature > 0
        with torch.inference_mode(), torch.random.fork_rng(enabled=sampled):
            if sampled:
                torch.manual_seed(generation.seed)
            output = model.generate(**inputs, **_decoding(generation))
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


def _group(job: _Job) -> Hashable | None:
    """Greedy requests with equal settings run together; a sampled one alone, for its seed."""
    return None if job.generation.temperature > 0 else job.generation.digest()


def _own_device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    return "cpu"


def open_backend(model: str, options: TransformersOptions) -> TransformersBackend:
    """Return the backend of `transformers:MODEL`."""
    return TransformersBackend(model, options)
