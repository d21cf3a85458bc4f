"""X-InstructBLIP: upstream's processors, prompt and `generate`."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import lavis
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import one_of_each

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
_CUES = 16  # positions of the words before each medium, at most
_CONFIG = "lavis/projects/xinstruct_blip/eval/vicuna13b/crossmodal/musicavqa"


class XInstructBLIP:
    """The model behind upstream's own processors."""

    def __init__(self, model: Any, prompt: str, device: str) -> None:
        from lavis.processors.alpro_processors import AlproVideoEvalProcessor

        self._model, self._template = model, prompt
        self._parts = lavis.Parts(model.llm_model, model.llm_tokenizer, model.audio_llm_proj)
        frames = AlproVideoEvalProcessor(n_frms=lavis.FRAMES, image_size=224)
        self._processors = lavis.Processors("video", frames, device)

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        used, model, parts = kit.Used(), self._model, self._parts
        samples = self._processors.samples(one_of_each(blocks, used), used)
        taken = lavis.VECTORS * (lavis.FRAMES * ("video" in samples) + 2 * ("audio" in samples))
        room = model.llm_model.config.max_position_embeddings - generation.max_new_tokens
        longest = room - taken - _CUES * len(samples)
        text = lavis.shortened(blocks, used, longest, self._text, parts)

        def generate() -> str:
            if not samples:
                return parts.words_alone(text)
            return str(model.generate({"prompt": text, **samples})[0])

        answer = lavis.asked(parts, used, generation, _THEIRS, generate)
        if samples and len(model.tokenizer(text).input_ids) > model.max_txt_len:
            cut = "the Q-formers see the end of a long question only"
            return answer._replace(warnings=[cut])
        return answer

    def _text(self, blocks: List[kit.Block]) -> str:
        return self._template.replace("{}", kit.conversation(blocks))


def load(options: kit.Options) -> XInstructBLIP:
    """Load the weights; see the kit's `Options`."""
    formers = {
        f"pretrained_{sense}_qformer": options.part(f"{sense}_qformer.pth", "weights")
        for sense in ("audio", "video")
    }
    return _loaded(options, formers)


def load_tiny(options: kit.Options) -> XInstructBLIP:
    """Load tiny random weights that are laid out like the real ones."""
    lavis.prepare(options.device)
    from aurelia_plugin.model_wrappers.sidecar.tiny.lavis.x_instructblip import tiny_parts

    with tiny_parts(options.folder) as changes:
        return _loaded(options._replace(weights=options.folder), changes)


def _loaded(options: kit.Options, changes: Mapping[str, object]) -> XInstructBLIP:
    lavis.prepare(options.device)
    from lavis.models.blip2_models.blip2_vicuna_xinstruct import Blip2VicunaXInstruct
    from omegaconf import OmegaConf

    beats = {"audio_encoder_kwargs": {"checkpoint_path": options.part("BEATs*.pt", "beats")}}
    config: Dict[str, object] = {
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
