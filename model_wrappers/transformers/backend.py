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
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from aurelia_plugin.calling.backend import Generation, Prompt, Reply, Usage, cut_at
from aurelia_plugin.calling.contrast import Contrast, Mad
from aurelia_plugin.errors import BackendError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.model_wrappers.batching import MicroBatcher
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared, prepare
from aurelia_plugin.model_wrappers.transformers.contrastive.asking import (
    asking_prompt,
    not_greedy,
)
from aurelia_plugin.model_wrappers.transformers.families import family_of
from aurelia_plugin.model_wrappers.transformers.inputs import model_inputs
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


OPTIONS = TransformersOptions


class _Job(NamedTuple):
    """A request, decoded. `asking` is the prompt that MAD asks beside it."""

    prepared: Prepared
    generation: Generation
    contrast: Contrast | None = None
    asking: Prepared | None = None


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
        return await self._batcher(await asyncio.to_thread(self._job, prompt))

    def _job(self, prompt: Prompt) -> _Job:
        contrast, generation = prompt.contrast, self._bounded(prompt.generation)
        if contrast is None:
            return _Job(self._prepare(prompt), generation)
        problem = not_greedy(generation)
        if problem is None and self.load().model.config.is_encoder_decoder:
            problem = "its encoder reads the prompt, and its decoder's attention says nothing of it"
        if problem is not None:
            raise self._cannot_contrast(problem)
        asking = None
        if isinstance(contrast, Mad):
            asking = self._prepare(asking_prompt(prompt, contrast.asking))
        return _Job(self._prepare(prompt), generation, contrast, asking)

    def _cannot_contrast(self, problem: str) -> BackendError:
        return BackendError(
            self.identity,
            f"it cannot decode with a contrast: {problem}",
            "Use another condition, or other decoding settings (--gen_kwargs).",
        )

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
        alone = job.generation.temperature > 0 or job.contrast is not None
        if alone or not self.load().family.batches:
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
        return model_inputs(self.load(), self.options, prepared, self.identity)

    def _answer_batch(self, jobs: Sequence[_Job]) -> list[Reply]:
        import torch

        if jobs[0].contrast is not None:
            return [self._contrasted(job) for job in jobs]
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
        fill = processor.tokenizer.pad_token_id
        return [
            self._reply(
                job,
                tokens,
                Usage(input_tokens=int(mask.sum()), output_tokens=int((tokens != fill).sum())),
                generation.num_beams * _steps(tokens, model.generation_config.eos_token_id),
            )
            for tokens, mask, job in zip(output, inputs["attention_mask"], jobs, strict=True)
        ]

    def _reply(self, job: _Job, tokens: Any, usage: Usage, passes: int) -> Reply:
        (text,) = self.load().processor.batch_decode(tokens[None], skip_special_tokens=True)
        return Reply(
            text=cut_at(text, job.generation.until).strip(),
            usage=usage,
            evidence=job.prepared.evidence,
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

        inputs = self.inputs([job.prepared])
        try:
            if isinstance(job.contrast, Mad):
                assert job.asking is not None
                asking = self.inputs([job.asking])
                done = decode_mad(loaded, inputs, asking, job.contrast, options)
            else:
                assert job.contrast is not None
                done = decode_avcd(loaded, inputs, job.contrast, options)
        except (RuntimeError, ValueError) as error:
            raise self._cannot_contrast(str(error)) from error
        usage = Usage(input_tokens=done.read, output_tokens=len(done.tokens))
        return self._reply(job, done.tokens, usage, done.passes)


def _steps(tokens: Any, ends: int | Sequence[int] | None) -> int:
    """Return how many tokens were written until the end, its own token included."""
    known = set([ends] if isinstance(ends, int) else ends or ())
    written = tokens.tolist()
    return next((place for place, token in enumerate(written, 1) if token in known), len(written))


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


def open_backend(model: str, options: TransformersOptions) -> TransformersBackend:
    """Return the backend of `transformers:MODEL`."""
    return TransformersBackend(model, options)
