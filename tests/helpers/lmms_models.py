"""Stand-ins for the model packages that lmms-eval's wrappers import.

Each has the names and signatures of the upstream file named with it, and writes down what it is
given. No line of them is upstream code.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from lmms_libraries import Given, install
from PIL import Image

ANSWER = "upstream answer"


class Log(list[Given]):
    """The calls of one upstream model."""


class Words:
    """A tokenizer: every character is a token."""

    eos_token_id, pad_token_id, padding_side = 0, 0, "left"

    def __call__(self, text: str) -> Any:
        return SimpleNamespace(input_ids=[ord(letter) for letter in text])

    def encode(self, text, add_special_tokens=False, bos=False, eos=False):  # type: ignore[no-untyped-def]
        return self(text).input_ids

    def decode(self, tokens: Any, skip_special_tokens: bool = False) -> str:
        if not np.ndim(tokens):
            return chr(int(tokens))
        return "".join(chr(int(token)) for token in tokens if int(token) > 0)

    def batch_decode(self, rows, skip_special_tokens=False, clean_up_tokenization_spaces=None):  # type: ignore[no-untyped-def]
        return [self.decode(row) for row in rows]

    def convert_ids_to_tokens(self, ids: int) -> str:
        return f"<{ids}>"


class Upstream(torch.nn.Module):
    """What all stand-in models share: they answer with the same words."""

    def __init__(self, log: Log, **config: Any) -> None:
        super().__init__()
        self.log = log
        self.config = SimpleNamespace(**config)
        self.device = torch.device("cpu")

    def tie_weights(self) -> None:
        pass

    def answered(self, given: Given, prompt: torch.Tensor | None = None) -> torch.Tensor:
        """Write a call down; return the tokens of the answer, after the prompt's."""
        self.log.append(given)
        answer = torch.tensor([[ord(letter) for letter in ANSWER]])
        return answer if prompt is None else torch.cat([prompt, answer], dim=1)


def _text(input_ids: torch.Tensor) -> str:
    return Words().decode([token for token in input_ids.flatten().tolist() if token > 0])


def minicpm_o(patch: pytest.MonkeyPatch, log: Log) -> None:
    """`modeling_minicpmo.py` of openbmb/MiniCPM-o-2_6: `MiniCPMO.chat`."""

    class MiniCPMO(Upstream):
        def chat(  # type: ignore[no-untyped-def]
            self,
            image=None,
            msgs=None,
            tokenizer=None,
            processor=None,
            vision_hidden_states=None,
            max_new_tokens=2048,
            min_new_tokens=0,
            sampling=True,
            max_inp_length=32768,
            stream=False,
            chunk_input=True,
            omni_input=False,
            max_slice_nums=None,
            use_image_id=None,
            use_tts_template=False,
            generate_audio=False,
            return_spk_embed=False,
            return_dict=False,
            output_audio_path=None,
            **kwargs,
        ):
            given = Given(settings={"max_new_tokens": max_new_tokens, "omni_input": omni_input})
            for part in msgs[0]["content"]:
                if isinstance(part, str):
                    given.text += part
                elif isinstance(part, Image.Image):
                    given.see(part)
                else:
                    given.hear(part)
            self.log.append(given)
            return ANSWER

    _automatic(patch, "AutoModel", MiniCPMO(log))
    _automatic(patch, "AutoTokenizer", Words())


def omnivinci(patch: pytest.MonkeyPatch, log: Log) -> None:
    """NVlabs/OmniVinci @819a2a0, `example_infer.py`: processor, media and `generate`."""

    class Processor:
        tokenizer = Words()

        def __init__(self) -> None:
            self.config = SimpleNamespace(load_audio_in_video=False)

        def apply_chat_template(self, conversation, add_generation_prompt=False, tokenize=True):  # type: ignore[no-untyped-def]
            return json.dumps(conversation)

        def __call__(self, conversations: list[str]) -> Any:
            media: list[tuple[str, str]] = []
            text = ""
            for message in json.loads(conversations[0]):
                for part in message["content"]:
                    text += part.get("text", "")
                    if part["type"] != "text":
                        media.append((part["type"], part[part["type"]]))
                        if part["type"] == "video" and self.config.load_audio_in_video:
                            media.append(("audio", part["video"]))
            ids = torch.tensor([Words()(text).input_ids or [32]])
            return SimpleNamespace(input_ids=ids, media=media, media_config={})

    class Model(Upstream):
        default_generation_config = transformers.GenerationConfig()

        def generate(self, input_ids=None, media=None, media_config=None, generation_config=None):  # type: ignore[no-untyped-def]
            limit = generation_config.max_new_tokens
            given = Given(_text(input_ids), settings={"max_new_tokens": limit})
            for kind, value in media:
                if kind == "video":
                    given.watch_file(value)
                elif kind == "audio":
                    given.hear_file(value)
                else:
                    given.see(Image.open(value))
            return self.answered(given)

    _automatic(patch, "AutoConfig", SimpleNamespace())
    _automatic(patch, "AutoModel", Model(log))
    _automatic(patch, "AutoProcessor", Processor())


def baichuan_omni(patch: pytest.MonkeyPatch, log: Log) -> None:
    """baichuan-inc/Baichuan-Omni-1.5 @51f55ff: `bind_processor` and `OmniProcessorOutput`."""
    marks = {name: index for index, name in enumerate(("image", "video", "audio"), 1)}

    class Model(Upstream):
        def bind_processor(self, tokenizer, **kwargs):  # type: ignore[no-untyped-def]
            self.processor = self._process

        def _process(self, example: list[str], parallel: int = 128) -> Any:
            given = Given()
            rest = example[0]
            while "{" in rest:
                before, _, rest = rest.partition("{")
                inside, _, rest = rest.partition("}")
                given.text += before
                facts = json.loads("{" + inside + "}")
                if before.endswith(f"<{marks['video']}0>"):
                    given.watch_file(facts["local"])
                elif before.endswith(f"<{marks['audio']}0>"):
                    given.hear_file(facts["path"])
                else:
                    given.see(Image.open(facts["local"]))
            given.text += rest
            self._given = given
            media = ("audios", "encoder_length", "bridge_length", "images", "patch_nums")
            videos = ("images_grid", "videos", "videos_patch_nums", "videos_grid")
            nothing = dict.fromkeys((*media, *videos))
            ids = torch.tensor([Words()(given.text).input_ids])
            return SimpleNamespace(input_ids=ids, attention_mask=torch.ones_like(ids), **nothing)

        def generate(self, input_ids=None, attention_mask=None, tokenizer=None, **how):  # type: ignore[no-untyped-def]
            self._given.settings = how
            return self.answered(self._given, input_ids)

    def ids(name: str) -> SimpleNamespace:
        number = marks[name] * 10
        return SimpleNamespace(
            **{f"{name}_start_token_id": number, f"{name}_end_token_id": number + 1}
        )

    video = SimpleNamespace(**vars(ids("image")), **vars(ids("video")))
    _automatic(
        patch, "AutoModelForCausalLM", Model(log, video_config=video, audio_config=ids("audio"))
    )
    _automatic(patch, "AutoTokenizer", Words())


def ola(patch: pytest.MonkeyPatch, log: Log) -> None:
    """Ola-Omni/Ola @f681820: `ola.model.language_model.ola_qwen.generate`, loader and tools."""

    class Model(Upstream):
        def generate(  # type: ignore[no-untyped-def]
            self,
            inputs=None,
            speech=None,
            speech_lengths=None,
            speech_chunks=None,
            speech_wav=None,
            images=None,
            images_highres=None,
            image_sizes=None,
            modalities=("image",),
            **kwargs,
        ):
            given = Given(_text(inputs), settings={"max_new_tokens": kwargs["max_new_tokens"]})
            for picture in images:
                given.see(picture.float())
            for sound in speech:
                given.hear(sound.float())
            return self.answered(given)

    def load_pretrained_model(  # type: ignore[no-untyped-def]
        model_path,
        model_base,
        is_lora=False,
        s2s=False,
        load_8bit=False,
        load_4bit=False,
        device="cuda",
        use_flash_attn=False,
        **kwargs,
    ):
        return Words(), Model(log, mm_use_im_start_end=False), SimpleNamespace(), 2048

    def chunks(prompt, tokenizer, *_, return_tensors=None):  # type: ignore[no-untyped-def]
        words = prompt.replace("<speech><image>", "").replace("<image>", "").replace("<speech>", "")
        return torch.tensor(tokenizer(words).input_ids)

    def process_anyres_video(image, processor):  # type: ignore[no-untyped-def]
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float()

    def process_anyres_highres_image(image, processor):  # type: ignore[no-untyped-def]
        pixels = process_anyres_video(image, processor)  # type: ignore[no-untyped-call]
        return pixels, pixels

    names = {
        "DEFAULT_IM_START_TOKEN": "<im_start>",
        "DEFAULT_IM_END_TOKEN": "<im_end>",
        "DEFAULT_IMAGE_TOKEN": "<image>",
        "DEFAULT_SPEECH_TOKEN": "<speech>",
        "IMAGE_TOKEN_INDEX": -300,
        "SPEECH_TOKEN_INDEX": -200,
    }
    install(
        patch,
        {
            "ola": {},
            "ola.constants": names,
            "ola.conversation": _conversation(),
            "ola.datasets": {},
            "ola.datasets.preprocess": {
                "tokenizer_image_token": chunks,
                "tokenizer_speech_image_token": chunks,
                "tokenizer_speech_token": chunks,
            },
            "ola.mm_utils": {
                "KeywordsStoppingCriteria": lambda keywords, tokenizer, input_ids: None,
                "get_model_name_from_path": lambda model_path: Path(model_path).name,
                "process_anyres_highres_image": process_anyres_highres_image,
                "process_anyres_video": process_anyres_video,
            },
            "ola.model": {},
            "ola.model.builder": {"load_pretrained_model": load_pretrained_model},
        },
    )
    _automatic(patch, "AutoConfig", SimpleNamespace())


def egogpt(patch: pytest.MonkeyPatch, log: Log) -> None:
    """EvolvingLMMs-Lab/EgoLife @7a97157, `EgoGPT/egogpt`: `EgoGPTQwenForCausalLM.generate`."""

    class Model(Upstream):
        def generate(  # type: ignore[no-untyped-def]
            self,
            inputs=None,
            speech=None,
            speech_lengths=None,
            images=None,
            image_sizes=None,
            modalities=("image",),
            **kwargs,
        ):
            given = Given(_text(inputs), settings={"max_new_tokens": kwargs["max_new_tokens"]})
            for clip in images:
                for picture in clip:
                    given.see(picture.float())
            for sound in speech:
                given.hear(sound.float())
            return self.answered(given)

        def get_vision_tower(self) -> Any:
            def preprocess(images, return_tensors=None):  # type: ignore[no-untyped-def]
                return {"pixel_values": torch.from_numpy(np.asarray(images)).permute(0, 3, 1, 2)}

            return SimpleNamespace(image_processor=SimpleNamespace(preprocess=preprocess))

    def load_pretrained_model(  # type: ignore[no-untyped-def]
        model_path,
        model_base=None,
        is_lora=False,
        load_8bit=False,
        load_4bit=False,
        device="cuda",
        use_flash_attn=False,
        **kwargs,
    ):
        return Words(), Model(log), 2048

    def process_images(images, image_processor, model_cfg):  # type: ignore[no-untyped-def]
        return torch.stack([torch.from_numpy(np.array(image)).float() for image in images])[None]

    names = {"IGNORE_INDEX": -100, "SPEECH_TOKEN_INDEX": -200, "DEFAULT_SPEECH_TOKEN": "<speech>"}
    install(
        patch,
        {
            "egogpt": {},
            "egogpt.constants": {
                **names,
                "IMAGE_TOKEN_INDEX": -300,
                "DEFAULT_IMAGE_TOKEN": "<image>",
            },
            "egogpt.conversation": _conversation(),
            "egogpt.mm_utils": {
                "get_model_name_from_path": lambda model_path: Path(model_path).name,
                "process_images": process_images,
            },
            "egogpt.model": {},
            "egogpt.model.builder": {"load_pretrained_model": load_pretrained_model},
        },
    )


def uni_moe_2_omni(patch: pytest.MonkeyPatch, log: Log) -> None:
    """HITsz-TMG/Uni-MoE, package `uni_moe`, as lmms-eval 0.7.3 imports it."""

    class Batch(dict[str, Any]):
        def to(self, device: Any) -> Batch:
            return self

    class Processor:
        tokenizer = Words()

        @classmethod
        def from_pretrained(cls, place: str) -> Any:
            return cls()

        def apply_chat_template(  # type: ignore[no-untyped-def]
            self, conversation, tokenize=True, add_generation_prompt=False, no=False
        ):
            return [
                "".join(part.get("text", "") for turn in one for part in turn["content"])
                for one in conversation
            ]

        def __call__(  # type: ignore[no-untyped-def]
            self,
            text=None,
            images=None,
            videos=None,
            audios=None,
            padding=True,
            return_tensors=None,
        ):
            self.given = Given(text[0])
            self.given.take(images, videos, audios)
            return Batch(input_ids=torch.tensor(Words()(text[0]).input_ids))

        batch_decode = Words.batch_decode
        decode = Words.decode

    class Model(Upstream):
        processor: Any = None

        @classmethod
        def from_pretrained(cls, place, attn_implementation=None, torch_dtype=None):  # type: ignore[no-untyped-def]
            return cls(log)

        def generate(self, input_ids=None, use_cache=True, pad_token_id=None, **how):  # type: ignore[no-untyped-def]
            given = processors[-1].given
            given.settings = how
            return self.answered(given, input_ids)

    processors: list[Processor] = []

    def made(place: str) -> Processor:
        processors.append(Processor())
        return processors[-1]

    def process_mm_info(conversations):  # type: ignore[no-untyped-def]
        parts = [part for one in conversations for turn in one for part in turn["content"]]
        kinds = ("image", "video", "audio")
        return tuple([part[kind] for part in parts if part["type"] == kind] for kind in kinds)

    utilities = ModuleType("deepspeed_moe_inference_utils")
    install(
        patch,
        {
            "uni_moe": {},
            "uni_moe.model": {"deepspeed_moe_inference_utils": utilities},
            "uni_moe.model.modeling_out": {"GrinQwen2VLOutForConditionalGeneration": Model},
            "uni_moe.model.processing_qwen2_vl": {
                "Qwen2VLProcessor": SimpleNamespace(from_pretrained=made)
            },
            "uni_moe.qwen_vl_utils": {"process_mm_info": process_mm_info},
        },
    )


def kimi_audio(patch: pytest.MonkeyPatch, log: Log) -> None:
    """MoonshotAI/Kimi-Audio @2607d51: `kimia_infer.api.kimia.KimiAudio`."""

    class KimiAudio:
        def __init__(self, model_path: str, load_detokenizer: bool = True) -> None:
            self.prompt_manager = SimpleNamespace(text_tokenizer=Words())

        def generate(  # type: ignore[no-untyped-def]
            self,
            chats,
            output_type="text",
            audio_temperature=0.0,
            audio_top_k=5,
            text_temperature=0.0,
            text_top_k=5,
            audio_repetition_penalty=1.0,
            audio_repetition_window_size=64,
            text_repetition_penalty=1.0,
            text_repetition_window_size=16,
            max_new_tokens=-1,
        ):
            given = Given(settings={"max_new_tokens": max_new_tokens})
            for message in chats:
                if message["message_type"] == "text":
                    given.text += message["content"]
                else:
                    given.hear_file(message["content"])
            log.append(given)
            return None, ANSWER

    modules: dict[str, dict[str, object]] = {"kimia_infer": {}, "kimia_infer.api": {}}
    install(patch, {**modules, "kimia_infer.api.kimia": {"KimiAudio": KimiAudio}})


def videollama3(patch: pytest.MonkeyPatch, log: Log) -> None:
    """DAMO-NLP-SG/VideoLLaMA3 @05cee23, `inference/transformers_api`: processor and `generate`."""

    class Processor:
        tokenizer = Words()

        def __call__(  # type: ignore[no-untyped-def]
            self, text=None, conversation=None, images=None, return_labels=False, **kwargs
        ):
            self.given = Given()
            for part in conversation[0]["content"]:
                if part["type"] == "text":
                    self.given.text += part["text"]
                elif part["type"] == "video":
                    self.given.watch_file(part["video"]["video_path"])
                else:
                    self.given.see(part["image"])
            return {"input_ids": torch.tensor([Words()(self.given.text).input_ids])}

        def batch_decode(self, *args: Any, **kwargs: Any) -> Any:
            return self.tokenizer.batch_decode(*args, **kwargs)  # type: ignore[no-untyped-call]

    class Model(Upstream):
        def generate(  # type: ignore[no-untyped-def]
            self, pixel_values=None, grid_sizes=None, merge_sizes=None, modals=None, **kwargs
        ):
            processor.given.settings = kwargs
            return self.answered(processor.given)

    processor = Processor()
    _automatic(patch, "AutoModelForCausalLM", Model(log))
    _automatic(patch, "AutoProcessor", processor)


def _automatic(patch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    """Let an automatic class of the transformers library load a stand-in."""
    patch.setattr(getattr(transformers, name), "from_pretrained", lambda *_, **__: value)


def _conversation() -> dict[str, Any]:
    class Conversation:
        roles = ("user", "assistant")
        sep, sep2, sep_style = "\n", None, "chatml"

        def __init__(self) -> None:
            self.messages: list[str] = []

        def copy(self) -> Conversation:
            return Conversation()

        def append_message(self, role: str, message: str | None) -> None:
            self.messages.append(message or "")

        def get_prompt(self) -> str:
            return "\n".join(self.messages)

    styles = SimpleNamespace(TWO="two")
    return {"conv_templates": {"qwen_1_5": Conversation()}, "SeparatorStyle": styles}


STAND_INS: dict[str, Callable[[pytest.MonkeyPatch, Log], None]] = {
    made.__name__: made
    for made in (
        minicpm_o,
        omnivinci,
        baichuan_omni,
        ola,
        egogpt,
        uni_moe_2_omni,
        kimi_audio,
        videollama3,
    )
}
