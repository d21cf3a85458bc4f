"""What a model's processor makes of a prompt, kept apart by text and media.

A prompt over a clip that is known needs its text alone: the placeholders of its media are replaced
by what the processor put there the first time.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aurelia_plugin.errors import BackendError
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared
from aurelia_plugin.model_wrappers.transformers.families import Family
from aurelia_plugin.model_wrappers.transformers.loading import Loaded
from aurelia_plugin.model_wrappers.transformers.options import TransformersOptions

if TYPE_CHECKING:
    import torch
    from transformers import (
        BatchFeature,
        PretrainedConfig,
        ProcessorMixin,
        SequenceFeatureExtractor,
    )

__all__ = ["Processed", "Processing", "Tensors"]

Tensors = dict[str, Any]
"""Tensors by name, as the model takes them."""

_OF_TEXT = frozenset({"input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids"})
"""What a processor makes for each token of the prompt; the rest is of its media."""

_TYPES = frozenset({"token_type_ids", "mm_token_type_ids"})
"""Names under which the kind of medium is given for each token."""

_MODALITIES = {"image": "images", "video": "videos", "audio": "audio"}
"""The library's names of a placeholder's kind, and of its list of replacements."""

_SHORT_S = 30
"""Seconds up to which an extractor's own padding costs next to nothing, and is left as it is."""

_TIME_SCALE = ("position_id_per_seconds", "seconds_per_chunk")


class Processed(NamedTuple):
    """One prompt as its model takes it.

    Attributes:
        text: one value for each token, [1, tokens].
        media: features of its media, in the model's type of numbers.
        expansions: what stands in the prompt for each placeholder, by modality; None where a
            text cannot be made of them that is the processor's own, token for token.
    """

    text: Tensors
    media: Tensors
    expansions: Mapping[str, Sequence[str]] | None


class Processing:
    """A loaded model's processor, for one prompt at a time. Safe for threads.

    Args:
        loaded: the model and its processor.
        options: frames' sizes.
        name: the model's, for errors.
    """

    def __init__(self, loaded: Loaded, options: TransformersOptions, name: str) -> None:
        self._model, self._processor, _, self._family = loaded
        self._options = options
        self._name = name
        # Fast tokenizers refuse to be set up by one thread while another one uses them.
        self._lock = threading.Lock()
        self._reader = copy.deepcopy(self._processor.tokenizer)
        self._typed: tuple[str, ...] = ()

    def text_of(self, conversation: Sequence[Mapping[str, Any]]) -> str:
        """Return a conversation's text, with a placeholder for each medium."""
        with self._lock:
            text = self._processor.apply_chat_template(
                list(conversation), tokenize=False, add_generation_prompt=True
            )
        return str(text)

    def process(self, item: Prepared) -> Processed:
        """Return what the processor makes of a whole prompt.

        Raises:
            BackendError: if a sound has left no token in the prompt.
        """
        text = self.text_of(item.conversation)
        media = self._media(item)
        with self._lock:
            with _replacements(self._processor) as expansions:
                batch = self._processor(text=[text], return_tensors="pt", padding=True, **media)
            of_text = {name: batch[name] for name in batch if name in _OF_TEXT}
            rebuilt = self._rebuilds(text, expansions, of_text)
        if "video_second_per_grid" in batch:
            # The processor takes one frame rate for all videos; each was sampled at its own.
            step = getattr(self._processor.video_processor, "temporal_patch_size", 1)
            batch["video_second_per_grid"] = batch["video_second_per_grid"].new_tensor(
                [step / rate for rate in item.video_rates]
            )
        self._check_heard(batch, item)
        if item.interleaved:
            batch["use_audio_in_video"] = True
        batch = batch.to(dtype=self._model.dtype)
        features = {name: batch[name] for name in batch if name not in _OF_TEXT}
        return Processed(of_text, features, expansions if rebuilt else None)

    def expand(self, text: str, expansions: Mapping[str, Sequence[str]]) -> Tensors:
        """Return what belongs to each token of a text whose media were processed before."""
        with self._lock:
            return self._expanded(text, expansions)

    def read(self, tokens: torch.Tensor) -> list[str]:
        """Return the texts of replies: tokens [replies, length]."""
        texts: list[str] = self._reader.batch_decode(tokens, skip_special_tokens=True)
        return texts

    @property
    def fill(self) -> int:
        """The token that fills what is shorter than the longest of a batch."""
        return int(self._reader.pad_token_id)

    def _expanded(self, text: str, expansions: Mapping[str, Sequence[str]]) -> Tensors:
        replaced, _ = self._processor.get_text_with_replacements(
            [text],
            **{f"{kinds}_replacements": list(expansions.get(kind, ()))
               for kind, kinds in _MODALITIES.items()},
        )  # fmt: skip
        found = dict(self._processor.tokenizer(replaced, return_tensors="pt"))
        for name in self._typed:
            types = self._processor.create_mm_token_type_ids(found["input_ids"])
            found[name] = found["input_ids"].new_tensor(types)
        return found

    def _rebuilds(
        self, text: str, expansions: Mapping[str, Sequence[str]], theirs: Tensors
    ) -> bool:
        """Try whether a text and its replacements give what the processor made, token for token.

        A processor that makes its text in a way of its own is asked for each prompt.
        """
        self._typed = tuple(name for name in theirs if name in _TYPES)
        again = self._expanded(text, expansions)
        return again.keys() == theirs.keys() and all(
            again[name].equal(value) for name, value in theirs.items()
        )

    def _media(self, item: Prepared) -> dict[str, Any]:
        media: dict[str, Any] = {}
        if item.videos:
            media["videos"] = item.videos
            media["videos_kwargs"] = {"do_sample_frames": False, **self._video_size(self._family)}
            if self._family.timestamps:
                media["video_metadata"] = [_metadata(times) for times in item.video_times]
        if item.sounds:
            media[self._family.sound_argument] = item.sounds
            media["audio_kwargs"] = {**self._family.sound_options}
            extractor = getattr(self._processor, self._family.sound_part)
            if self._family.pads_sound and extractor.chunk_length > _SHORT_S:
                media["audio_kwargs"]["max_length"] = _padded(extractor, item.sounds)
        if item.interleaved:
            media |= _interleaving(self._model.config, len(item.videos))
            media["videos_kwargs"]["fps"] = item.video_rates[0]
        if item.images:
            media["images"] = item.images
        return media

    def _video_size(self, family: Family) -> dict[str, object]:
        own = family.video_pixels or (None, None)
        low = self._options.min_pixels or own[0]
        high = self._options.max_pixels or own[1]
        if low is None and high is None:
            return {}
        return {"size": {"shortest_edge": low or 1, "longest_edge": high or low}}

    def _check_heard(self, batch: BatchFeature, item: Prepared) -> None:
        """Make sure that every sound handed over has left tokens in its prompt."""
        token = getattr(self._processor, "audio_token_id", None)
        if token is None or not item.sounds:
            return
        if int((batch["input_ids"][0] == token).sum()) < len(item.sounds):
            raise BackendError(
                self._name,
                f"{len(item.sounds)} sounds were handed over, and the prompt has fewer sound "
                "tokens than that: the chat template drops them.",
                "Use a processor whose chat template has audio blocks.",
            )


@contextmanager
def _replacements(processor: ProcessorMixin) -> Iterator[dict[str, list[str]]]:
    """Note what a processor puts in the place of each placeholder, by modality."""
    found: dict[str, list[str]] = {kind: [] for kind in _MODALITIES}
    replace = processor.get_text_with_replacements

    def noting(text: list[str], *args: object, **named: object) -> object:
        replaced, places = replace(text, *args, **named)
        for place in places[0] if places else ():
            found[place["type"]].append(place["replacement"])
        return replaced, places

    processor.get_text_with_replacements = noting
    try:
        yield found
    finally:
        del processor.get_text_with_replacements


def _interleaving(config: PretrainedConfig, videos: int) -> dict[str, object]:
    """Return the processor's arguments: each sound is its video's, on the model's time scale."""
    scale = {name: getattr(config, name, None) for name in _TIME_SCALE}
    return {
        "load_audio_from_video": True,
        "audio_from_video_indices": list(range(videos)),
        **{name: float(value) for name, value in scale.items() if value is not None},
    }


def _padded(extractor: SequenceFeatureExtractor, sounds: Sequence[npt.NDArray[np.float32]]) -> int:
    """Return the samples to which the sounds of a prompt are padded.

    The longest one's own length, and silence for one window more, so that no frame of it differs
    from that of a sound padded to the longest that the extractor takes.
    """
    longest = max(len(sound) for sound in sounds)
    whole = -(-(longest + extractor.n_fft) // extractor.hop_length) * extractor.hop_length
    return int(min(whole, extractor.n_samples))


def _metadata(times: Sequence[float]) -> dict[str, object]:
    """Describe sampled frames by their times, in milliseconds as if there were 1000 a second."""
    indices = [round(time * 1000) for time in times]
    return {"total_num_frames": len(times), "fps": 1000.0, "frames_indices": indices}
