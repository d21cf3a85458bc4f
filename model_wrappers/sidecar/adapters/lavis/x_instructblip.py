"""X-InstructBLIP: upstream's processors, prompt and `generate`."""

from __future__ import annotations

import os
from typing import Any, Dict, List

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, repairs, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "X-InstructBLIP 13B"
ENVIRONMENT = "lavis"
UPSTREAM = "salesforce/LAVIS"
COMMIT = "506965b9c4a18c1e565bd32acaccabe0198433f7"
WEIGHTS = "the Q-formers, BEATs and Vicuna 13B (docs/sidecars.md)"
CAPABILITIES = {
    "sees": ["frames"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 10.24,
    "joint": "yes",
}
OPTIONS = {
    "llm": "folder of Vicuna 13B v1.1; default: the one with a config.json in the weights",
    "beats": "checkpoint of BEATs; default: BEATs*.pt in the weights",
    "prompt": "what the question is put into; default: Question: {} Answer:",
}
_THEIRS = {"num_beams": 5, "min_length": 1, "repetition_penalty": 1.5, "length_penalty": 1.0}
_FIXED = [*_THEIRS, "do_sample", "top_p", "temperature", "max_length", "num_return_sequences"]
_FRAMES = 4  # of the demo
_SECONDS = 10.24  # two frames of 512 steps of 10 ms
_VECTORS = 32  # of a frame of picture or sound
_CUES = 16  # positions of the words before each medium, at most
_CONFIG = "lavis/projects/xinstruct_blip/eval/vicuna13b/crossmodal/musicavqa"


class XInstructBLIP:
    """The model behind upstream's own processors."""

    def __init__(self, model: Any, prompt: str, device: str) -> None:
        from lavis.processors.alpro_processors import AlproVideoEvalProcessor
        from lavis.processors.audio_processors import BeatsAudioProcessor

        self._model, self._template, self._device = model, prompt, device
        self._video = AlproVideoEvalProcessor(n_frms=_FRAMES, image_size=224)
        form = {"n_frames": 2, "frame_length": 512, "is_eval": False}
        self._sound = BeatsAudioProcessor("iter3", 16_000, **form)

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model = kit.Used(), self._model
        samples = self._samples(one_of_each(blocks, used), used)
        taken = _VECTORS * (_FRAMES * ("video" in samples) + 2 * ("audio" in samples))
        room = model.llm_model.config.max_position_embeddings - generation.max_new_tokens
        longest = room - taken - _CUES * len(samples)
        blocks, shortened = kit.fitted(
            blocks, lambda form: len(model.llm_tokenizer(self._text(form)).input_ids) <= longest
        )
        used.dropped += shortened
        text = self._text(blocks)
        arguments = generation.arguments({"do_sample": False, **_THEIRS})
        asked = watching.generating_with(model.llm_model, arguments, instead_of=_FIXED)
        heard, first = watching.calls(model.audio_llm_proj), models.first_logits(model.llm_model)
        with torch.no_grad(), asked as prompt, heard as vectors, first as logits:
            said = self._generated(text, samples)
        if used.clips:
            rows = vectors[0].made.reshape(-1, vectors[0].made.shape[-1])
            used.sound_tokens = watching.rows_within(prompt.value[0], rows)
            if used.sound_tokens != 2 * _VECTORS:
                raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
        used.input_tokens = prompt.value.shape[1]
        used.output_tokens = len(prompt.made[0]) - 1  # it begins with the mark of the beginning
        cut = samples and len(model.tokenizer(text).input_ids) > model.max_txt_len
        warnings = ["the Q-formers see the end of a long question only"] if cut else []
        return kit.Answer(said, used, warnings, logits.as_list())

    def _text(self, blocks: List[kit.Block]) -> str:
        return self._template.replace("{}", kit.conversation(blocks))

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
            samples["video"] = self._video(media.video.path)[None].to(self._device)
            used.frames = samples["video"].shape[2]
        return samples

    def _generated(self, text: str, samples: Dict[str, Any]) -> str:
        if samples:
            return str(self._model.generate({"prompt": text, **samples})[0])
        # Words alone: upstream's `generate` returns nothing, where it takes captions it does this.
        tokens = self._model.llm_tokenizer(text, return_tensors="pt").to(self._device)
        embeddings = self._model.llm_model.get_input_embeddings()(tokens.input_ids)
        mask = tokens.attention_mask
        made = self._model.llm_model.generate(inputs_embeds=embeddings, attention_mask=mask)
        return str(self._model.llm_tokenizer.decode(made[0], skip_special_tokens=True))


def load(options: kit.Options) -> XInstructBLIP:
    """Load the weights; see the kit's `Options`."""
    formers = {
        f"pretrained_{sense}_qformer": options.part(f"{sense}_qformer.pth", "weights")
        for sense in ("audio", "video")
    }
    return _loaded(options, formers)


def load_tiny(options: kit.Options) -> XInstructBLIP:
    """Load tiny random weights that are laid out like the real ones."""
    _prepare(options)
    from aurelia_plugin.model_wrappers.sidecar.tiny.lavis.x_instructblip import tiny_parts

    with tiny_parts(options.folder) as changes:
        return _loaded(options._replace(weights=options.folder), changes)


def _loaded(options: kit.Options, changes: Dict[str, Any]) -> XInstructBLIP:
    _prepare(options)
    from lavis.models.blip2_models.blip2_vicuna_xinstruct import Blip2VicunaXInstruct
    from omegaconf import OmegaConf

    beats = {"audio_encoder_kwargs": {"checkpoint_path": options.part("BEATs*.pt", "beats")}}
    config = {
        **OmegaConf.load(os.path.join(options.repo, _CONFIG, "musicavqa_joint_eval.yaml")).model,
        **changes,
        **beats,
    }
    config.update(llm_model=options.language_model(), load_pretrained=False)
    if options.device == "cpu":
        config.update(video_precision="fp32", audio_precision="fp32")
    model = Blip2VicunaXInstruct.from_config(OmegaConf.create(config)).to(options.device).eval()
    prompt = options.more.get("prompt", "Question: {} Answer:")
    model = model.float() if options.device == "cpu" else model
    return XInstructBLIP(model, prompt, options.device)


def _prepare(options: kit.Options) -> None:
    """Make upstream importable."""
    repairs.pytorchvideo_that_imports()
    repairs.load_sound_without_torchcodec()
    shims.stub("open3d")  # points in space
