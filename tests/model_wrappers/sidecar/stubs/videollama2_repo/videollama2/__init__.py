"""A stand-in with the call surface of VideoLLaMA2-AV; it tells what it was given."""

import json
import os
from functools import partial
from types import SimpleNamespace

import torch

from .constants import MODAL_INDEX_MAP
from .mm_utils import process_audio_file, process_image, process_video


def model_init(model_path=None, **kwargs):
    model = Model(json.loads(os.environ.get("STUB_CONFIG", "{}")))
    model.loaded = {"path": model_path, **kwargs}
    processor = {
        "image": partial(process_image, processor=None, aspect_ratio=None),
        "video": partial(process_video, processor=None, aspect_ratio=None, num_frames=16),
        "audio": process_audio_file,
    }
    return model, processor, Tokenizer(model)


class Tokenizer:
    eos_token, eos_token_id, pad_token_id = "<|im_end|>", 301, 300

    def __init__(self, model):
        self.model = model

    def __call__(self, text, add_special_tokens=True):
        return SimpleNamespace(input_ids=[1] * add_special_tokens + list(text.encode()))

    def apply_chat_template(self, conversation, tokenize=True, add_generation_prompt=False):
        turns = "".join(f"[{turn['role']}]{turn['content']}" for turn in conversation)
        assert not tokenize
        return turns + "[assistant]" * add_generation_prompt

    def batch_decode(self, sequences, skip_special_tokens=False):
        assert skip_special_tokens
        return [json.dumps(self.model.seen)]


class Core(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mm_projector, self.mm_projector_a = torch.nn.Identity(), torch.nn.Identity()


class Model(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.model = Core()
        self.dtype, self.device = torch.float32, torch.device("cpu")
        defaults = {"model_type": "videollama2_qwen2", "num_frames": 16, "sound_tokens": 1496}
        self.config = SimpleNamespace(**{**defaults, **config})

    def forward(self, ids):
        return SimpleNamespace(logits=torch.arange(4.0).expand(1, ids.shape[1], 4))

    def generate(self, inputs=None, images=None, **kwargs):
        prompt, row = [], inputs[0].tolist()
        places = {number: name for name, number in MODAL_INDEX_MAP.items()}
        for token in row:
            prompt.append(places[token] if token in places else chr(token))
        media = []
        for data, modal in images or []:
            assert f"<{modal}>" in MODAL_INDEX_MAP
            parts = data if isinstance(data, dict) else {modal: data}
            for name, tensor in parts.items():
                assert tensor.dtype == self.dtype
                media.append([name, list(tensor.shape), float(tensor.abs().sum())])
                if name == "audio":
                    self.model.mm_projector_a(torch.zeros(1, self.config.sound_tokens, 8))
                else:
                    assert len(tensor) == self.config.num_frames  # they are stacked
                    self.model.mm_projector(torch.zeros(1, 7, 8))
        assert len(media) >= len(images or []) == sum(token in places for token in row)
        kwargs["attention_mask"] = kwargs["attention_mask"].sum().item()
        kwargs["stopping_criteria"] = [kind.keywords for kind in kwargs["stopping_criteria"]]
        self(inputs)
        self.seen = {"prompt": "".join(prompt), "media": media, "loaded": self.loaded, **kwargs}
        return torch.full((1, min(3, kwargs["max_new_tokens"])), 65)
