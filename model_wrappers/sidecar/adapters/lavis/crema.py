"""CREMA: upstream's processors, prompt and `generate`, with picture and sound."""

from __future__ import annotations

import os
from typing import Any, Dict, List
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, repairs, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "CREMA 4B (audio and rgb)"
ENVIRONMENT = "lavis"
UPSTREAM = "Yui010206/CREMA"
COMMIT = "a76043b1d092e1ce57107a871140c330f9e64eb3"
WEIGHTS = "Shoubin/CREMA"
CAPABILITIES = {
    "sees": ["frames"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 10.24,
    "joint": "yes",
}
OPTIONS = {
    "checkpoint": "CREMA's own part; default: crema_pretrained.pth in the weights",
    "t5": "folder of Flan-T5 XL; default: google/flan-t5-xl from the hub's cache",
    "beats": "checkpoint of BEATs; default: BEATs*.pt in the weights",
}
_THEIRS = {"num_beams": 5, "min_length": 1, "length_penalty": -1.0}  # of its evaluation
_FIXED = [*_THEIRS, "do_sample"]
_FRAMES = 4
_SECONDS = 10.24  # two frames of 512 steps of 10 ms
_VECTORS = 32  # of a frame of picture or sound
_EVIDENCE = {
    ("audio", "rgb"): "the frames and audio",
    ("audio",): "the audio",
    ("rgb",): "the frames",
}
_CONFIG = "lavis/projects/crema/eval/music_avqa_eval.yaml"


class CREMA:
    """The model behind upstream's own processors."""

    def __init__(self, model: Any, checkpoint: str, device: str) -> None:
        from lavis.common.registry import registry
        from lavis.processors.audio_processors import BeatsAudioProcessor

        self.name = f"{SYSTEM}, {checkpoint}"
        self._model, self._device = model, device
        frames = registry.get_processor_class("blip_video_eval")
        self._video = frames(image_size=224, n_frms=_FRAMES)
        form = {"n_frames": 2, "frame_length": 512, "is_eval": False}
        self._sound = BeatsAudioProcessor("iter3", 16_000, **form)

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model = kit.Used(), self._model
        samples = self._samples(one_of_each(blocks, used), used)
        senses = tuple(sorted(samples))
        blocks, shortened = kit.fitted(blocks, lambda form: self._fits(_text(form, senses)))
        used.dropped += shortened
        text = _text(blocks, senses)
        arguments = generation.arguments({"do_sample": False, **_THEIRS})
        asked = watching.generating_with(model.t5_model, arguments, instead_of=_FIXED)
        heard, first = watching.calls(model.t5_proj_audio), models.first_logits(model.t5_model)
        with torch.no_grad(), asked as prompt, heard as vectors, first as logits:
            said = self._generated(text, samples)
        if used.clips:
            rows = vectors[0].made.reshape(-1, vectors[0].made.shape[-1])
            used.sound_tokens = watching.rows_within(prompt.value[0], rows)
            if used.sound_tokens != 2 * _VECTORS:
                raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
        used.input_tokens = prompt.value.shape[1]
        used.output_tokens = len(prompt.made[0]) - 1  # it begins with the mark of the beginning
        return kit.Answer(said, used, (), logits.as_list())

    def _fits(self, text: str) -> bool:
        return bool(len(self._model.t5_tokenizer(text).input_ids) <= self._model.max_txt_len)

    def _samples(self, media: Chosen, used: kit.Used) -> Dict[str, Any]:
        """Return the media as upstream's processors make them."""
        samples: Dict[str, Any] = {}
        if media.sound:
            sound = self._sound(media.sound)
            if not sound.any():  # upstream's way of saying that it failed
                raise kit.MediaError(media.sound, "upstream's processor cannot take it in")
            samples["audio"] = sound[None].to(self._device)
            used.hear(media.seconds, _SECONDS, media.what)
        if media.video:
            samples["rgb"] = self._video(media.video.path)[0][None].to(self._device)
            used.frames = samples["rgb"].shape[2]
        return samples

    def _generated(self, text: str, samples: Dict[str, Any]) -> str:
        model = self._model
        if samples:
            asked = {"qa_input": [text], "qa_output": [""], "question_id": [0]}
            # Upstream demands every medium that it was made for; here only this request's.
            with mock.patch.object(model, "modalities", sorted(samples)):
                return str(model.generate({**samples, **asked})["output_text"][0])
        tokens = model.t5_tokenizer(text, return_tensors="pt").to(self._device)
        embeddings = model.t5_model.encoder.embed_tokens(tokens.input_ids)
        mask = tokens.attention_mask
        made = model.t5_model.generate(inputs_embeds=embeddings, attention_mask=mask)
        return str(model.t5_tokenizer.decode(made[0], skip_special_tokens=True))


def _text(blocks: List[kit.Block], senses: Any) -> str:
    """Return the question in the words (and the spelling) in which upstream asks it."""
    question = f"Question: {kit.conversation(blocks)}"
    if senses not in _EVIDENCE:
        return question
    return (
        f"{question} Based on {_EVIDENCE[senses]} information, answer the question using a single "
        "word or phase."
    )


def load(options: kit.Options) -> CREMA:
    """Load the weights; see the kit's `Options`."""
    _prepare(options)
    from lavis.models.beats_encoder import BeatsEncoder
    from lavis.models.crema_models import crema
    from omegaconf import OmegaConf

    checkpoint = options.part("crema_pretrained.pth", "checkpoint")
    BeatsEncoder.__init__.__defaults__ = (options.part("BEATs*.pt", "beats"),)
    config = {**OmegaConf.load(os.path.join(options.repo, _CONFIG)).model}
    config.update(
        modalities="audio_rgb",
        t5_model=options.more.get("t5", "google/flan-t5-xl"),
        image_size=224,
        num_query_token=_VECTORS,
        task="concat",
        load_finetuned=False,
        load_pretrained=True,
        pretrained=checkpoint,
    )
    with watching.checkpoints_that_fit(crema.CREMA):
        model = crema.CREMA.from_config(OmegaConf.create(config)).to(options.device).eval()
    name = os.path.basename(checkpoint)
    return CREMA(model.float() if options.device == "cpu" else model, name, options.device)


def load_tiny(options: kit.Options) -> CREMA:
    """Load tiny random weights that are laid out like the real ones."""
    _prepare(options)
    from aurelia_plugin.model_wrappers.sidecar.tiny.lavis.crema import tiny_parts

    with tiny_parts(options.folder):
        t5 = {"t5": os.path.join(options.folder, "t5")}
        return load(options._replace(weights=options.folder, more={**options.more, **t5}))


def _prepare(options: kit.Options) -> None:
    """Make upstream importable."""
    if options.device == "cpu":
        repairs.run_on_cpu()
    repairs.pytorchvideo_that_imports()
    repairs.load_sound_without_torchcodec()
    shims.stub("open3d")  # points in space
