"""VITA-1.5: upstream's loaders, conversation template and `generate`, as its demo uses them.

The soundtrack goes behind the question, where upstream puts a spoken question: as VITA was trained,
sound is the query, so a soundtrack together with a written question is an extension.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, repairs, shims
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "VITA-1.5 (soundtrack as query)"
ENVIRONMENT = "vita"
UPSTREAM = "VITA-MLLM/VITA"
COMMIT = "35d064a6542a5d812136fcd66fa93d9beb27b03c"
WEIGHTS = "VITA-MLLM/VITA-1.5"
CAPABILITIES = {
    "sees": ["frames", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": None,
    "joint": "extension",
}
_TAGS = ("<image>", "<audio>", "<video>")
_NOISE = "\u261f"
_STATES = f"\u261c\u261e{_NOISE}"  # one may stand before a reply: to text, to speech, to noise


class Vita:
    """The model behind upstream's own processors and template."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        import video_audio_demo
        from vita import constants, conversation
        from vita.util import mm_utils

        model.resize_token_embeddings(len(tokenizer))
        self._tokenizer, self._model, self._mm_utils = tokenizer, model, mm_utils
        self._tower, self._ear = model.get_vision_tower(), model.get_audio_encoder()
        self._ear.to(dtype=model.dtype)
        model.eval()
        self._template = conversation.conv_templates["qwen2p5_instruct"]
        self._frames, self._most = video_audio_demo._get_rawvideo_dec, constants.MAX_IMAGE_LENGTH
        self._limit: int = getattr(model.config, "tokenizer_model_max_length", None) or 6200

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model = kit.Used(), self._model
        media = one_of_each(blocks, used, images=self._most, beside_video=self._most)
        pictures = self._pictures(media, used)
        sound, heard = self._sound(media, used)
        seen = len(pictures) * self._tower.num_patches // 4
        room = self._limit - generation.max_new_tokens - seen - heard
        blocks, shortened = kit.fitted(
            blocks, lambda form: len(self._ids(form, used, pictures)) <= room
        )
        used.dropped += shortened
        row = self._ids(blocks, used, pictures)
        ids, side = torch.tensor([row], device=model.device), self._tower.config.image_size
        images = torch.cat(pictures) if pictures else torch.zeros(1, 3, side, side)
        stop = self._mm_utils.KeywordsStoppingCriteria([self._template.sep], self._tokenizer, ids)
        entered = models.prompt_length(model.get_model())
        with torch.inference_mode(), models.first_logits(model) as logits, entered as prompt:
            output = model.generate(
                ids,
                images=images.to(model.device, model.dtype),
                audios=sound,
                use_cache=True,
                stopping_criteria=[stop],
                **generation.arguments({"do_sample": False, "num_beams": 1}),
            )
        words = len(row) - len(pictures) - used.clips
        used.sound_tokens = prompt.positions - words - seen
        if used.sound_tokens != heard:
            raise RuntimeError(f"{heard} sound tokens became {used.sound_tokens}")
        used.input_tokens, used.output_tokens = prompt.positions, int(output.shape[1])
        text = self._tokenizer.decode(output[0], skip_special_tokens=True).strip()
        warnings = []
        if used.clips:
            warnings.append("the soundtrack stands where VITA was trained on spoken questions")
        if text.startswith(_NOISE):
            warnings.append("VITA marked the sound as noise that asks for no reply")
        return kit.Answer(text.lstrip(_STATES), used, warnings, logits.as_list())

    def _pictures(self, media: Chosen, used: kit.Used) -> List[Any]:
        """Return a tensor [1, 3, side, side] for each place: frames, then tiles of images."""
        from PIL import Image
        from vita.util.data_utils_video_audio_neg_patch import dynamic_preprocess

        tensors: List[Any] = []
        if media.video:
            frames, used.frames = self._frames(
                media.video.path,
                self._tower.image_processor,
                max_frames=self._most,
                video_framerate=1,
                image_aspect_ratio=getattr(self._model.config, "image_aspect_ratio", None),
            )
            tensors += frames.split(1)
        for path in media.images:
            picture = Image.open(path).convert("RGB")
            tiles, _ = dynamic_preprocess(
                picture, min_num=1, max_num=12, image_size=448, use_thumbnail=True
            )
            tensors += self._model.process_images(tiles, self._model.config).split(1)
            used.images += 1
        return tensors

    def _sound(self, media: Chosen, used: kit.Used) -> Tuple[Dict[str, Any], int]:
        """Return upstream's sound dictionary and how many positions of the prompt it takes."""
        import torch

        model = self._model
        features, positions, heard = torch.zeros(400, 80), 60, 0  # upstream's own for no sound
        if media.sound:
            features, positions = self._ear.audio_processor.process(media.sound)
            trained = getattr(model.config, "audio_prompt_finetune", False)  # vectors before it
            heard = positions + (model.config.audio_prompt_num if trained else 0)
            used.hear(media.seconds)
        values = {
            "audios": features.unsqueeze(0).to(model.device, model.dtype),
            "lengths": torch.tensor([len(features)], device=model.device).to(model.dtype),
            "lengths_for_llm": torch.tensor([positions], device=model.device),
        }
        return values, heard

    def _ids(self, blocks: List[kit.Block], used: kit.Used, pictures: List[Any]) -> List[int]:
        """Return the ids of upstream's prompt, with a tag's id in the place of each medium."""
        words = kit.conversation(blocks)
        if any(tag in words for tag in _TAGS):
            raise kit.RequestError(
                f"A question holds one of VITA's tags: {', '.join(_TAGS)}.", "Remove it."
            )
        lead = "<image>" * len(pictures) + "\n" if pictures else ""
        talk = self._template.copy()
        talk.append_message(talk.roles[0], lead + words + "<audio>" * used.clips)
        talk.append_message(talk.roles[1], None)
        prompt = talk.get_prompt("video" if used.frames else "image" if used.images else "lang")
        return list(self._mm_utils.tokenizer_image_audio_token(prompt, self._tokenizer))


def load(options: kit.Options) -> Vita:
    """Load the weights; the encoders that their configuration names come from the hub's cache."""
    _prepare(options)
    from vita.model.builder import load_pretrained_model

    where = {"device_map": "cuda:0"} if options.device == "cuda" else {"device": options.device}
    path = options.weights.rstrip("/")
    tokenizer, model, _, _ = load_pretrained_model(path, None, "vita", "qwen2p5_instruct", **where)
    return Vita(tokenizer, model.float() if options.device == "cpu" else model)


def load_tiny(options: kit.Options) -> Vita:
    """Write a tiny random checkpoint of upstream's own classes, and load it as a real one."""
    _prepare(options)
    from aurelia_plugin.model_wrappers.sidecar.tiny.vita import write_checkpoint

    return load(options._replace(weights=write_checkpoint(options.folder)))


def _prepare(options: kit.Options) -> None:
    """Make upstream importable; inference uses none of the stubs."""
    if options.device == "cpu":
        repairs.run_on_cpu()
    repairs.load_sound_without_torchcodec()
    for name in ("deepspeed", "xformers.ops", "matplotlib.pyplot"):
        shims.stub(name)
