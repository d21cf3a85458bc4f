"""Unified-IO-2, large and XL: upstream's preprocessor and model, as its README shows them."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Tuple

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, shims, watching, windows
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import Chosen, one_of_each

SYSTEM = "Unified-IO-2 (uio2-large or uio2-xl)"
ENVIRONMENT = "uio2"
UPSTREAM = "allenai/unified-io-2.pytorch"
COMMIT = "6e487bec6be8f9b909453a5f9833c49914f4a777"
WEIGHTS = "allenai/uio2-large"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 20.4,
    "joint": "yes",
}
OPTIONS = {
    "size": "large (default) or xl: what the weights have to be",
    "tokenizer": "LLaMA's tokenizer.model; default: the one in the folder of the weights",
}
_WINDOW = 4.08  # seconds of sound; upstream: config.AUDIO_SEGMENT_LENGTH


class UnifiedIO2:
    """The model behind upstream's own preprocessor."""

    def __init__(self, model: Any, size: str, tokenizer: str, device: str) -> None:
        from uio2.preprocessing import UnifiedIOPreprocessor

        self.name = f"Unified-IO-2 (uio2-{size})"
        model.set_modalities(target_modalities=["text"])
        self._model = model.to(device).eval()
        self._preprocess = UnifiedIOPreprocessor.from_config(model.full_config, tokenizer)
        self._frames = self._preprocess.sequence_length["num_frames"]  # beside the one full-sized

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import tensorflow
        from uio2.preprocessing import build_batch

        tensorflow.random.set_seed(generation.seed)
        used = kit.Used()
        media = one_of_each(blocks, used, images=self._frames + 1, beside_video=1)
        limit = self._model.config.encoder_max_text_length - 1  # upstream appends the end mark
        blocks, shortened = kit.fitted(blocks, lambda form: len(self._encoded(form)) <= limit)
        used.dropped += shortened
        example = self._preprocess(kit.conversation(blocks), "text", **self._inputs(media))
        if len(example["/inputs/text/tokens"]) - 1 != len(self._encoded(blocks)):
            raise RuntimeError("not all of the text entered the prompt")
        batch = build_batch([example], device=self._model.device)
        longest = min(generation.max_new_tokens, self._model.config.decoder_max_text_length)
        arguments = generation._replace(max_new_tokens=longest).arguments({})  # theirs is greedy
        counted = watching.positions(self._model.input_embedders)
        with models.first_logits(self._model.decoder) as logits, counted as counts:
            tokens = self._model.generate(batch, modality="text", **arguments)[0, 1:].tolist()
        tokens = tokens[: [*tokens, 1].index(1)]
        shown = _rows(example, "image_history") + ("/inputs/image/mask" in example)
        used.images, used.frames = len(media.images), shown - len(media.images)
        used.input_tokens, used.output_tokens = sum(counts.values()), len(tokens)
        if media.sound:
            self._heard(used, media, example, counts)
        cut = len(tokens) == longest < generation.max_new_tokens
        warnings = [f"the reply ends at {longest} tokens, the model's limit"] if cut else []
        text = self._preprocess.tokenizer.decode(tokens)
        return kit.Answer(text, used, warnings, logits.as_list())

    def _encoded(self, blocks: List[kit.Block]) -> List[int]:
        """Return the tokens of the words, with the prefix that upstream puts before them."""
        words = self._preprocess.PREFIXES["text"] + kit.conversation(blocks)
        return list(self._preprocess.tokenizer.encode(words))

    def _inputs(self, media: Chosen) -> Dict[str, Any]:
        """Return the media as arguments of upstream's preprocessor."""
        return {
            "video_inputs": media.video.path if media.video else None,
            "use_video_audio": bool(media.sound) and not media.separate,
            "audio_inputs": media.sound if media.separate else None,
            "image_inputs": media.images[-1] if media.images else None,
            "image_history": list(media.images[:-1]) or None,
            "encode_frame_as_image": None if media.images else -1,  # the last, in full size
        }

    def _heard(self, used: kit.Used, media: Chosen, example: Any, counts: Dict[str, int]) -> None:
        """Count the windows of sound in the prompt; refuse an answer without those it should hold.

        Upstream goes on without a soundtrack that it cannot read, and masks out digital silence.
        """
        if media.video and not media.separate:
            heard = windows.middles(media.video.seconds, self._frames + (not media.images), _WINDOW)
        else:
            whole, rest = divmod(media.seconds, _WINDOW)
            count = max(1, int(whole) + (rest - 0.1 > _WINDOW / 2))
            heard = windows.contiguous(count, _WINDOW, self._frames + 1)
        last, earlier = example.get("/inputs/audio/mask"), _rows(example, "audio_history")
        if last is None:
            raise kit.MediaError(media.sound, "upstream's loader found no sound")
        expected = last.sum() + earlier * self._model.full_config.audio_history_cfg.latents_size
        used.sound_tokens = counts.get("audio", 0) + counts.get("audio_history", 0)
        if used.sound_tokens != expected:
            raise RuntimeError(f"{used.sound_tokens} positions of sound, and not {expected}")
        windows.account(used, media, heard, earlier + int(last.any()))


def _rows(example: Any, name: str) -> int:
    """Return how many frames or windows of a modality are not masked out."""
    mask = example.get(f"/inputs/{name}/mask")
    return 0 if mask is None else int(mask.any(axis=-1).sum())


def load(options: kit.Options) -> UnifiedIO2:
    """Load the weights; see the kit's `Options`."""
    tokenizer = options.more.get("tokenizer") or os.path.join(options.weights, "tokenizer.model")
    if not os.path.isfile(tokenizer):
        raise FileNotFoundError(f"{tokenizer}: name LLaMA's tokenizer.model as tokenizer=FILE")
    config, model_class = _upstream()
    model = model_class.from_pretrained(options.weights)
    size = options.more.get("size", "large")
    if model.config.emb_dim != config.CONFIG_MAP[size].t5_config.emb_dim:
        raise ValueError(f"{options.weights} is not uio2-{size}; name its weights or another size")
    return UnifiedIO2(model, size, tokenizer, options.device)


def load_tiny(options: kit.Options) -> UnifiedIO2:
    """Write a tiny random checkpoint of upstream's own configuration, and load it as a real one."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.unified_io_2 import write_checkpoint

    write_checkpoint(options.folder, *_upstream(), options.more.get("size", "large"))
    return load(options._replace(weights=options.folder))


def _upstream() -> Tuple[Any, Any]:
    """Return upstream's configurations and its class of models."""
    shims.require_programs("ffmpeg", "ffprobe")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow

    tensorflow.config.set_visible_devices([], "GPU")  # it would take all of the GPU's memory
    with shims.hashable_dataclasses("uio2"):
        from uio2 import config
        from uio2.model import UnifiedIOModel

    return config, UnifiedIOModel
