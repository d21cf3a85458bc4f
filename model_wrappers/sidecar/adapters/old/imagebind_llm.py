"""ImageBind-LLM: upstream's `generate`; picture and sound are a weighted mean of two vectors."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import imagebind, models, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "ImageBind-LLM 7B"
ENVIRONMENT = "old"
UPSTREAM = "OpenGVLab/LLaMA-Adapter"
COMMIT = "521a09da84f70f6913d54b7421afa24010319e47"
WEIGHTS = "Cxxs/ImageBind-LLM"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 6,
    "joint": "yes",
}
OPTIONS = {
    "knn": "yes (default, as in upstream's demo) or no: vectors are moved towards known ones",
    "llama": "subfolder of the weights with LLaMA; default: 7B_chinese, as in training",
}
_THEIRS = {"temperature": 0.1, "top_p": 0.75}
_ROOM = 256  # tokens of a reply, of the 512 for prompt and reply; upstream's default
_LEAST = 64  # what is left of that behind a long question


class ImageBindLLM:
    """The model behind upstream's own prompt."""

    def __init__(self, module: Any, loaders: Any, model: Any, knn: bool) -> None:
        self.name = f"{SYSTEM} ({'kNN' if knn else 'no kNN'}, weights 1 and 1)"
        self._module, self._loaders, self._model = module, loaders, model
        self._device = str(next(model.parameters()).device)

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        used, model = kit.Used(), self._model
        media = one_of_each(blocks, used, images=1)
        whole = model.llama.params.max_seq_len
        rooms = [min(generation.max_new_tokens, room) for room in (_ROOM, _LEAST)]
        try:
            blocks, shortened = kit.fitted(blocks, self._within(whole - rooms[0]))
        except kit.RequestError:  # the question alone leaves the reply less
            blocks, shortened = kit.fitted(blocks, self._within(whole - rooms[1]))
        used.dropped += shortened
        ids = self._ids(blocks)
        most = min(rooms[0], whole - len(ids))
        chosen: Dict[str, Any] = {"temperature": generation.temperature}
        chosen["top_p"] = 1.0 if generation.top_p is None else generation.top_p
        if generation.decoding == "upstream":
            chosen = _THEIRS
        inputs = self._inputs(media)
        seeing, first = watching.calls(model.image_bind), models.first_logits(model.llama.output)
        with seeing as seen, first as logits, models.counted(model.llama.output) as steps:
            (text,) = model.generate(inputs, [ids], max_gen_len=most, **chosen)
        used.input_tokens, used.output_tokens = len(ids), steps.positions
        self._account(used, media, imagebind.senses(seen))
        full = used.output_tokens == most < generation.max_new_tokens
        warnings = [f"the reply ends at {most} tokens, the room for it"] if full else []
        return kit.Answer(text, used, warnings, logits.as_list())

    def _within(self, longest: int) -> Callable[[List[kit.Block]], bool]:
        return lambda form: len(self._ids(form)) <= longest

    def _ids(self, blocks: List[kit.Block]) -> List[int]:
        prompt = self._module.format_prompt(kit.conversation(blocks))
        return list(self._model.tokenizer.encode(prompt, bos=True, eos=False))

    def _inputs(self, media: Chosen) -> Dict[str, Any]:
        """Return upstream's inputs: for each medium its tensor and its weight."""
        import torch

        loaders, where, inputs = self._loaders, self._device, {}
        if media.images:
            images = loaders.load_and_transform_vision_data(list(media.images), where)
            inputs["Image"] = [images, 1]
        if media.video:
            video = loaders.load_and_transform_video_data([media.video.path], where)
            inputs["Video"] = [video, 1]
        if media.sound:
            inputs["Audio"] = [loaders.load_and_transform_audio_data([media.sound], where), 1]
        # Words alone were trained with a black picture.
        return inputs or {"Image": [torch.zeros(1, 3, 224, 224, device=where), 1]}

    @staticmethod
    def _account(used: kit.Used, media: Chosen, given: Dict[str, Any]) -> None:
        """Tell what of the media was encoded; the mean of their vectors is in every layer."""
        used.images = len(media.images)
        if media.video:
            used.frames = imagebind.frames_in(given["vision"])
        if media.sound:
            used.sound_tokens = len(given["audio"])
            imagebind.hear_excerpts(used, media.seconds, media.what)


def load(options: kit.Options) -> ImageBindLLM:
    """Load the weights; see the kit's `Options`."""
    knn = options.more.get("knn", "yes") != "no"
    for name in ("7B.pth", "imagebind_w3D.pth", "tokenizer.model", *(["knn.index"] if knn else [])):
        options.part(name, "weights")  # upstream would download what is not there
    module = _upstream(options)
    from ImageBind import data

    named = {"knn": knn, "llama_type": options.more.get("llama", "7B_chinese")}
    with shims.working_in(os.path.join(options.folder, "as-upstream")):
        model = module.load("7B", "ckpts", options.device, **named)
    return ImageBindLLM(module, data, model.eval(), knn)


def load_tiny(options: kit.Options) -> ImageBindLLM:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.imagebind_llm import tiny_parts

    weights = os.path.join(options.folder, "weights")
    options = options._replace(weights=weights)
    _upstream(options)
    with tiny_parts(weights):
        return load(options)


def _upstream(options: kit.Options) -> Any:
    """Return upstream's package `llama`, which is loaded among links to what it looks for."""
    imagebind.prepare(options.device)
    code = os.path.join(options.repo, "imagebind_LLM")
    shims.import_from(code)
    shims.stub("torch._six", inf=float("inf"))
    shims.stub("open3d")  # points in space
    shims.stub("knn_cuda", KNN=lambda **_: None)
    links = {"ImageBind": os.path.join(code, "ImageBind"), "ckpts": options.weights}
    place = os.path.join(options.folder, "as-upstream")
    if not os.path.isdir(place):
        shims.linked(place, links)
    import llama

    return llama
