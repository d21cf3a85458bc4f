"""NExT-GPT (the legacy code): upstream's encoders and prompt, each medium in its place."""

from __future__ import annotations

import importlib
import os
import re
from collections import Counter
from typing import Any, Dict, List

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import imagebind, models, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_samples

SYSTEM = "NExT-GPT 7b_tiva_v0 (legacy code)"
ENVIRONMENT = "old"
UPSTREAM = "NExT-GPT/NExT-GPT"
COMMIT = "60d618b067ee4cb0d70e7075ae79852780b34fc2"
WEIGHTS = "ChocoWu/nextgpt_7b_tiva_v0"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 4,
    "seconds": 6,
    "joint": "yes",
}
OPTIONS = {
    "delta": "NExT-GPT's own part; default: pytorch_model.pt in the weights",
    "llm": "folder of Vicuna 7B v0; default: the one with a config.json in the weights",
    "imagebind": "imagebind_huge.pth; default: the one in the weights",
}
_THEIRS = {"do_sample": True, "top_p": 1.0, "temperature": 0.4}  # of inference.py
_STOP = [835]  # the token ###
_MOST = {"Video": 1, "Sound": 4, "Image": 4}
_BETWEEN = "and"  # two media side by side: upstream takes the second for text
_DRAWN = re.compile(r"\[(?:IMG|VID|AUD)\d+\]\s*")  # what upstream would paint or play


class NextGPT:
    """The model behind upstream's own prompt."""

    def __init__(self, model: Any, stopping: Any) -> None:
        self._model, self._stopping = model, stopping

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model = kit.Used(), self._model
        blocks = _kept(blocks, used)
        with torch.no_grad(), watching.calls(model.llama_proj) as projected:
            vectors = [vector for block in blocks for vector in self._vectors(block, used)]
            longest = model.llama_model.config.max_position_embeddings - generation.max_new_tokens
            blocks, shortened = kit.fitted(
                blocks, lambda form: self._prompt(form, vectors).shape[1] <= longest
            )
            prompt = self._prompt(blocks, vectors)
        used.dropped += shortened
        used.input_tokens = prompt.shape[1]
        entered = [watching.rows_within(prompt[0], call.made) for call in projected]
        if not all(entered) or len(entered) != len(vectors):
            raise RuntimeError(f"of {len(vectors)} media {entered} vectors entered the prompt")
        used.sound_tokens = used.clips
        reply = models.reply_to_embeddings(
            model.llama_model,
            prompt,
            stopping_criteria=[self._stopping(stops=[_STOP], encounters=1)],
            **generation.arguments(_THEIRS),
        )
        used.output_tokens = len(reply.tokens)
        text = model.llama_tokenizer.decode(reply.tokens, skip_special_tokens=True)
        wishes = ["the reply asked for a picture, video or sound"] if _DRAWN.search(text) else []
        return kit.Answer(_DRAWN.sub("", text).split("###")[0], used, wishes, reply.logits)

    def _vectors(self, block: kit.Block, used: kit.Used) -> List[Any]:
        """Return what stands for a block's media: [1, marks and vector, width] for each."""
        model, made = self._model, []
        if isinstance(block, kit.Video):
            with watching.first_input(model.visual_encoder) as seen:
                made.append(model._prepare_video_embed(f"Video>{block.path}</Video", 1))
            used.frames += imagebind.frames_in(seen.value["vision"])
        if isinstance(block, kit.Image):
            made.append(model._prepare_image_embed(f"Image>{block.path}</Image", 1))
            used.images += 1
        sound = block.sound if isinstance(block, kit.Video) else None
        if isinstance(block, kit.Sound):
            sound = block.path
        if sound:
            seconds = len(read_samples(sound)) / RATE
            made.append(model._prepare_audio_embed(f"Audio>{sound}</Audio", 1))
            what = "sound" if isinstance(block, kit.Sound) else "soundtrack"
            imagebind.hear_excerpts(used, seconds, what)
        return made

    def _prompt(self, blocks: List[kit.Block], vectors: List[Any]) -> Any:
        """Return upstream's prompt: [1, positions, width].

        Upstream's own function takes the words apart at every ` <` and `> `, also in a question.
        """
        import torch

        marked: List[kit.Block] = []
        for block, text in zip(blocks, kit.placed(blocks)):
            marked += [text, text] if isinstance(block, kit.Video) and block.sound else [text]
        chunks = f"### Human: {kit.conversation(marked)}\n### Assistant:".split(kit.TAG)
        parts = [self._embedded(chunks[0].rstrip())]
        for vector, chunk in zip(vectors, chunks[1:]):
            parts += [vector, self._embedded(chunk.strip() or _BETWEEN)]
        return torch.cat(parts, dim=1)

    def _embedded(self, words: str) -> Any:
        """Return a chunk of text as embeddings, with the mark of the beginning before each one."""
        import torch

        ids = self._model.llama_tokenizer(words, add_special_tokens=False).input_ids
        ids = [self._model.llama_tokenizer.bos_token_id, *ids]
        return self._model.input_embeddings(torch.tensor([ids], device=self._model.device))


def _kept(blocks: List[kit.Block], used: kit.Used) -> List[kit.Block]:
    """Return the blocks that the system takes, and declare the others."""
    count: Counter[str] = Counter()
    kept = []
    for block in blocks:
        kind = type(block).__name__
        count[kind] += 1
        if count[kind] > _MOST.get(kind, len(blocks)):
            used.leave_out(block, "more than the system takes in a prompt")
        else:
            kept.append(block)
    return kept


def load(options: kit.Options) -> NextGPT:
    """Load the weights; see the kit's `Options`."""
    delta = options.part("pytorch_model.pt", "delta")
    sources = {
        "imagebind_version": os.path.dirname(options.part("imagebind_huge.pth", "imagebind")),
        "vicuna_version": options.language_model(),
    }
    module, settings = _upstream(options)
    absolute = {key: os.path.abspath(path) for key, path in sources.items()}
    model = module.NextGPTModel(**{**settings, **absolute})
    models.load_part(model, delta)
    return NextGPT(model.eval().half().to(options.device), module.StoppingCriteriaSub)


def load_tiny(options: kit.Options) -> NextGPT:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.pandagpt import tiny_parts

    with tiny_parts(options.folder, _upstream(options)[0]):
        return load(options._replace(weights=options.folder))


def _upstream(options: kit.Options) -> Any:
    """Return upstream's module of the model and its own settings."""
    code = os.path.join(options.repo, "NExT-GPT-Lagacy", "code")
    imagebind.prepare_header(code, options.device)
    settings: Dict[str, Any] = {"stage": 3, "mode": "validate"}
    with shims.working_in(code):  # for its files of settings
        from config import load_config

        module = importlib.import_module("model.anyToImageVideoAudio")
        return module, {**settings, **load_config(settings), "max_length": 128}
