"""PandaGPT: upstream's encoders and prompt; picture and sound are one vector."""

from __future__ import annotations

import os
from typing import Any, List

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import imagebind, models, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import one_of_each

SYSTEM = "PandaGPT 13B"
ENVIRONMENT = "old"
UPSTREAM = "yxuansu/PandaGPT"
COMMIT = "9b77e0412d42a468362b67d1892ff0f4f659a4f5"
WEIGHTS = "openllmplayground/pandagpt_13b_max_len_400"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 6,
    "joint": "yes",
}
OPTIONS = {
    "delta": "PandaGPT's own part; default: pytorch_model.pt in the weights",
    "llm": "folder of Vicuna v0; default: the one with a config.json in the weights",
    "imagebind": "imagebind_huge.pth; default: the one in the weights",
}
_THEIRS = {"do_sample": True, "top_p": 0.01, "temperature": 1.0}  # of the web demo
_SETTINGS = {"stage": 2, "max_tgt_len": 128, "lora_r": 32, "lora_alpha": 32, "lora_dropout": 0.1}
_STOP = 2277  # the token ###


class PandaGPT:
    """The model behind upstream's own prompt."""

    def __init__(self, model: Any, stopping: Any, delta: str) -> None:
        self.name = f"{SYSTEM} ({delta})"
        self._model, self._stopping = model, stopping

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model = kit.Used(), self._model
        with torch.no_grad():
            vector = self._seen_and_heard(blocks, used)
            longest = model.llama_model.config.max_position_embeddings - generation.max_new_tokens
            blocks, shortened = kit.fitted(
                blocks, lambda form: self._prompt(form, vector).shape[1] <= longest
            )
            prompt = self._prompt(blocks, vector)
        used.dropped += shortened
        used.input_tokens = prompt.shape[1]
        if watching.rows_within(prompt[0], vector[0]) != vector.shape[1]:
            raise RuntimeError("the vector of picture and sound is not in the prompt")
        reply = models.reply_to_embeddings(
            model.llama_model,
            prompt,
            stopping_criteria=[self._stopping(stops=[_STOP], encounters=1)],
            **generation.arguments(_THEIRS),
        )
        used.output_tokens = len(reply.tokens)
        # Upstream takes off the last two tokens of any reply, also where it has no end mark.
        text = model.llama_tokenizer.decode(reply.tokens, skip_special_tokens=True)
        return kit.Answer(text.split("###")[0], used, logits=reply.logits)

    def _prompt(self, blocks: List[kit.Block], vector: Any) -> Any:
        inputs = {"prompt": kit.conversation(blocks), "modality_embeds": [vector]}
        return self._model.prepare_generation_embedding(inputs)

    def _seen_and_heard(self, blocks: List[kit.Block], used: kit.Used) -> Any:
        """Return the sum of the media's vectors: [1, 1, width], or [1, 0, width] without any."""
        import torch

        model, media = self._model, one_of_each(blocks, used, images=1, beside_video=1)
        paths = {
            "image_paths": list(media.images),
            "audio_paths": [media.sound] if media.sound else [],
            "video_paths": [media.video.path] if media.video else [],
            "thermal_paths": [],
        }
        if not any(paths.values()):
            return torch.zeros(1, 0, model.llama_model.config.hidden_size, device=model.device)
        with watching.calls(model.visual_encoder) as seen, watching.calls(model.llama_proj) as made:
            vector = model.extract_multimodal_feature(paths)
        if not torch.allclose(vector[0], sum(call.made for call in made)):
            raise RuntimeError("the vector is not the sum of those of all media")
        used.images = len(media.images)
        if media.video:
            used.frames = imagebind.frames_in(seen[-1].given["vision"])
        if media.sound:
            imagebind.hear_excerpts(used, media.seconds, media.what)
            used.sound_tokens = len(imagebind.senses(seen)["audio"])
        return vector


def load(options: kit.Options) -> PandaGPT:
    """Load the weights; see the kit's `Options`."""
    delta = options.part("pytorch_model.pt", "delta")
    sources = {
        "imagebind_ckpt_path": os.path.dirname(options.part("imagebind_huge.pth", "imagebind")),
        "vicuna_ckpt_path": options.language_model(),
    }
    module = _upstream(options)
    model = module.OpenLLAMAPEFTModel(**_SETTINGS, **sources)
    models.load_part(model, delta)
    name = os.path.basename(os.path.dirname(os.path.abspath(delta)))
    model = model.eval().half().to(options.device)
    return PandaGPT(model, module.StoppingCriteriaSub, name)


def load_tiny(options: kit.Options) -> PandaGPT:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.pandagpt import tiny_parts

    with tiny_parts(options.folder, _upstream(options)):
        return load(options._replace(weights=options.folder))


def _upstream(options: kit.Options) -> Any:
    imagebind.prepare_header(os.path.join(options.repo, "code"), options.device)
    from model import openllama

    return openllama
