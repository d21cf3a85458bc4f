"""AnyGPT: upstream's prompt, with frames as images and the first 5 s of sound as music."""

from __future__ import annotations

import os
from typing import Any, Dict, List

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, repairs, shims
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import one_of_each
from aurelia_plugin.model_wrappers.sidecar.kit.sound import cropped

SYSTEM = "AnyGPT-chat 7B (frames as images, 5 s of sound as music; extension)"
ENVIRONMENT = "old"
UPSTREAM = "OpenMOSS/AnyGPT"
COMMIT = "282b58fa96ae3f14d639b23f47b4732bf68883f0"
WEIGHTS = "fnlp/AnyGPT-chat"
CAPABILITIES = {
    "sees": ["frames", "images"],
    "soundtrack": True,
    "clips": 1,
    "seconds": 5,
    "joint": "extension",
}
OPTIONS = {
    "frames": "how many frames of a video, at equal distances; default: 8",
    "seed": "SEED's seed_quantizer.pt; default: the one in the weights",
    "encodec": "folder of facebook/encodec_32khz; default: the hub's cache",
}
_THEIRS = {"do_sample": True, "temperature": 1.0, "top_p": 1.0, "num_beams": 5}
_THEIRS.update(min_new_tokens=10, repetition_penalty=1.0)  # config/generate_config.json
_IMAGES = 8
_SECONDS = 5
_STUBS: Dict[str, Dict[str, Any]] = {  # speech, painting, and the words of both
    "speechtokenizer": {"SpeechTokenizer": None},
    "voice_clone": {"load_soundstorm": None, "semantic2acoustic": None},
    "cleantext": {"clean": None},
    "nemo_text_processing.inverse_text_normalization.inverse_normalize": {
        "InverseNormalizer": lambda **_: None
    },
    "seed2.pipeline_stable_unclip_img2img": {"StableUnCLIPImg2ImgPipeline": None},
}


class AnyGPT:
    """The language model behind upstream's own preprocessing."""

    def __init__(self, module: Any, inference: Any, frames: int, folder: str) -> None:
        self._module, self._inference, self._frames = module, inference, frames
        self._folder = folder
        self._kinds = {
            kind: {inference.tokenizer.convert_tokens_to_ids(f"<{prefix}{n}>") for n in range(8192)}
            for kind, prefix in (("image", module.image_prefix), ("music", module.music_prefix))
        }

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request; see the kit's `System`."""
        import torch

        used, inference = kit.Used(), self._inference
        media = one_of_each(blocks, used, images=_IMAGES)
        frames = _frames_of(media.video.path, self._frames, self._folder) if media.video else []
        used.frames, used.images = len(frames), len(media.images)
        music = [cropped(media.sound, _SECONDS, self._folder)] if media.sound else []
        if media.sound:
            used.hear(media.seconds, _SECONDS, media.what)
        coded = self._prompt(kit.TAG, [*frames, *media.images], music)

        def ids(form: List[kit.Block]) -> List[int]:
            words = kit.conversation(form)
            return list(inference.tokenizer(coded.replace(kit.TAG, words)).input_ids)

        longest = inference.model.config.max_position_embeddings - generation.max_new_tokens
        blocks, shortened = kit.fitted(blocks, lambda form: len(ids(form)) <= longest)
        used.dropped += shortened
        prompt = ids(blocks)
        self._check(used, coded, prompt)
        with torch.no_grad(), models.first_logits(inference.model) as logits:
            given = torch.tensor([prompt], device=inference.device)
            whole = inference.model.generate(given, **generation.arguments(_THEIRS))[0].tolist()
        reply = whole[len(prompt) :]
        used.input_tokens, used.output_tokens = len(prompt), len(reply)
        codes = set().union(*self._kinds.values())
        words = [token for token in reply if token not in codes]
        text = inference.tokenizer.decode(words, skip_special_tokens=True)
        text = text.split("<eom>")[0].split("<eos>")[0]
        painted = len(reply) - len(words)
        warnings = [f"{painted} codes of pictures or music in the reply: left out"] * bool(painted)
        return kit.Answer(text, used, warnings, logits.as_list())

    def _prompt(self, words: str, images: List[str], music: List[str]) -> str:
        """Return upstream's prompt, its media as the names of their codes."""
        self._module.conversation.messages = []  # upstream collects them
        inference = self._inference
        return str(inference.preprocess("interleaved", words, images, [], music))

    def _check(self, used: kit.Used, coded: str, prompt: List[int]) -> None:
        """Count the codes in the prompt; refuse one in which they are not tokens of their own."""
        count = {kind: sum(one in ids for one in prompt) for kind, ids in self._kinds.items()}
        marks = {"image": self._module.image_prefix, "music": self._module.music_prefix}
        written = {kind: coded.count(f"<{mark}") for kind, mark in marks.items()}
        if count != written or bool(used.clips) != bool(written["music"]):
            raise RuntimeError(f"codes in the prompt: {count}; there should be {written}")
        used.sound_tokens = count["music"]


def _frames_of(path: str, count: int, folder: str) -> List[str]:
    """Write frames of a video, from the middles of equal parts, and return their files."""
    import decord
    from PIL import Image

    video = decord.VideoReader(path)
    count = min(count, len(video))
    places = [int((n + 0.5) * len(video) / count) for n in range(count)]
    files = [os.path.join(folder, f"frame-{n}.png") for n in range(count)]
    for file, pixels in zip(files, video.get_batch(places).asnumpy()):
        Image.fromarray(pixels).save(file)
    return files


def load(options: kit.Options) -> AnyGPT:
    """Load the weights; see the kit's `Options`."""
    module = _upstream(options)
    import torch
    from transformers import EncodecFeatureExtractor, EncodecModel, LlamaForCausalLM, LlamaTokenizer

    on_cpu, encodec = options.device == "cpu", options.more.get("encodec", "facebook/encodec_32khz")
    inference = object.__new__(module.AnyGPTChatInference)  # its own constructor loads far more
    inference.device = torch.device(options.device)
    inference.prompter = module.Prompter()
    seed = options.part("seed_quantizer.pt", "seed")
    inference.image_tokenizer = module.ImageTokenizer(seed, device=options.device, fp16=not on_cpu)
    inference.music_tokenizer = EncodecModel.from_pretrained(encodec).to(options.device).eval()
    inference.music_processor = EncodecFeatureExtractor.from_pretrained(encodec)
    inference.music_sample_rate, inference.music_segment_duration = 32_000, _SECONDS
    types = {"torch_dtype": torch.float32 if on_cpu else torch.float16}
    inference.model = LlamaForCausalLM.from_pretrained(options.weights, **types)
    inference.model.to(options.device).eval()
    inference.tokenizer = LlamaTokenizer.from_pretrained(options.weights)
    frames = int(options.more.get("frames", _IMAGES))
    return AnyGPT(module, inference, frames, options.folder)


def load_tiny(options: kit.Options) -> AnyGPT:
    """Load tiny random weights that are laid out like the real ones."""
    from aurelia_plugin.model_wrappers.sidecar.tiny.old.anygpt import tiny_parts

    weights = os.path.join(options.folder, "weights")
    with tiny_parts(weights, _upstream(options)):
        encodec = {"encodec": os.path.join(weights, "encodec")}
        return load(options._replace(weights=weights, more={**encodec, **options.more}))


def _upstream(options: kit.Options) -> Any:
    """Return upstream's module of the chat model."""
    if options.device == "cpu":
        repairs.run_on_cpu()
    repairs.load_sound_without_torchcodec()
    shims.import_from(os.path.join(options.repo, "anygpt", "src"))
    for name, attributes in _STUBS.items():
        shims.stub(name, **attributes)
    from infer import cli_infer_chat_model

    return cli_infer_chat_model
