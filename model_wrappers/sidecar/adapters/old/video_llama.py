"""Video-LLaMA with sound: upstream's `Chat`, as its demo uses it."""

from __future__ import annotations

import os
from typing import Any, List, Tuple

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import imagebind, models, repairs, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "Video-LLaMA 7B (its language model)"
ENVIRONMENT = "old"
UPSTREAM = "DAMO-NLP-SG/Video-LLaMA"
COMMIT = "64888c0a77e8e66af606c37629fbbf79c4582959"
WEIGHTS = "DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 16,
    "joint": "yes",
}
OPTIONS = {
    "imagebind": "imagebind_huge.pth; default: the one in the weights",
    "llm": "folder of the language model; default: the one with a config.json in the weights",
    "visual": "checkpoint of the visual branch; default: VL*.pth in the weights",
    "sound": "checkpoint of the sound branch; default: AL*.pth in the weights",
    "prompt": "llama_2 or vicuna; default: by the name of the language model's folder",
}
_LONGEST = 2000  # positions of prompt and reply; upstream cuts the beginning off, media first
_THEIRS = {"do_sample": True, "top_p": 0.9, "temperature": 1.0, "num_beams": 1}


class VideoLLaMA:
    """The model behind upstream's own conversation."""

    def __init__(self, chat: Any, template: Any, module: Any, llm: str) -> None:
        self.name = f"Video-LLaMA 7B ({llm})"
        self._chat, self._template, self._module = chat, template, module

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, most = kit.Used(), generation.max_new_tokens
        media = one_of_each(blocks, used, images=1)
        with torch.no_grad():
            talk, vectors = self._shown(media, used)

        def fits(form: List[kit.Block]) -> bool:
            whole = talk.copy()
            self._chat.ask(kit.conversation(form), whole)
            whole.append_message(whole.roles[1], None)
            room = _LONGEST - self._chat.get_context_emb(whole, vectors).shape[1]
            return bool(room >= most)

        blocks, shortened = kit.fitted(blocks, fits)
        used.dropped += shortened
        self._chat.ask(kit.conversation(blocks), talk)
        model = self._chat.model.llama_model
        asked = watching.generating_with(model, generation.arguments(_THEIRS), instead_of=_THEIRS)
        with models.first_logits(model) as logits, asked as prompt:
            text, tokens = self._chat.answer(talk, vectors, most, max_length=_LONGEST)
        used.input_tokens, used.output_tokens = prompt.value.shape[1], len(tokens)
        if used.clips:
            used.sound_tokens = watching.rows_within(prompt.value[0], vectors[0][0])
            if used.sound_tokens != self._chat.model.num_audio_query_token:
                raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
        return kit.Answer(text.replace("</s>", "").strip(), used, logits=logits.as_list())

    def _shown(self, media: Chosen, used: kit.Used) -> Tuple[Any, List[Any]]:
        """Return the conversation with the media in it, and their vectors: sound, then picture."""
        talk, chat = self._template.copy(), self._chat
        vectors: List[Any] = []
        if media.video:
            talk.system = ""
            upload = chat.upload_video if media.sound else chat.upload_video_without_audio
            own = shims.sound_instead(self._module, "load_and_transform_audio_data", media.sound)
            with watching.first_input(chat.model.visual_encoder) as frames, own as failures:
                upload(media.video.path, talk, vectors)
            used.frames = len(frames.value)
            if media.sound and len(vectors) != 2:  # upstream goes on without the sound
                raise kit.MediaError(media.sound, f"upstream cannot take it in: {failures}")
        elif media.images:
            chat.upload_img(media.images[0], talk, vectors)
            used.images = 1
        elif media.sound:  # as the sound branch was trained: in the place of a video
            read = self._module.load_and_transform_audio_data
            sound = read([media.sound], "cpu", clips_per_video=8).to(chat.device)
            vectors.append(chat.model.encode_audioQformer(sound)[0])
            talk.append_message(talk.roles[0], "<Video><ImageHere></Video> ")
        if media.sound and media.images:
            used.drop(media.what, "the system hears it beside a video or alone")
        elif media.sound:
            imagebind.hear_excerpts(used, media.seconds, media.what, 8)
        return talk, vectors


def load(options: kit.Options) -> VideoLLaMA:
    """Load the weights; see the kit's `Options`."""
    more = options.more
    llm = options.language_model()
    folder = os.path.basename(llm.rstrip("/"))
    vicuna = "vicuna" in (more.get("prompt") or folder).lower()
    if vicuna == ("llama_2" in (more.get("prompt") or folder).lower().replace("-", "_")):
        raise ValueError(f"{llm}: say with prompt=llama_2 or prompt=vicuna how it is asked")
    sources = {
        "llama_model": llm,
        "imagebind_ckpt_path": os.path.dirname(options.part("imagebind_huge.pth", "imagebind")),
        "ckpt": options.part("VL*.pth", "visual"),
        "ckpt_2": options.part("AL*.pth", "sound"),
    }
    repairs.pytorchvideo_that_imports()
    repairs.load_sound_without_torchcodec()
    from omegaconf import OmegaConf
    from video_llama.conversation import conversation_video as module
    from video_llama.models.video_llama import VideoLLAMA
    from video_llama.processors.video_processor import AlproVideoEvalProcessor

    path = os.path.join(options.repo, "video_llama", "configs", "models", "video_llama.yaml")
    precision = {"vit_precision": "fp32"} if options.device == "cpu" else {}
    config = {**OmegaConf.load(path).model, **sources, **precision}
    with watching.checkpoints_that_fit(VideoLLAMA):
        model = VideoLLAMA.from_config(config).to(options.device).eval()
    frames = AlproVideoEvalProcessor.from_config({"image_size": 224, "n_frms": 8})
    chat = module.Chat(model, frames, device=options.device)
    template = module.default_conversation if vicuna else module.conv_llava_llama_2
    return VideoLLaMA(chat, template, module, folder)


def load_tiny(options: kit.Options) -> VideoLLaMA:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.video_llama import tiny_parts

    repairs.pytorchvideo_that_imports()
    with tiny_parts(options.folder):
        return load(options._replace(weights=options.folder))
