"""Bay-CAT: upstream's `inference`. No weights were ever published."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, List

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import imagebind as shared
from aurelia_plugin.model_wrappers.sidecar.kit import models, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "Bay-CAT 7B (its code; no weights exist)"
ENVIRONMENT = "old"
UPSTREAM = "rikeilong/Bay-CAT"
COMMIT = "a568f2de85b4078b7edbf0accf64a5d0ea93a42c"
CAPABILITIES = {
    "sees": ["frames"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 6,
    "joint": "yes",
}
_MARKS = "<Q>", "<video>"
_VECTORS = 33  # of each medium: 32 of its Q-former, and one of the whole
_FIXED = "do_sample", "num_beams", "max_new_tokens"  # greedy, 1024


class BayCAT:
    """The language model and ImageBind behind upstream's own function."""

    def __init__(self, model: Any, tokenizer: Any, encoder: Any, options: kit.Options) -> None:
        self._model, self._tokenizer, self._encoder = model, tokenizer, encoder
        self._device, self._folder = options.device, options.folder

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import inference
        import torch

        used, model = kit.Used(), self._model
        with torch.no_grad():
            media = self._vectors(one_of_each(blocks, used), used)
        extra = 2 * _VECTORS * bool(media)
        longest = model.config.max_position_embeddings - generation.max_new_tokens - extra
        blocks, shortened = kit.fitted(
            blocks, lambda form: len(self._ids(_query(form, media))) <= longest
        )
        used.dropped += shortened
        query = _query(blocks, media)
        core, arguments = model.get_model(), generation.arguments({})  # theirs is greedy, too
        with contextlib.ExitStack() as stack:
            asked = watching.generating_with(model, arguments, instead_of=_FIXED)
            made = stack.enter_context(asked)
            logits = stack.enter_context(models.first_logits(model))
            layers = stack.enter_context(watching.calls(core.layers[0]))
            heard = [core.CA.llama_proj_audio, core.mm_projector_a]
            rows = [stack.enter_context(watching.calls(part)) for part in heard]
            text = inference.inference(model, *self._both(media), query, self._tokenizer)
        entered = layers[0].given[0]
        if used.clips:
            vectors = torch.cat([call[0].made.reshape(-1, entered.shape[-1]) for call in rows])
            used.sound_tokens = watching.rows_within(entered, vectors)
            if used.sound_tokens != _VECTORS:
                raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
        used.input_tokens = len(entered)
        used.output_tokens = made.made.shape[1] - len(self._ids(query))
        absent = [kind for kind in ("picture", "sound") if media and kind not in media]
        warnings = [f"no {kind}: a vector of zeros stands in its place" for kind in absent]
        return kit.Answer(text, used, warnings, logits.as_list())

    def _ids(self, query: str) -> Any:
        """Return the ids that upstream makes of a query, marks of the media included."""
        import inference

        talk = inference.conv_templates["llama_2"].copy()
        talk.append_message(talk.roles[0], query)
        talk.append_message(talk.roles[1], None)
        return inference.tokenizer_image_token(talk.get_prompt(), self._tokenizer)

    def _both(self, media: Dict[str, Any]) -> List[Any]:
        """Return upstream's two arguments; a medium that is missing is a vector of zeros."""
        import torch

        kinds = (media.get(kind, torch.zeros(1, 1024)) for kind in ("picture", "sound"))
        return [vectors[None].to(self._device, torch.bfloat16) for vectors in kinds]

    def _vectors(self, media: Chosen, used: kit.Used) -> Dict[str, Any]:
        """Return ImageBind's vectors as upstream extracts them: [frames, 1024] and [1, 1024]."""
        from imagebind import data

        found: Dict[str, Any] = {}
        if media.video:
            files = _frames(media.video.path, self._folder)
            pixels = data.load_and_transform_vision_data(files, self._device)
            found["picture"] = self._encoder({"vision": pixels})["vision"]
            used.frames = len(files)
        if media.sound:
            sound = data.load_and_transform_audio_data([media.sound], self._device)
            found["sound"] = self._encoder({"audio": sound})["audio"]
            shared.hear_excerpts(used, media.seconds, media.what)
        return found


def _query(blocks: List[kit.Block], media: Dict[str, Any]) -> str:
    """Return the words as upstream asks them: the question between marks, then the media."""
    words = kit.conversation(blocks)
    if any(mark in words for mark in _MARKS):
        raise kit.RequestError(f"A question holds {' or '.join(_MARKS)}.", "Remove it.")
    return f"<Q>{words}<Q>\n<video>" if media else words


def _frames(path: str, folder: str) -> List[str]:
    """Write a frame of each second of a video (of a shorter one the last), and return the files."""
    import decord
    from PIL import Image

    video = decord.VideoReader(path)
    step = max(1, round(video.get_avg_fps()))
    places = list(range(step - 1, len(video), step)) or [len(video) - 1]
    files = [os.path.join(folder, f"{n}.jpg") for n in places]
    for file, pixels in zip(files, video.get_batch(places).asnumpy()):
        Image.fromarray(pixels).save(file)
    return files


def load(options: kit.Options) -> BayCAT:
    """Say that there is nothing to load; see the kit's `Options`."""
    raise FileNotFoundError("no weights of Bay-CAT were ever published; use tiny=true")


def load_tiny(options: kit.Options) -> BayCAT:
    """Make a tiny random instance of upstream's own classes."""
    shared.prepare(options.device)
    code = os.path.join(options.repo, "SFT_CAT")
    shims.import_from(code, os.path.join(code, "model"))
    shims.stub("clip")  # upstream's features are ImageBind's
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.bay_cat import tiny_parts

    return BayCAT(*tiny_parts(options.folder), options)
