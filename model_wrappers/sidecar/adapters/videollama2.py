"""VideoLLaMA2.1-7B-AV: branch `audio_visual` of DAMO-NLP-SG/VideoLLaMA2.

Upstream's `mm_infer` puts one medium into a prompt; here the same template, tokenizer and
`generate` are called with one tag for each medium, which upstream's `generate` takes.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from aurelia_plugin.model_wrappers.sidecar import kit
from aurelia_plugin.model_wrappers.sidecar.kit import models, repairs
from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, cropped, read_waveform

SYSTEM = "VideoLLaMA2.1-7B-AV"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 4,
    "seconds": 30,
    "joint": "yes",
}
ENVIRONMENT = "vl2"
UPSTREAM = "DAMO-NLP-SG/VideoLLaMA2"
COMMIT = "8cedfbda23e779246112cb963416b95415448a91"
WEIGHTS = "DAMO-NLP-SG/VideoLLaMA2.1-7B-AV"

_TRACK_SECONDS = 16.0  # upstream: 8 windows of 2 s, spread over the soundtrack
_SOUND_SECONDS = 30.0
_SOUND_TOKENS = 1496  # of 30 s: 187 x 8 patches of 16 x 16
_MOST_PICTURE_TOKENS = 1400  # a video of 16 frames has 1352


class VideoLlama2:
    """Answers requests with upstream's processors, chat template and `generate`."""

    def __init__(self, options: kit.Options) -> None:
        import videollama2
        from videollama2 import constants, mm_utils

        elsewhere = {} if options.device == "cuda" else {"device": options.device}
        self.model, self.processor, self.tokenizer = videollama2.model_init(
            options.weights.rstrip("/"), **elsewhere
        )
        if options.device == "cpu":
            self.model.float()
        if self.model.config.model_type != "videollama2_qwen2":
            raise ValueError(f"{options.weights} is a {self.model.config.model_type}, not {SYSTEM}")
        self.frames: int = self.model.config.num_frames
        self.context: int = getattr(self.model.config, "max_position_embeddings", 32768)
        self.ids: Dict[str, int] = constants.MODAL_INDEX_MAP
        self.upstream = mm_utils
        self.folder = options.folder

    def answer(self, blocks: List[kit.Block], generation: kit.Generation) -> kit.Answer:
        """Answer one request."""
        import torch

        used = kit.Used()
        media, tags = self._media(blocks, used)
        pictures = tags.count(self.ids["<video>"])
        room = self.context - generation.max_new_tokens
        room -= pictures * _MOST_PICTURE_TOKENS + used.clips * _SOUND_TOKENS
        blocks, shortened = kit.fitted(blocks, lambda form: len(self._tokens(form, tags)) <= room)
        used.dropped += shortened
        ids = torch.tensor([self._tokens(blocks, tags)], device=self.model.device)
        stop = self.upstream.KeywordsStoppingCriteria(
            [self.tokenizer.eos_token], self.tokenizer, ids
        )
        core = self.model.model
        with (
            torch.inference_mode(),
            models.first_logits(self.model) as logits,
            models.counted(core.mm_projector) as seen,
            models.counted(core.mm_projector_a) as heard,
        ):
            output = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                images=media or None,
                use_cache=True,
                stopping_criteria=[stop],
                pad_token_id=self.tokenizer.eos_token_id,
                **generation.arguments({"do_sample": False}),
            )
        used.sound_tokens, used.output_tokens = heard.positions, int(output.shape[1])
        used.input_tokens = ids.shape[1] - len(media) + seen.positions + heard.positions
        if used.sound_tokens != used.clips * _SOUND_TOKENS:
            raise RuntimeError(f"{used.clips} sounds became {used.sound_tokens} tokens")
        text = self.tokenizer.batch_decode(output, skip_special_tokens=True)[0]
        return kit.Answer(text, used, (), logits.as_list())

    def _media(self, blocks: List[kit.Block], used: kit.Used) -> Tuple[List[Any], List[int]]:
        """Return what upstream's `generate` takes as `images`, and the id of each one's place."""
        media, tags = [], []
        for block in blocks:
            if isinstance(block, kit.Video):
                media.append((self._video(block, used), "video"))
            elif isinstance(block, kit.Sound):
                media.append((self._sound(block, used), "audio"))
            elif isinstance(block, kit.Image):
                # As an image it would be sent to the sound encoder where there is no video; as a
                # video of equal frames it is what upstream makes of images itself.
                picture = self._cast(self.processor["image"](block.path))
                media.append((picture.expand(self.frames, -1, -1, -1), "video"))
                used.images += 1
            else:
                continue
            tags.append(self.ids[f"<{media[-1][1]}>"])
        return media, tags

    def _video(self, block: kit.Video, used: kit.Used) -> Any:
        if block.sound is None:
            video = self._cast(self.processor["video"](block.path, va=False))
            used.frames += len(video)
            return video
        sound = read_waveform(block.sound)
        # Upstream decodes with a program and turns a failure into 30 s of zeros: hand it the sound.
        self.upstream.load_audio_from_video = lambda _file, sr=RATE: (sound, sr)
        both = self.processor["video"](block.path, va=True)
        used.frames += len(both["video"])
        why = "upstream takes 8 windows of 2 s"
        used.hear(len(sound) / RATE, _TRACK_SECONDS, "soundtrack", why)
        return {key: self._cast(value) for key, value in both.items()}

    def _sound(self, block: kit.Sound, used: kit.Used) -> Any:
        # Of a longer one upstream takes a random window.
        path = cropped(block.path, _SOUND_SECONDS, self.folder)
        used.hear(block.seconds, _SOUND_SECONDS)
        return self._cast(self.processor["audio"](path))

    def _cast(self, tensor: Any) -> Any:
        return tensor.to(device=self.model.device, dtype=self.model.dtype)

    def _tokens(self, blocks: List[kit.Block], tags: List[int]) -> List[int]:
        """Return the prompt's ids: upstream's template, with a tag's id in each medium's place."""
        prompt = self.tokenizer.apply_chat_template(
            kit.turns(blocks), tokenize=False, add_generation_prompt=True
        )

        def tokens(text: str) -> List[int]:
            return list(self.tokenizer(text, add_special_tokens=False).input_ids)

        return kit.spliced(prompt, [[tag] for tag in tags], tokens)


def _prepare(options: kit.Options) -> None:
    if options.device == "cpu":
        repairs.run_on_cpu()
    repairs.pytorchvideo_that_imports()


def load(options: kit.Options) -> VideoLlama2:
    """Load the published weights; the SigLIP tower that they name comes from the hub's cache."""
    _prepare(options)
    return VideoLlama2(options)


def load_tiny(options: kit.Options) -> VideoLlama2:
    """Write a tiny random checkpoint of upstream's own classes, and load it as a real one."""
    _prepare(options)
    from aurelia_plugin.model_wrappers.sidecar.tiny.videollama2 import write_checkpoint

    return VideoLlama2(options._replace(weights=write_checkpoint(options.folder)))
