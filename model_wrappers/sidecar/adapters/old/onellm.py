"""OneLLM: upstream's `MetaModel`, one medium a prompt as published, or both as an extension."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, List, NamedTuple
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, repairs, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "OneLLM-7B (joint, extension)"
ENVIRONMENT = "old"
UPSTREAM = "csuhan/OneLLM"
COMMIT = "8587a4768cf376fb41f7d586e21de5d1ab1ca365"
WEIGHTS = "csuhan/OneLLM-7B"
CAPABILITIES = {
    "sees": ["video"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 10.24,
    "joint": "extension",
}
OPTIONS = {
    "media": "joint (default, an extension), video or audio: what of a clip enters the prompt",
    "checkpoint": "default: consolidated.00-of-01.pth in the weights",
}
_THEIRS = {"temperature": 0.1, "top_p": 0.75}  # of the evaluations
_NAMES = {"joint": SYSTEM, "video": "OneLLM-7B (video only)", "audio": "OneLLM-7B (audio only)"}
_SECONDS = 10.24
_CROPS = 3  # of every frame


class _Media(NamedTuple):
    """What enters a prompt: `modal` is upstream's word for it."""

    modal: str
    images: Any


class OneLLM:
    """The model behind upstream's own template."""

    def __init__(self, model: Any, media: str, device: str) -> None:
        from data import conversation_lib, data_utils, video_utils

        self.name = _NAMES[media]
        self._model, self._senses, self._device = model, media, device
        self._template = conversation_lib.conv_templates["v1"]
        self._sound, self._video = data_utils, video_utils
        self._type = next(model.llma.layers.parameters()).dtype
        _take_both(model.llma)

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model, most = kit.Used(), self._model, generation.max_new_tokens
        media = self._prepared(one_of_each(blocks, used), used)
        extra = {"": 0, "both": 2 * (model.llma.image_words + 2)}
        taken = extra.get(media.modal, model.llma.image_words + 2)
        longest = model.llma.params.max_seq_len - most - taken
        blocks, shortened = kit.fitted(blocks, lambda form: len(self._ids(form)) <= longest)
        used.dropped += shortened
        ids = self._ids(blocks)
        chosen: Dict[str, Any] = {"temperature": generation.temperature}
        chosen["top_p"] = 1.0 if generation.top_p is None else generation.top_p
        if generation.decoding == "upstream":
            chosen = _THEIRS
        as_ids = mock.patch.object(model.tokenizer, "decode", lambda ids: ids)
        autocast = torch.cuda.amp.autocast(dtype=torch.float16)
        with contextlib.ExitStack() as stack:
            for context in (torch.inference_mode(), autocast, as_ids):
                stack.enter_context(context)
            heard = stack.enter_context(watching.calls(model.llma.clip_proj2["audio"]))
            layers = stack.enter_context(watching.calls(model.llma.layers[0]))
            logits = stack.enter_context(models.first_logits(model.llma.output))
            prompt = self._prompt(blocks)
            (whole,) = model.generate([prompt], media.images, most, modal=[media.modal], **chosen)
        entered = layers[0].given[0]
        used.input_tokens = len(entered)
        if used.clips:
            used.sound_tokens = watching.rows_within(entered, heard[0].made[0])
            if used.sound_tokens != model.llma.image_words:
                raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
        reply = whole[len(ids) :]
        used.output_tokens = len(reply)
        text = model.tokenizer.decode(reply)
        return kit.Answer(text.split("###")[0], used, logits=logits.as_list())

    def _prompt(self, blocks: List[kit.Block]) -> str:
        talk = self._template.copy()
        talk.append_message(talk.roles[0], kit.conversation(blocks))
        talk.append_message(talk.roles[1], None)
        return str(talk.get_prompt())

    def _ids(self, blocks: List[kit.Block]) -> List[int]:
        return list(self._model.tokenizer.encode(self._prompt(blocks), bos=True, eos=False))

    def _prepared(self, media: Chosen, used: kit.Used) -> _Media:
        """Load the media as upstream's evaluations do."""
        parts: Dict[str, Any] = {}
        if media.video and self._senses != "audio":
            path = media.video.path
            load = self._video.load_and_transform_video_data
            video = load(path, path, clip_duration=1, clips_per_video=5)[:, :, 0]
            parts["video"] = video[None].to(self._device, self._type)
            used.frames = len(video) // _CROPS
        elif media.video:
            used.drop("video", "media=audio")
        if media.sound and self._senses != "video":
            sound = self._sound.make_audio_features(media.sound, mel_bins=128).transpose(0, 1)
            parts["audio"] = sound[None, None].to(self._device, self._type)
            used.hear(media.seconds, _SECONDS, media.what)
        elif media.sound:
            used.drop(media.what, "media=video")
        if len(parts) == 2:
            return _Media("both", (parts["video"], parts["audio"]))
        return _Media(*next(iter(parts.items()))) if parts else _Media("", None)


def _take_both(llama: Any) -> None:
    """Let upstream's LLaMA take a video and a sound, each between the marks of its own kind."""
    import torch

    original = llama.encode_image

    def encode_image(x: Any, modal: str = "image") -> Any:
        if modal != "both":
            return original(x, modal)
        video, audio = original(x[0], "video"), original(x[1], "audio")
        return torch.cat([video, llama.end_tag["video"], llama.start_tag["audio"], audio], dim=1)

    llama.encode_image = encode_image
    llama.start_tag["both"] = llama.start_tag["video"]
    llama.end_tag["both"] = llama.end_tag["audio"]


def load(options: kit.Options) -> OneLLM:
    """Load the weights; see the kit's `Options`."""
    _prepare(options)
    form = os.path.join(options.repo, "config", "llama2")
    checkpoint = options.part("consolidated.00-of-01.pth", "checkpoint")
    files = os.path.join(form, "7B.json"), os.path.join(form, "tokenizer.model")
    return _loaded(options, *files, checkpoint)


def load_tiny(options: kit.Options) -> OneLLM:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.onellm import tiny_parts

    _prepare(options)
    with tiny_parts(options.folder) as files:
        return _loaded(options, *files, "")


def _loaded(options: kit.Options, form: str, tokenizer: str, checkpoint: str) -> OneLLM:
    import torch
    from model.meta import MetaModel
    from util.misc import default_tensor_type

    media = options.more.get("media", "joint")
    if media not in _NAMES:
        raise ValueError(f"media={media}: choose one of {', '.join(_NAMES)}")
    on_gpu = {"dtype": torch.float16, "device": "cuda"} if options.device == "cuda" else {}
    with default_tensor_type(**on_gpu):
        model = MetaModel("onellm", form, None, tokenizer)
    if checkpoint:
        models.load_part(model, checkpoint)
    return OneLLM(model.half().to(options.device).eval(), media, options.device)


def _prepare(options: kit.Options) -> None:
    """Make upstream importable."""
    if options.device == "cpu":
        repairs.run_on_cpu()
    repairs.pytorchvideo_that_imports()
    repairs.load_sound_without_torchcodec()
    repairs.attention_without_flash()
    repairs.one_process_group(options.folder)
    shims.stub("pointnet2_cuda")  # points in space
