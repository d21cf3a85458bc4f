"""Macaw-LLM: upstream's model as its inference script calls it. No weights were ever published."""

from __future__ import annotations

import functools
import os
from typing import Any, Dict, List

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each
from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_waveform

SYSTEM = "Macaw-LLM 7B (its code; no weights exist)"
ENVIRONMENT = "old"
UPSTREAM = "lyuchenyang/Macaw-LLM"
COMMIT = "06f6f22bc68159b0ed9c0bacf5702da2da1a68cf"
CAPABILITIES = {
    "sees": ["frames", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 30,
    "joint": "yes",
}
_SECONDS = 30
_EXTRACTED = 120  # frames of a video, of which upstream shows these:
_SHOWN = [0, 20, 40, 60, 80, 119]
_KINDS = ("image", "audio", "video")  # the order in which they stand before the words
_REPLY = "max_new_tokens"  # upstream fixes it to 128


class MacawLLM:
    """The model behind upstream's own template."""

    def __init__(self, model: Any, tokenizer: Any, template: str, device: str) -> None:
        from transformers import CLIPImageProcessor, WhisperFeatureExtractor

        self._model, self._tokenizer, self._template = model, tokenizer, template
        self._pixels, self._mel = CLIPImageProcessor(), WhisperFeatureExtractor()
        self._device = device

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model = kit.Used(), self._model
        media = self._prepared(one_of_each(blocks, used, images=1, beside_video=1), used)

        with torch.no_grad():
            taken = model.prepare_inputs_for_generation(self._inputs([1], media))[0].shape[1] - 1
        longest = model.llm.config.max_position_embeddings - generation.max_new_tokens - taken
        blocks, shortened = kit.fitted(blocks, lambda form: len(self._ids(form)) <= longest)
        used.dropped += shortened
        arguments = generation.arguments({})  # theirs is greedy, too
        asked = watching.generating_with(model.llm, arguments, instead_of=[_REPLY])
        heard = watching.calls(model.audio_align_attention)
        with (
            torch.no_grad(),
            models.first_logits(model.llm) as logits,
            asked as prompt,
            heard as rows,
        ):
            inputs = {**self._inputs(self._ids(blocks), media), "inference": True}
            ids = model(inputs)[0, 1:]
        if used.clips:
            vectors = rows[0].made[0].transpose(0, 1)[0]
            used.sound_tokens = watching.rows_within(prompt.value[0], vectors)
            if used.sound_tokens != len(vectors):
                raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
        used.input_tokens, used.output_tokens = prompt.value.shape[1], len(ids)
        text = self._tokenizer.decode(ids, skip_special_tokens=True)
        return kit.Answer(text, used, logits=logits.as_list())

    def _ids(self, blocks: List[kit.Block]) -> List[int]:
        return list(self._tokenizer.encode(self._template.format(kit.conversation(blocks))))

    def _inputs(self, ids: List[int], media: Dict[str, Any]) -> Dict[str, Any]:
        """Return upstream's inputs: words, the media, and the marks around each."""
        import torch

        inputs: Dict[str, Any] = {f"{kind}s": media.get(kind) for kind in _KINDS}
        inputs["input_ids"] = torch.tensor([ids], device=self._device)
        for kind in _KINDS:
            for side, mark in (("starts", f"<{kind}>"), ("ends", f"</{kind}>")):
                number = self._tokenizer.convert_tokens_to_ids(mark)
                inputs[f"{kind}_{side}"] = torch.tensor([number], device=self._device)
        return inputs

    def _prepared(self, media: Chosen, used: kit.Used) -> Dict[str, Any]:
        """Return the media as tensors. A missing one is left out, where upstream shows zeros."""
        from PIL import Image

        found: Dict[str, Any] = {}
        if media.video:
            frames = _frames(media.video.path)
            used.frames = len(frames)
            found["video"] = self._pixels(frames, return_tensors="pt").pixel_values[None]
        if media.images:
            used.images = 1
            image = Image.open(media.images[0]).convert("RGB")
            found["image"] = self._pixels(image, return_tensors="pt").pixel_values
        if media.sound:
            sound = read_waveform(media.sound)
            mel = self._mel(sound, sampling_rate=RATE, return_tensors="pt")
            found["audio"] = mel.input_features
            used.hear(media.seconds, _SECONDS, media.what)
        precision = next(self._model.llm.parameters()).dtype
        return {kind: tensor.to(self._device, precision) for kind, tensor in found.items()}


def _frames(path: str) -> List[Any]:
    """Return the frames that upstream shows, of those that it extracts from a whole video."""
    import decord
    import numpy as np

    video = decord.VideoReader(path)
    if len(video) >= _EXTRACTED:
        step = len(video) // _EXTRACTED
        places = [*(n * step for n in range(_EXTRACTED - 1)), len(video) - 1]
    else:  # as often as needed, at random; the worker has seeded that
        places = sorted(np.random.choice(len(video), _EXTRACTED, replace=True).tolist())
    return list(video.get_batch([places[n] for n in _SHOWN]).asnumpy())


def load(options: kit.Options) -> MacawLLM:
    """Load weights that somebody trained; see the kit's `Options`."""
    if not options.weights:
        raise FileNotFoundError("no weights of Macaw-LLM were ever published; use tiny=true")
    import modeling
    from modeling import MM_LLMs, MM_LLMs_Config
    from transformers import LlamaTokenizer

    # It fills a table number by number, seconds long, and always with the same.
    table = functools.lru_cache(maxsize=None)(modeling.create_positional_encoding)
    modeling.create_positional_encoding = table
    config = MM_LLMs_Config.from_pretrained(options.weights)
    model = MM_LLMs.from_pretrained(options.weights, config=config)
    tokenizer = LlamaTokenizer.from_pretrained(options.weights)
    path = os.path.join(options.repo, "preprocess_data_supervised.py")
    template = shims.constant(path, "PROMPT_DICT")["prompt_no_input"]
    model = (model if options.device == "cpu" else model.half()).to(options.device).eval()
    return MacawLLM(model, tokenizer, template, options.device)


def load_tiny(options: kit.Options) -> MacawLLM:
    """Write a tiny random checkpoint of upstream's own classes, and load it as a real one."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.macaw_llm import write_checkpoint

    write_checkpoint(options.folder)
    return load(options._replace(weights=options.folder))
