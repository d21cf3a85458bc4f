"""VITA-1.5, by the call surface that lmms-eval uses; its own code was not read.

The surface is that of VITA-1.0 (360de22), whose code was read and run: `model_type=mixtral-8x7b`.
The soundtrack goes behind the question, where upstream puts a spoken question: as VITA was trained,
sound is the query, so a soundtrack together with a written question is an extension.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Tuple

from aurelia_plugin.model_wrappers.sidecar.kit import (
    Answer,
    Block,
    Generation,
    Image,
    Options,
    RequestError,
    Sound,
    Used,
    Video,
    conversation,
    fitted,
)
from aurelia_plugin.model_wrappers.sidecar.kit.models import counted, first_logits, prompt_length
from aurelia_plugin.model_wrappers.sidecar.kit.shims import (
    load_sound_without_torchcodec,
    run_on_cpu,
    stub,
)
from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_samples

SYSTEM = "VITA-1.5 (soundtrack as query)"
CAPABILITIES = {
    "sees": ["frames", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": None,
    "joint": "extension",
}
ENVIRONMENT = "vita"
UPSTREAM = "VITA-MLLM/VITA"
COMMIT = ""
WEIGHTS = "VITA-MLLM/VITA-1.5"
OPTIONS = {"model_type": "qwen2p5_instruct (VITA-1.5, the default) or mixtral-8x7b (VITA-1.0)"}

_TEMPLATES = {"qwen2p5_instruct": "qwen2p5_instruct", "mixtral-8x7b": "mixtral_two"}
_NAMES = {"qwen2p5_instruct": SYSTEM, "mixtral-8x7b": "VITA-1.0 (soundtrack as query)"}
_TAGS = ("<image>", "<audio>", "<video>")
_STATE = "\u261c"  # a hand that VITA-1.5 may write before a reply


class Vita:
    """Answers requests with upstream's loaders, conversation template and `generate`."""

    def __init__(self, options: Options, model_type: str, tokenizer: Any, model: Any) -> None:
        import video_audio_demo
        from vita import conversation as templates
        from vita.util import mm_utils

        self.name = _NAMES[model_type]
        self.model_type, self.tokenizer, self.model = model_type, tokenizer, model
        model.resize_token_embeddings(len(tokenizer))
        self.tower = model.get_vision_tower()
        if not self.tower.is_loaded:
            self.tower.load_model()
        model.get_audio_encoder().to(dtype=model.dtype)
        model.eval()
        self.template = templates.conv_templates[_TEMPLATES[model_type]]
        self.two, self.mm_utils = templates.SeparatorStyle.TWO, mm_utils
        self.frames_of = video_audio_demo._get_rawvideo_dec
        self.limit: int = getattr(model.config, "tokenizer_model_max_length", None) or 6200

    def answer(self, blocks: List[Block], generation: Generation) -> Answer:
        """Answer one request."""
        import torch

        used = Used()
        pictures, modality = self._pictures(blocks, used)
        sounds, sound_positions = self._sounds(blocks, used)
        room = self.limit - generation.max_new_tokens - sound_positions
        room -= len(pictures) * self.tower.num_patches // 4
        blocks, shortened = fitted(
            blocks,
            lambda form: len(self._tokens(form, len(pictures), used.clips, modality)) <= room,
        )
        used.dropped += shortened
        tokens = self._tokens(blocks, len(pictures), used.clips, modality)
        ids = torch.tensor([tokens], device=self.model.device)
        side = self.tower.config.image_size
        images = torch.cat(pictures) if pictures else torch.zeros(1, 3, side, side)
        stop = self.template.sep2 if self.template.sep_style == self.two else self.template.sep
        core = self.model.get_model()
        more: Dict[str, Any] = {}
        if self.model_type == "qwen2p5_instruct":
            more["shared_v_pid_stride"] = None
        with (
            torch.inference_mode(),
            first_logits(self.model) as logits,
            counted(core.mm_projector) as seen,
            prompt_length(core) as prompt,
        ):
            output = self.model.generate(
                ids,
                images=images.to(self.model.device, self.model.dtype),
                audios=sounds,
                output_scores=True,
                return_dict_in_generate=True,
                use_cache=True,
                stopping_criteria=[
                    self.mm_utils.KeywordsStoppingCriteria([stop], self.tokenizer, ids)
                ],
                **more,
                **generation.arguments({"do_sample": False, "temperature": 0.01, "num_beams": 1}),
            ).sequences
        used.input_tokens = prompt.positions
        words = len(tokens) - len(pictures) - used.clips
        used.sound_tokens = prompt.positions - words - (seen.positions if pictures else 0)
        if used.sound_tokens != sound_positions:
            raise RuntimeError(f"{sound_positions} sound tokens became {used.sound_tokens}")
        if output.shape[1] > len(tokens) and output[0, : len(tokens)].tolist() == tokens:
            output = output[:, len(tokens) :]  # VITA-1.0 gives the prompt back
        used.output_tokens = int(output.shape[1])
        warnings = ("the soundtrack stands where VITA was trained on spoken questions",)
        text = self._plain(self.tokenizer.batch_decode(output, skip_special_tokens=False)[0], stop)
        return Answer(text, used, warnings if used.clips else (), logits.as_list())

    def _pictures(self, blocks: List[Block], used: Used) -> Tuple[List[Any], str]:
        """Return one tensor [1, 3, side, side] for each place, and upstream's modality."""
        from PIL import Image as Picture
        from vita.constants import MAX_IMAGE_LENGTH
        from vita.util.data_utils_video_audio_neg_patch import dynamic_preprocess

        tensors: List[Any] = []
        for block in blocks:
            if isinstance(block, Video):
                frames, count = self.frames_of(
                    block.path,
                    self.tower.image_processor,
                    max_frames=MAX_IMAGE_LENGTH,
                    video_framerate=1,
                    image_aspect_ratio=getattr(self.model.config, "image_aspect_ratio", None),
                )
                tensors += frames.split(1)
                used.frames += count
            elif isinstance(block, Image):
                picture = Picture.open(block.path).convert("RGB")
                tiles, _ = dynamic_preprocess(
                    picture, min_num=1, max_num=12, image_size=448, use_thumbnail=True
                )
                tensors += self.model.process_images(tiles, self.model.config).split(1)
                used.images += 1
        return tensors, "video" if used.frames else "image" if used.images else "lang"

    def _sounds(self, blocks: List[Block], used: Used) -> Tuple[Dict[str, Any], int]:
        """Return upstream's sound dictionary and the positions it takes; silence where none is."""
        import torch

        own = [block.path for block in blocks if isinstance(block, Sound)]
        tracks = [block.sound for block in blocks if isinstance(block, Video) and block.sound]
        for kind, paths in (("sound", own[1:]), ("soundtrack", tracks[1:] if not own else tracks)):
            for _ in paths:
                used.drop(kind, "VITA takes one sound in a prompt")
        paths = (own or tracks)[:1]
        if paths:
            used.hear(len(read_samples(paths[0])) / RATE)
            features, positions = self.model.get_audio_encoder().audio_processor.process(paths[0])
        else:
            features, positions = torch.zeros(400, 80), 60  # upstream's own; no place refers to it
        device = self.model.device
        sounds = {
            "audios": features.unsqueeze(0).to(device, self.model.dtype),
            "lengths": torch.tensor([len(features)], device=device).to(self.model.dtype),
            "lengths_for_llm": torch.tensor([positions], device=device),
        }
        return sounds, positions if paths else 0

    def _tokens(self, blocks: List[Block], pictures: int, sounds: int, modality: str) -> List[int]:
        words = conversation(blocks)
        if any(tag in words for tag in _TAGS):
            raise RequestError(
                f"A question holds one of VITA's tags: {', '.join(_TAGS)}.", "Remove it."
            )
        lead = "<image>" * pictures + "\n" if pictures else ""
        turns = self.template.copy()
        turns.append_message(turns.roles[0], lead + words + "<audio>" * sounds)
        turns.append_message(turns.roles[1], None)
        prompt = turns.get_prompt(modality)
        made: List[int] = self.mm_utils.tokenizer_image_audio_token(prompt, self.tokenizer)
        return made

    @staticmethod
    def _plain(text: str, stop: str) -> str:
        text = text.strip()
        text = text[len(_STATE) :] if text.startswith(_STATE) else text
        end = "<|im_end|>" if stop == "<|im_start|>" else stop
        return text[: -len(end)] if text.endswith(end) else text


def _prepare(options: Options) -> None:
    """Make upstream importable; none of the stubs is used by inference."""
    if options.device == "cpu":
        run_on_cpu()
    load_sound_without_torchcodec()
    for name in ("deepspeed", "xformers.ops", "matplotlib.pyplot"):
        stub(name)


def load(options: Options) -> Vita:
    """Load the published weights."""
    _prepare(options)
    from vita.model.builder import load_pretrained_model
    from vita.util.mm_utils import get_model_name_from_path

    model_type = options.more.get("model_type", "qwen2p5_instruct")
    if model_type not in _TEMPLATES:
        raise ValueError(f"model_type={model_type}: use one of {', '.join(_TEMPLATES)}")
    path = os.path.expanduser(options.weights)
    name = get_model_name_from_path(path)
    where = {"device_map": "cuda:0"} if options.device == "cuda" else {"device": options.device}
    tokenizer, model, _, _ = load_pretrained_model(path, None, name, model_type, **where)
    return Vita(options, model_type, tokenizer, model)


def load_tiny(options: Options) -> Vita:
    """Build a tiny random VITA-1.0 of upstream's own classes; those of 1.5 were not read."""
    _prepare(options)
    from aurelia_plugin.model_wrappers.sidecar.tiny.vita import build

    return Vita(options, "mixtral-8x7b", *build(options.folder))
