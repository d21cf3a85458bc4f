"""video-SALMONN: upstream's test set and model; picture and sound share the prompt's positions."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Sequence
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import imagebind, models, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

if TYPE_CHECKING:
    from torch import Tensor

SYSTEM = "video-SALMONN 13B"
ENVIRONMENT = "old"
UPSTREAM = "bytedance/SALMONN"
COMMIT = "c305d54c7c8e868e873cb58e6ee8599770979cc8"
WEIGHTS = "tsinghua-ee/Video-SALMONN"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 30,
    "joint": "yes",
}
OPTIONS = {
    "delta": "video-SALMONN's own part; default: pytorch_model*.pt in the weights",
    "llm": "folder of Vicuna 13B v1.5; default: the one with a config.json in the weights",
    "qformer": "InstructBLIP's; default: instruct_blip_vicuna13b_trimmed.pth in the weights",
    "eva": "EVA ViT-g; default: eva_vit_g.pth in the weights",
    "beats": "checkpoint of BEATs; default: BEATs*.pt in the weights",
}
_THEIRS = {
    "do_sample": False,
    "num_beams": 5,
    "repetition_penalty": 1.5,
    "length_penalty": 1.0,
    "min_length": 1,
    "top_p": 0.9,
}
_SECONDS = 30  # of sound
_LONGEST = 60  # seconds of a video
_FOLDER = "ckpt/pretrained_ckpt"  # where upstream looks for parts, below its working directory
_FIXED = {
    "qformer": "instruct_blip_vicuna13b_trimmed.pth",
    "beats": "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt",
}
_NAMES = {"audiovideoimage": "video", "audioimage": "image", "audio": "audio"}
_NOTHING = "./dummy/dummy_audio.json"  # the sound that upstream masks out beside a silent video

_Talk = List[Dict[str, str]]


class VideoSALMONN:
    """The model behind upstream's own test set."""

    def __init__(self, model: Any, module: Any, place: str) -> None:
        from datasets import SupervisedAudioVisualDataset4Test

        self._model, self._module, self._place = model, module, place
        self._sets: Dict[str, Any] = {}
        form = {"use_whisper": "true", "training": False, "return_raw": True, "cache_dir": None}
        with shims.working_in(place):
            for kind, name in _NAMES.items():
                paths = {"audio_data_path": _NOTHING, f"{name}_data_path": _NOTHING}
                self._sets[kind] = SupervisedAudioVisualDataset4Test(kind, **paths, **form)

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, model = kit.Used(), self._model
        media = one_of_each(blocks, used, images=1)
        blocks, shortened = kit.fitted(
            blocks, lambda form: len(self._ids(_talk(form))) <= model.max_tgt_len
        )
        used.dropped += shortened
        talk = _talk(blocks)
        if talk[0]["value"][1:-1] in model.prompt:
            raise kit.RequestError(
                "Upstream puts other words in the place of a question that is the name of a task.",
                "Word it differently.",
            )
        llm, arguments = model.llama_model, generation.arguments(_THEIRS)
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(shims.working_in(self._place))
            frames = stack.enter_context(watching.calls(model.visual_encoder))
            rows = stack.enter_context(watching.calls(model.llama_proj))
            logits = stack.enter_context(models.first_logits(llm))
            asked = watching.generating_with(llm, arguments, instead_of=_THEIRS)
            prompt = stack.enter_context(asked)
            said = self._said(media, talk)
        self._account(used, media, frames, rows, prompt.value[0])
        used.input_tokens = prompt.value.shape[1]
        used.output_tokens = len(prompt.made[0]) - 1  # it begins with the mark of the beginning
        text = said.replace("<s>", "").replace("</s>", "").strip()
        return kit.Answer(text, used, logits=logits.as_list())

    def _ids(self, talk: _Talk) -> Sequence[int]:
        """Return the ids of the words behind the media; upstream cuts their end, cue included."""
        tokenizer, prompt = self._model.llama_tokenizer, self._model.prompt
        ids: Sequence[int] = self._module.build_one_instance(tokenizer, talk, True, prompt)[1]
        return ids

    def _said(self, media: Chosen, talk: _Talk) -> str:
        import torch

        model = self._model
        if media.video or media.images or media.sound:
            return str(model(self._batch(media, talk), generate=True)[0])
        # Words alone, which upstream has no form for: nothing between the marks of the media.
        tokenizer, longest = model.llama_tokenizer, model.max_tgt_len
        words = {"generate": True, "prompt": model.prompt}
        ids = self._module.process_batch_instance(tokenizer, [talk], longest, **words)
        nothing = torch.zeros(1, 0, model.llama_model.config.hidden_size)
        embeddings = model.prompt_wrap(nothing.to(model.device, model.llama_model.dtype), *ids[:3])
        made = model.llama_model.generate(inputs_embeds=embeddings[0])
        return str(tokenizer.batch_decode(made)[0])

    def _batch(self, media: Chosen, talk: _Talk) -> Any:
        """Return a request as upstream's test set makes it, of one item.

        Raises:
            RuntimeError: if upstream left out a part of the video, or masked the sound.
        """
        seen = media.video.path if media.video else next(iter(media.images), "")
        kind = "audiovideoimage" if media.video else "audioimage" if seen else "audio"
        made = self._sets[kind]
        clips: List[object] = []
        paths = [seen, media.sound] if seen and media.sound else seen or media.sound
        setattr(made, f"{_NAMES[kind]}_path_list", [paths])
        setattr(made, f"{_NAMES[kind]}_caption_list", [talk])
        places = made.get_clip_timepoints

        def noting(*given: object) -> Any:
            clips.extend(found := places(*given))
            return found

        with mock.patch.object(made, "get_clip_timepoints", noting):
            item = made[0]
        if media.video and len(item["image_paths"][1]) != len(clips):
            raise RuntimeError("upstream could not read a part of the video")
        batch = made.collate([item])
        if seen and media.sound and batch["audiomasks"].tolist() != [[1, 1]]:
            raise RuntimeError("upstream masked the sound")
        return batch

    @staticmethod
    def _account(
        used: kit.Used,
        media: Chosen,
        frames: List[watching.Call],
        rows: List[watching.Call],
        prompt: Tensor,
    ) -> None:
        """Tell what of the media entered; every position holds picture and sound of a stretch."""
        if not rows:
            return
        vectors = rows[-1].made.reshape(-1, prompt.shape[-1])
        entered = watching.rows_within(prompt, vectors)
        if entered != len(vectors):
            raise RuntimeError(f"{entered} of {len(vectors)} positions of media entered the prompt")
        used.images = len(media.images)
        if media.video:
            used.frames = len(frames[0].given)
            if media.video.seconds > _LONGEST:
                used.drop(f"video beyond {_LONGEST} s", "more than the model takes")
        if media.sound:
            used.sound_tokens = entered
            used.hear(media.seconds, _SECONDS, media.what)


def _talk(blocks: List[kit.Block]) -> _Talk:
    """Return a request as an item of upstream's test set holds it: the reply is not known."""
    question = {"from": "human", "value": kit.conversation(blocks)}
    return [question, {"from": "gpt", "value": ""}]


def load(options: kit.Options) -> VideoSALMONN:
    """Load the weights; see the kit's `Options`."""
    own = {
        "vicuna_ckpt_path": options.language_model(),
        "delta_ckpt_path": options.part("pytorch_model*.pt", "delta"),
        "cache_dir": None,
    }
    parts = {
        "qformer": options.part(_FIXED["qformer"], "qformer"),
        "beats": options.part("BEATs*.pt", "beats"),
    }
    eva = options.part("eva_vit_g.pth", "eva")
    module = _upstream(options)
    from omegaconf import OmegaConf

    place = _place(options)
    shims.linked(place, {f"{_FOLDER}/{_FIXED[part]}": path for part, path in parts.items()})
    with shims.working_in(place), _eva_from(eva):
        config = {**OmegaConf.to_container(OmegaConf.load("config/test.yaml")), **own}
        with watching.checkpoints_that_fit(module.OpenLLAMAPEFTModel):
            model = module.OpenLLAMAPEFTModel(**config)
    return VideoSALMONN(model.eval().half().to(options.device), module, place)


def load_tiny(options: kit.Options) -> VideoSALMONN:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.video_salmonn import tiny_parts

    with tiny_parts(options.folder, _upstream(options)):
        return load(options._replace(weights=options.folder))


def _place(options: kit.Options) -> str:
    return os.path.join(options.folder, "as-upstream")


def _upstream(options: kit.Options) -> Any:
    """Return upstream's `model.openllama`, which is imported among links to what it looks for."""
    imagebind.prepare_header(options.repo, options.device)
    place = _place(options)
    if not os.path.isdir(place):
        names = ("config", "dummy", "prompt")
        shims.linked(place, {name: os.path.join(options.repo, name) for name in names})
    with shims.working_in(place):
        from model import openllama

    return openllama


@contextlib.contextmanager
def _eva_from(path: str) -> Iterator[None]:
    """Let upstream load EVA from a file, where it names one on its authors' disk."""
    import torch

    original = torch.load

    def load(file: Any, *given: Any, **named: Any) -> Any:
        elsewhere = isinstance(file, str) and os.path.basename(file) == "eva_vit_g.pth"
        return original(path if elsewhere else file, *given, **named)

    with mock.patch.object(torch, "load", load):
        yield
