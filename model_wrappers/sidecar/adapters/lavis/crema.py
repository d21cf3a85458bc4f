"""CREMA: upstream's processors, prompt and `generate`, with picture and sound."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import lavis, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import one_of_each

if TYPE_CHECKING:
    from torch import Tensor

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
_LONGEST = 512
"""Tokens of text that Flan-T5 was trained with; upstream cuts at 77, amid the options."""

_THEIRS = {"num_beams": 5, "min_length": 1, "length_penalty": -1.0}  # of its evaluation
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

        self.name = f"{SYSTEM}, {checkpoint}"
        self._model = model
        self._parts = lavis.Parts(model.t5_model, model.t5_tokenizer, model.t5_proj_audio)
        frames = registry.get_processor_class("blip_video_eval")(
            image_size=224, n_frms=lavis.FRAMES
        )
        self._processors = lavis.Processors("rgb", lambda path: frames(path)[0], device)

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        used, parts = kit.Used(), self._parts
        samples = self._processors.samples(one_of_each(blocks, used), used)
        evidence = _EVIDENCE.get(tuple(sorted(samples)), "")
        text = lavis.shortened(blocks, used, _LONGEST, lambda form: _text(form, evidence), parts)

        def generate() -> str:
            return self._generated(text, samples) if samples else parts.words_alone(text)

        return lavis.asked(parts, used, generation, _THEIRS, generate)

    def _generated(self, text: str, samples: Dict[str, Tensor]) -> str:
        # Of a sound alone upstream makes a prompt only in a batch of more than one.
        batch = 1 if "rgb" in samples else 2
        asked: Dict[str, object] = {
            key: value.repeat_interleave(batch, 0) for key, value in samples.items()
        }
        asked.update(qa_input=[text] * batch, qa_output=[""] * batch)
        asked.update(question_id=[str(number) for number in range(batch)])
        # Upstream demands every medium that it was made for; here only this request's.
        theirs: Dict[str, Any] = {"modalities": sorted(samples), "max_txt_len": _LONGEST}
        with mock.patch.multiple(self._model, **theirs):
            return str(self._model.generate(asked)["output_text"][0])


def _text(blocks: List[kit.Block], evidence: str) -> str:
    """Return the question in the words (and the spelling) in which upstream asks it."""
    question = f"Question: {kit.conversation(blocks)}"
    if not evidence:
        return question
    return (
        f"{question} Based on {evidence} information, answer the question using a single word or "
        "phase."
    )


def load(options: kit.Options) -> CREMA:
    """Load the weights; see the kit's `Options`."""
    lavis.prepare(options.device)
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
        num_query_token=lavis.VECTORS,
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
    lavis.prepare(options.device)
    from aurelia_plugin.model_wrappers.sidecar.tiny.lavis.crema import tiny_parts

    with tiny_parts(options.folder):
        t5 = {"t5": os.path.join(options.folder, "t5")}
        return load(options._replace(weights=options.folder, more={**options.more, **t5}))
