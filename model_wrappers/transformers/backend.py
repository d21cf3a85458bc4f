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
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from aurelia_plugin.calling.backend import Generation, Prompt, Reply, Usage, cut_at
from aurelia_plugin.calling.contrast import Contrast, Mad
from aurelia_plugin.errors import BackendError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.model_wrappers.batching import (
    BatchSize,
    FixedSize,
    GrowingSize,
    MicroBatcher,
    Places,
)
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared, prepare
from aurelia_plugin.model_wrappers.transformers.batches import collate
from aurelia_plugin.model_wrappers.transformers.clips import ClipFeatures, Clips, Ready
from aurelia_plugin.model_wrappers.transformers.contrastive.asking import (
    asking_prompt,
    not_greedy,
)
from aurelia_plugin.model_wrappers.transformers.families import family_of
from aurelia_plugin.model_wrappers.transformers.loading import (
    Loaded,
    find_revision,
    load,
    model_type,
    on_gpu,
)
from aurelia_plugin.model_wrappers.transformers.options import TransformersOptions
from aurelia_plugin.model_wrappers.transformers.processing import Processing, Tensors
from aurelia_plugin.model_wrappers.transformers.towers import encode, handed_over, without_media

if TYPE_CHECKING:
    import torch
    from transformers import BatchFeature

__all__ = ["OPTIONS", "TransformersBackend", "TransformersOptions", "open_backend"]

_DECODERS = 4
"""Clips decoded at once while the model runs; more would only hold memory."""

_AHEAD = 4
"""Requests that are ready or made ready, for each one in a batch: those of a role share a batch."""

_LARGEST = 64
"""Requests in a batch of `batch_size=auto` at most: beyond, a step of decoding takes the longer."""

_LARGEST_ON_CPU = 8
"""The same without a GPU, where a process whose memory runs out gets no error, but is ended."""

OPTIONS = TransformersOptions


class _Job(NamedTuple):
    """A request, made ready. `asking` is the prompt that MAD asks beside it."""

    ready: Ready
    generation: Generation
    contrast: Contrast | None = None
    asking: Ready | None = None


class _Work(NamedTuple):
    """What works with the model that is loaded now."""

    loaded: Loaded
    processing: Processing
    clips: Clips


class TransformersBackend:
    """One model, loaded on first use.

    Args:
        model: a hub id or a folder; weights and processor come from the same place.

    Raises:
        ConfigError: if the model cannot be found.
    """

    contrasts: Literal[True] = True

    def __init__(self, model: str, options: TransformersOptions | None = None) -> None:
        self._model = model
        self.options = options or TransformersOptions()
        self._revision = find_revision(model, self.options)
        self._load_lock = threading.Lock()
        self._work_lock = threading.Lock()
        self._made: _Work | None = None
        self._state: Loaded | None = None
        self._decoding = threading.BoundedSemaphore(_DECODERS)
        self._ahead = Places(lambda: _AHEAD * self._size.now)

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
        """Two batches: one that runs and one that is being made ready."""
        return 2 * (self._size.most if isinstance(self._size, GrowingSize) else self._size.now)

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt.

        Raises:
            MediaError: if a medium cannot be decoded.
            BackendError: if the model cannot run on it.
        """
        async with self._ahead:  # what is ready holds memory until its turn
            job = await asyncio.to_thread(self._job, prompt)
            try:
                return await self._batcher(job)
            except Exception as error:  # libraries have several errors for memory; others go on
                if not _is_out_of_memory(error):
                    raise
                raise BackendError(
                    self.identity,
                    f"one request is more than the memory holds: {str(error).splitlines()[0]}",
                    "Lower max_frames or max_pixels, or spread the model (device_map=auto).",
                ) from None

    def _job(self, prompt: Prompt) -> _Job:
        contrast, generation = prompt.contrast, self._bounded(prompt.generation)
        if contrast is None:
            # The library repeats features for each beam.
            make = self._anew if _in_beams(generation) else self._ready
            return _Job(make(prompt), generation)
        problem = not_greedy(generation)
        if problem is None and self.load().model.config.is_encoder_decoder:
            problem = "its encoder reads the prompt, and its decoder's attention says nothing of it"
        if problem is not None:
            raise self._cannot_contrast(problem)
        asking = None
        if isinstance(contrast, Mad):
            asking = self._anew(asking_prompt(prompt, contrast.asking))
        return _Job(self._anew(prompt), generation, contrast, asking)

    def _cannot_contrast(self, problem: str) -> BackendError:
        return BackendError(
            self.identity,
            f"it cannot decode with a contrast: {problem}",
            "Use another condition, or other decoding settings (--gen_kwargs).",
        )

    async def rest(self) -> bool:
        """Keep the model, and what was made of clips within its bound of memory."""
        return self._state is not None

    async def close(self) -> None:
        """Release the model, and what was made of clips."""
        self._state = self._made = None

    @functools.cached_property
    def _batcher(self) -> MicroBatcher[_Job, Reply]:
        return MicroBatcher(self._answer_batch, self._size, self._group, _out_of_memory)

    @functools.cached_property
    def _size(self) -> BatchSize:
        size = self.options.batch_size
        if size is None:
            size = "auto" if on_gpu(self.options) else 1
        if size != "auto":
            return FixedSize(size)
        batches = family_of(model_type(self._model, self.options)).batches
        most = _LARGEST if on_gpu(self.options) else _LARGEST_ON_CPU
        return GrowingSize(most) if batches else FixedSize(1)

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

        Interleaving is asked for a whole batch.
        """
        alone = job.generation.temperature > 0 or job.contrast is not None
        if alone or not self.load().family.batches:
            return None
        return job.generation.digest(), job.ready.clip.interleaved

    def _bounded(self, generation: Generation) -> Generation:
        limit = self.options.max_new_tokens
        if limit is None or generation.max_new_tokens <= limit:
            return generation
        return Generation(**{**vars(generation), "max_new_tokens": limit})

    def _prepare(self, prompt: Prompt) -> Prepared:
        loaded = self.load()
        return prepare(prompt, loaded.takes, system=loaded.family.system)

    def _ready(self, prompt: Prompt) -> Ready:
        with self._decoding:
            return self._clips.ready(prompt)

    def _anew(self, prompt: Prompt) -> Ready:
        """Return a prompt with all features of its clip, read by no tower."""
        with self._decoding:
            return self._clips.processed(self._prepare(prompt))

    @property
    def _processing(self) -> Processing:
        return self._work().processing

    @property
    def _clips(self) -> Clips:
        return self._work().clips

    def _work(self) -> _Work:
        loaded = self.load()
        with self._work_lock:
            if self._made is None or self._made.loaded is not loaded:
                processing = Processing(loaded, self.options, self.identity)
                system, most_bytes = loaded.family.system, int(self.options.reuse_gib * 2**30)
                clips = Clips(self._prepare, processing, system, most_bytes)
                self._made = _Work(loaded, processing, clips)
            return self._made

    def load(self) -> Loaded:
        """Return the model, its processor and what it takes; loads them on the first call."""
        with self._load_lock:
            if self._state is None:
                self._state = load(self._model, self.options)
            return self._state

    def use(self, loaded: Loaded) -> None:
        """Answer with a model that is in memory already, instead of loading it."""
        self._state, self._made = loaded, None

    def inputs(self, prepared: Sequence[Prepared]) -> BatchFeature:
        """Return the model's inputs for a batch, on the model's device, padded on the left.

        Nothing is taken from memory. Interleaved prompts do not go with others.
        """
        ready = [self._clips.processed(item) for item in prepared]
        return self._batch(ready, [one.clip for one in ready])

    def _batch(self, ready: Sequence[Ready], clips: Sequence[ClipFeatures]) -> Tensors:
        device = self.load().model.device
        texts, media = [one.text for one in ready], [clip.media for clip in clips]
        batch = collate(texts, media, self._processing.fill)
        return {
            k: value.to(device) if hasattr(value, "to") else value for k, value in batch.items()
        }

    def _read_by_towers(self, job: _Job) -> ClipFeatures:
        """Return a request's clip, read by the towers where these work once for all requests."""
        clip, (model, _, _, family) = self._clips.newest(job.ready), self.load()
        once = family.towers_apart and self._clips.reuses and not _in_beams(job.generation)
        if clip.encoded is not None or not once:
            return clip
        encoded = encode(model, clip.media)
        clip = clip._replace(encoded=encoded, media=without_media(clip.media, encoded, model))
        self._clips.encoded(job.ready, clip)
        return clip

    def _answer_batch(self, jobs: Sequence[_Job]) -> list[Reply]:
        import torch

        if jobs[0].contrast is not None:
            return [self._contrasted(job) for job in jobs]
        model, _, _, family = self.load()
        generation = jobs[0].generation
        sampled = generation.temperature > 0
        with torch.inference_mode(), torch.random.fork_rng(enabled=sampled):
            clips = [self._read_by_towers(job) for job in jobs]
            inputs = self._batch([job.ready for job in jobs], clips)
            if sampled:
                torch.manual_seed(generation.seed)
            with handed_over(model, [clip.encoded or {} for clip in clips]):
                output = model.generate(**inputs, **family.generation, **_decoding(generation))
        if not model.config.is_encoder_decoder:
            output = output[:, inputs["input_ids"].shape[1] :]
        fill = self._processing.fill
        return [
            self._reply(
                job,
                tokens,
                Usage(input_tokens=int(mask.sum()), output_tokens=int((tokens != fill).sum())),
                generation.num_beams * _steps(tokens, model.generation_config.eos_token_id),
            )
            for tokens, mask, job in zip(output, inputs["attention_mask"], jobs, strict=True)
        ]

    def _reply(self, job: _Job, tokens: torch.Tensor, usage: Usage, passes: int) -> Reply:
        (text,) = self._processing.read(tokens[None])
        return Reply(
            text=cut_at(text, job.generation.until).strip(),
            usage=usage,
            evidence=job.ready.clip.evidence,
            model=self.name,
            passes=passes,
        )

    def _contrasted(self, job: _Job) -> Reply:
        from aurelia_plugin.model_wrappers.transformers.contrastive.decoding import (
            decode_avcd,
            decode_mad,
        )

        loaded = self.load()
        options = {**loaded.family.generation, **_decoding(job.generation)}

        inputs = self._batch([job.ready], [job.ready.clip])
        try:
            if isinstance(job.contrast, Mad):
                assert job.asking is not None
                asking = self._batch([job.asking], [job.asking.clip])
                done = decode_mad(loaded, inputs, asking, job.contrast, options)
            else:
                assert job.contrast is not None
                done = decode_avcd(loaded, inputs, job.contrast, options)
        except (RuntimeError, ValueError) as error:
            raise self._cannot_contrast(str(error)) from error
        usage = Usage(input_tokens=done.read, output_tokens=len(done.tokens))
        return self._reply(job, done.tokens, usage, done.passes)


def _steps(tokens: torch.Tensor, ends: int | Sequence[int] | None) -> int:
    """Return how many tokens were written until the end, its own token included."""
    known = set([ends] if isinstance(ends, int) else ends or ())
    written = tokens.tolist()
    return next((place for place, token in enumerate(written, 1) if token in known), len(written))


def _out_of_memory(error: Exception) -> bool:
    """Tell whether a batch was too large, and let go what the library still holds of it."""
    import torch

    if not _is_out_of_memory(error):
        return False
    error.__traceback__ = None  # its frames hold the batch
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return True


def _in_beams(generation: Generation) -> bool:
    return generation.num_beams > 1


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, (torch.OutOfMemoryError, MemoryError))


def _decoding(generation: Generation) -> dict[str, object]:
    settings: dict[str, object] = {
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


def open_backend(model: str, options: TransformersOptions) -> TransformersBackend:
    """Return the backend of `transformers:MODEL`."""
    return TransformersBackend(model, options)
