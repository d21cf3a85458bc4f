"""AVicuna: upstream's `inference`, on features of CLIP and CLAP extracted as upstream does it."""

from __future__ import annotations

import contextlib
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, List, NamedTuple, Optional

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, repairs, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

if TYPE_CHECKING:
    from torch import Tensor

SYSTEM = "AVicuna 7B"
ENVIRONMENT = "old"
UPSTREAM = "yunlong10/AVicuna"
COMMIT = "3a19f51e648f3fb3a735e93e72e7ea87791bfa7d"
WEIGHTS = "the four stages, CLIP and CLAP (docs/sidecars.md)"
CAPABILITIES = {
    "sees": ["video"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 106,
    "joint": "yes",
}
OPTIONS = {
    "llm": "folder of Vicuna 7B v1.5; default: lmsys/vicuna-7b-v1.5 from the hub's cache",
    "clip": "OpenAI's CLIP; default: ViT-L-14.pt in the weights",
    "clap": "LAION's CLAP; default: 630k-fusion-best.pt in the weights",
}
_THEIRS = {"do_sample": True, "temperature": 0.05, "num_beams": 1}
_FIXED = [*_THEIRS, "max_new_tokens"]
_MARK = "<video>"
_FRAMES, _SOUNDS = 75, 25  # positions of a video and of its sound; upstream's masks fit no others
_WINDOW, _STRIDE = 10, 4  # seconds of sound that one vector of CLAP is made of
_NEGLIGIBLE = 0.5  # seconds


class _Encoders(NamedTuple):
    """Makes vectors of frames [frames, 3, height, width], and of the sound of a CLAP module."""

    clip: Any
    clap: Any


class AVicuna:
    """The language model behind upstream's own function, and the encoders."""

    def __init__(self, model: Any, tokenizer: Any, encoders: _Encoders, device: str) -> None:
        self._model, self._tokenizer, self._device = model, tokenizer, device
        self._encoders = encoders

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch
        from avicuna.inference import inference

        used, model = kit.Used(), self._model
        with torch.no_grad():
            features = self._features(one_of_each(blocks, used), used)
        taken = 0 if features is None else _FRAMES + _SOUNDS
        longest = model.config.max_position_embeddings - generation.max_new_tokens - taken
        blocks, shortened = kit.fitted(
            blocks, lambda form: len(self._ids(_query(form, taken > 0))) <= longest
        )
        used.dropped += shortened
        query, core = _query(blocks, taken > 0), model.get_model()
        with contextlib.ExitStack() as stack:
            arguments = generation.arguments(_THEIRS)
            asked = watching.generating_with(model, arguments, instead_of=_FIXED)
            made = stack.enter_context(asked)
            logits = stack.enter_context(models.first_logits(model))
            layers = stack.enter_context(watching.calls(core.layers[0]))
            heard = stack.enter_context(watching.calls(core.mm_projector_a))
            text = inference(model, features, query, self._tokenizer)
        entered = layers[0].given[0]
        if used.clips:
            rows = heard[0].made[0]
            used.sound_tokens = watching.rows_within(entered, rows)
            if used.sound_tokens != len(rows):
                raise RuntimeError(f"{used.sound_tokens} positions of sound entered the prompt")
        used.input_tokens = len(entered)
        used.output_tokens = made.made.shape[1] - len(self._ids(query))
        return kit.Answer(text, used, logits=logits.as_list())

    def _ids(self, query: str) -> List[int]:
        """Return the ids that upstream makes of a query, the mark of the media included."""
        from avicuna import inference

        talk = inference.conv_templates["v1"].copy()
        talk.append_message(talk.roles[0], query)
        talk.append_message(talk.roles[1], None)
        return list(inference.tokenizer_image_token(talk.get_prompt(), self._tokenizer))

    def _features(self, media: Chosen, used: kit.Used) -> Any:
        """Return upstream's argument for the media, None without any.

        A sound beside a video takes 25 positions, alone as many as it has windows; beside a video
        without sound stand zeros. So it was in training.
        """
        import torch

        sound = self._heard(media, used)
        if media.video is None:
            return None if sound is None else sound[None].to(torch.bfloat16)
        rows = torch.zeros(_SOUNDS, 512) if sound is None else _repeated(sound)
        both = [self._seen(media.video, used), rows.to(self._device, torch.bfloat16)]
        return [rows[None] for rows in both]

    def _seen(self, video: kit.Video, used: kit.Used) -> Tensor:
        """Return a vector for each frame: [frames, 768].

        Raises:
            MediaError: if the video cannot be read, where upstream goes on with a zero.
        """
        import torch
        from avicuna import inference

        extractor = inference.VideoExtractor(N=_FRAMES)
        _, images = extractor.extract({"id": None, "video": video.path})
        if images.ndim != 4:
            raise kit.MediaError(video.path, "upstream cannot read it as a video")
        shown = inference.Compose(
            [
                inference.Resize(224, interpolation=inference.BICUBIC),
                inference.CenterCrop(224),
                inference.Normalize(
                    (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
                ),
            ]
        )
        used.frames = len(images)
        pixels = shown(images / 255.0).to(torch.bfloat16)
        clip = self._encoders.clip
        vectors: Tensor = clip.encode_image(pixels.to(self._device, next(clip.parameters()).dtype))
        return vectors

    def _heard(self, media: Chosen, used: kit.Used) -> Optional[Tensor]:
        """Return a vector for each window of the sound, [windows, 512], and count what is heard."""
        from avicuna.test_clap import audio_feat_extraction

        if not media.sound:
            return None
        heard = _audible(media.seconds)
        if not heard:
            used.drop(media.what, "of sounds of a second or less upstream keeps nothing")
            return None
        used.hear(round(heard, 3))
        if heard < media.seconds - _NEGLIGIBLE:
            used.drop(f"{media.what} outside the windows", "not heard")
        rows: Tensor = audio_feat_extraction(media.sound, self._encoders.clap)
        return rows[:_SOUNDS]


def _repeated(rows: Tensor) -> Tensor:
    """Return 25 rows: each as often as upstream repeats it, the first ones once more."""
    import torch

    times, rest = divmod(_SOUNDS, len(rows))
    counts = torch.tensor([times + (place < rest) for place in range(len(rows))])
    return rows.repeat_interleave(counts.to(rows.device), dim=0)


def _audible(seconds: float) -> float:
    """Return how much of a sound lies in the windows of 10 s that begin every 4 s.

    Up to a second beyond whole tens upstream cuts off, more it fills up with silence. Of a sound of
    a second or less nothing is left.
    """
    rest = seconds % _WINDOW
    kept = seconds if rest > 1 else seconds - rest
    filled = kept if rest <= 1 else kept + _WINDOW - rest
    if not filled:
        return 0.0
    windows = min(int((filled - _WINDOW) // _STRIDE) + 1, _SOUNDS)
    return min(kept, (windows - 1) * _STRIDE + _WINDOW)


def _query(blocks: List[kit.Block], media: bool) -> str:
    words = kit.conversation(blocks)
    if _MARK in words:
        raise kit.RequestError(f"A question holds {_MARK}.", "Remove it.")
    return f"{_MARK}\n {words}" if media else words


def load(options: kit.Options) -> AVicuna:
    """Load the weights; see the kit's `Options`."""
    llm = options.more.get("llm", "lmsys/vicuna-7b-v1.5")
    stages = [options.part(f"*stage{stage}", "weights") for stage in (1, 2, 3, 4)]
    files = options.part("ViT-L-14.pt", "clip"), options.part("630k-fusion-best.pt", "clap")
    _prepare(options)
    import laion_clap
    import open_clip
    import torch
    from avicuna.model.builder import load_pretrained_model

    places = SimpleNamespace(
        model_base=llm,
        pretrain_mm_mlp_adapter=os.path.join(stages[0], "mm_projector.bin"),
        pretrain_mm_mlp_adapter_a=os.path.join(stages[1], "mm_projector_a.bin"),
    )
    tokenizer, model, _ = load_pretrained_model(places, *stages[2:])
    clap = laion_clap.CLAP_Module(enable_fusion=True, device=options.device)
    clap.load_ckpt(files[1], verbose=False)
    clip = open_clip.load_openai_model(files[0], device=options.device)  # the same weights
    model = model.to(options.device, torch.bfloat16).eval()
    return AVicuna(model, tokenizer, _Encoders(clip.eval(), clap.eval()), options.device)


def load_tiny(options: kit.Options) -> AVicuna:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.avicuna import tiny_parts

    _prepare(options)
    with tiny_parts(options.folder) as llm:
        more = {**options.more, "llm": llm}
        return load(options._replace(weights=options.folder, more=more))


def _prepare(options: kit.Options) -> None:
    """Make upstream importable."""
    if options.device == "cpu":
        repairs.run_on_cpu()
    # `test_clap` is imported as a part of upstream's package, `clip` is stood in for by open_clip.
    shims.stub("clip")
