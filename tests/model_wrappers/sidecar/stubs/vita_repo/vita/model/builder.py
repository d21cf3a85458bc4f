"""A stand-in with the call surface of VITA-1.5; it tells what it was given."""

import json
import os
from types import SimpleNamespace

import torch
import torchaudio

from vita.constants import AUDIO_TOKEN_INDEX, IMAGE_TOKEN_INDEX


def load_pretrained_model(
    model_path,
    model_base,
    model_name,
    model_type,
    load_8bit=False,
    load_4bit=False,
    device_map="auto",
    device="cuda",
    **kwargs,
):
    model = VITAQwen2ForCausalLM(json.loads(os.environ.get("STUB_CONFIG", "{}")))
    model.loaded = [model_path, model_name, model_type, device]
    return Tokenizer(model), model, None, 2048


class Tokenizer:
    bos_token_id = None

    def __init__(self, model):
        self.model = model

    def __len__(self):
        return 300

    def __call__(self, text):
        return SimpleNamespace(input_ids=list(text.encode()))

    def decode(self, ids, skip_special_tokens=False):
        assert skip_special_tokens
        self.model.seen["new tokens"] = len(ids)
        return self.model.state + json.dumps(self.model.seen)


class audioEncoderProcessor:
    def process(self, wav_path):
        waveform, rate = torchaudio.load(wav_path)
        frames = waveform.shape[1] * 100 // rate
        return torch.full((frames, 80), float(waveform.abs().mean())), frames // 8


class Ear(torch.nn.Module):
    audio_processor = audioEncoderProcessor()


class Core(torch.nn.Module):
    def forward(self, inputs_embeds=None):
        return inputs_embeds


class VITAQwen2ForCausalLM(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.core, self.ear = Core(), Ear()
        self.dtype, self.device = torch.float32, torch.device("cpu")
        self.lost, self.state = config.get("lost", 0), config.get("state", "\u261c")
        self.prompts = config.get("audio_prompt_num", 0)
        self.config = SimpleNamespace(
            tokenizer_model_max_length=6200,
            image_aspect_ratio="pad",
            audio_prompt_finetune=self.prompts > 0,
            audio_prompt_num=self.prompts,
        )
        self.tower = SimpleNamespace(
            image_processor="processor", num_patches=1024, config=SimpleNamespace(image_size=8)
        )

    def get_model(self):
        return self.core

    def get_vision_tower(self):
        return self.tower

    def get_audio_encoder(self):
        return self.ear

    def resize_token_embeddings(self, size):
        assert size == 300

    def process_images(self, images, model_cfg):
        return torch.full((len(images), 3, 8, 8), 2.0)

    def forward(self, embeds):
        self.core(inputs_embeds=embeds)
        return SimpleNamespace(logits=torch.arange(4.0).expand(1, embeds.shape[1], 4))

    def generate(
        self,
        inputs=None,
        images=None,
        audios=None,
        sf_masks=None,
        shared_v_pid_stride=None,
        **kwargs,
    ):
        row = inputs[0].tolist()
        pictures, sounds = row.count(IMAGE_TOKEN_INDEX), row.count(AUDIO_TOKEN_INDEX)
        assert pictures in (len(images), 0)
        assert len(audios["audios"]) == len(audios["lengths"]) == 1
        heard = int(audios["lengths_for_llm"][0]) + self.prompts - self.lost if sounds else 0
        self(torch.zeros(1, len(row) - pictures - sounds + 256 * pictures + heard, 4))
        names = {IMAGE_TOKEN_INDEX: "<image>", AUDIO_TOKEN_INDEX: "<audio>"}
        kwargs["stopping_criteria"] = [kind.keywords for kind in kwargs["stopping_criteria"]]
        self.seen = {
            "prompt": "".join(names.get(token) or chr(token) for token in row),
            "images": [list(images.shape), float(images.abs().sum())],
            "audio": [list(audios["audios"].shape), float(audios["audios"].abs().sum())],
            "loaded": self.loaded,
            **kwargs,
        }
        return torch.full((1, 3), 65)
