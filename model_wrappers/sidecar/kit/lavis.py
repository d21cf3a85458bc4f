"""What the systems share that are made with LAVIS: a language model behind Q-formers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, List, Mapping, NamedTuple

from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen
from aurelia_plugin.model_wrappers.sidecar.kit.forms import (
    Answer,
    Block,
    Generation,
    MediaError,
    Used,
)
from aurelia_plugin.model_wrappers.sidecar.kit.models import first_logits
from aurelia_plugin.model_wrappers.sidecar.kit.repairs import (
    load_sound_without_torchcodec,
    pytorchvideo_that_imports,
    run_on_cpu,
)
from aurelia_plugin.model_wrappers.sidecar.kit.shims import stub
from aurelia_plugin.model_wrappers.sidecar.kit.text import fitted
from aurelia_plugin.model_wrappers.sidecar.kit.watching import calls, generating_with, rows_within

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["FRAMES", "SECONDS", "VECTORS", "Parts", "Processors", "asked", "prepare", "shortened"]

FRAMES = 4
"""Frames of a video, in both upstreams' demos."""
SECONDS = 10.24
"""Length of the sound that is heard: two frames of 512 steps of 10 ms."""
VECTORS = 32
"""Positions that a frame of picture or of sound takes."""
_FIXED = (
    "do_sample",
    "num_beams",
    "max_length",
    "min_length",
    "top_p",
    "temperature",
    "repetition_penalty",
    "length_penalty",
    "num_return_sequences",
)


def prepare(device: str) -> None:
    """Make upstream's `lavis` importable and its loaders usable."""
    if device == "cpu":
        run_on_cpu()
    pytorchvideo_that_imports()
    load_sound_without_torchcodec()
    stub("open3d")  # points in space


class Processors:
    """Upstream's own processors of a video and of a sound."""

    def __init__(self, key: str, video: Callable[[str], Tensor], device: str) -> None:
        """Make the one of sound.

        Args:
            key: upstream's word for a video.
            video: gives the frames of a file: [channels, frames, height, width].
            device: where the model is.
        """
        from lavis.processors.audio_processors import BeatsAudioProcessor

        form = {"n_frames": 2, "frame_length": 512, "is_eval": False}
        self._sound = BeatsAudioProcessor("iter3", 16_000, **form)
        self._key, self._video, self._device = key, video, device

    def samples(self, media: Chosen, used: Used) -> Dict[str, Tensor]:
        """Return the media under upstream's names, each as a batch of one, and count them.

        Raises:
            MediaError: if upstream's processor made nothing of the sound.
        """
        samples: Dict[str, Tensor] = {}
        if media.sound:
            sound = self._sound(media.sound)
            if not sound.any():  # upstream's way of saying that it failed
                raise MediaError(media.sound, "upstream's processor cannot take it in")
            samples["audio"] = sound[None].to(self._device)
            used.hear(media.seconds, SECONDS, media.what)
        if media.video:
            samples[self._key] = self._video(media.video.path)[None].to(self._device)
            used.frames = samples[self._key].shape[2]
        return samples


class Parts(NamedTuple):
    """What of a model is asked.

    Attributes:
        language_model: has transformers' `generate`.
        tokenizer: its own.
        sound: what makes positions of the prompt from the Q-former's view of the sound.
    """

    language_model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    sound: Module

    def length(self, text: str) -> int:
        """Return how many tokens a text has."""
        return len(self.tokenizer(text).input_ids)

    def words_alone(self, text: str) -> str:
        """Return the reply to words without media, of which upstream's `generate` makes nothing."""
        tokens = self.tokenizer(text, return_tensors="pt").to(self.language_model.device)
        embeddings = self.language_model.get_input_embeddings()(tokens.input_ids)
        made = self.language_model.generate(
            inputs_embeds=embeddings, attention_mask=tokens.attention_mask
        )
        return str(self.tokenizer.decode(made[0], skip_special_tokens=True))


def shortened(
    blocks: List[Block], used: Used, longest: int, text: Callable[[List[Block]], str], parts: Parts
) -> str:
    """Return a request's text, its reasoning shortened by whole steps to `longest` tokens.

    Raises:
        RequestError: see `fitted`.
    """
    chosen, dropped = fitted(blocks, lambda form: parts.length(text(form)) <= longest)
    used.dropped += dropped
    return text(chosen)


def asked(
    parts: Parts,
    used: Used,
    generation: Generation,
    theirs: Mapping[str, object],
    generate: Callable[[], str],
) -> Answer:
    """Let upstream answer, and check that the sound entered the prompt.

    Args:
        parts: of the model.
        used: gets the counts.
        generation: how the reply is decoded.
        theirs: arguments of `generate` by which the authors decode.
        generate: calls upstream with the request.

    Raises:
        RuntimeError: if the sound did not enter whole.
    """
    import torch

    arguments = generation.arguments({"do_sample": False, **theirs})
    watched = generating_with(parts.language_model, arguments, instead_of=_FIXED)
    heard, first = calls(parts.sound), first_logits(parts.language_model)
    with torch.no_grad(), watched as prompt, heard as vectors, first as logits:
        said = generate()
    if used.clips:
        rows = vectors[0].made.reshape(-1, vectors[0].made.shape[-1])
        used.sound_tokens = rows_within(prompt.value[0], rows)
        if used.sound_tokens != 2 * VECTORS:
            raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
    used.input_tokens = prompt.value.shape[1]
    used.output_tokens = len(prompt.made[0]) - 1  # it begins with the mark of the beginning
    return Answer(said, used, (), logits.as_list())
