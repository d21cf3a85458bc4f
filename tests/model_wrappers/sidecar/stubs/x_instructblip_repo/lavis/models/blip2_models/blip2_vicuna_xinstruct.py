import json
from types import SimpleNamespace

import open3d
import torch

assert open3d.__path__ == []
SEEN = {}
WIDTH = 4


def row(value, count=1):
    return torch.full((1, count, WIDTH), float(value))


class Encoded(dict):
    __getattr__ = dict.__getitem__

    def to(self, device):
        return self


class Tokenizer:
    def __call__(self, text, return_tensors=None):
        ids = [2, *map(ord, text)]
        ids = torch.tensor([ids]) if return_tensors else ids
        return Encoded(input_ids=ids, attention_mask=ids)

    def decode(self, ids, skip_special_tokens=False):
        return json.dumps(SEEN)


class Llama(torch.nn.Module):
    device = "cpu"

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(max_position_embeddings=2048)

    def get_input_embeddings(self):
        return lambda ids: torch.cat([row(one) for one in ids[0]], dim=1)

    def forward(self, inputs_embeds):
        return SimpleNamespace(logits=inputs_embeds)

    def generate(self, inputs_embeds=None, attention_mask=None, **named):
        self(inputs_embeds)
        values = [int(value) for value in inputs_embeds[0, :, 0]]
        SEEN["prompt"] = "".join(chr(value) for value in values if value > 2)
        SEEN.update(media=[value for value in values if value < 0], decoding=named)
        return torch.tensor([[1, *[65] * min(3, named["max_new_tokens"])]])


class Projector(torch.nn.Module):
    def forward(self, value, count):
        return row(value, count).reshape(count // 32, 32, WIDTH)


class Blip2VicunaXInstruct(torch.nn.Module):
    max_txt_len = 128

    @classmethod
    def from_config(cls, cfg):
        SEEN["config"] = dict(cfg)
        return cls()

    def __init__(self):
        super().__init__()
        self.tokenizer, self.llm_tokenizer, self.llm_model = Tokenizer(), Tokenizer(), Llama()
        self.audio_llm_proj = Projector()

    def generate(self, samples, use_nucleus_sampling=False, num_beams=5, max_length=256,
                 min_length=1, top_p=0.9, repetition_penalty=1.5, length_penalty=1,
                 num_captions=1, temperature=1, special_qformer_input_prompt=False):  # fmt: skip
        parts = []
        if "audio" in samples:
            assert samples["audio"].shape == (1, 2, 512, 128)
            made = self.audio_llm_proj(-30, 64).reshape(1, 64, WIDTH)
            parts.append(made[:, : 10 if "deaf" in samples["prompt"] else 64])
        if "video" in samples:
            parts.append(row(-20, 32 * samples["video"].shape[2]))
        ids = self.llm_tokenizer(samples["prompt"], return_tensors="pt").input_ids
        prompt = torch.cat([*parts, self.llm_model.get_input_embeddings()(ids)], dim=1)
        outputs = self.llm_model.generate(
            inputs_embeds=prompt, attention_mask=prompt, do_sample=use_nucleus_sampling,
            top_p=top_p, temperature=temperature, num_beams=num_beams, max_length=max_length,
            min_length=min_length, repetition_penalty=repetition_penalty,
            length_penalty=length_penalty, num_return_sequences=num_captions,
        )  # fmt: skip
        outputs[outputs == 0] = 2
        return [self.llm_tokenizer.decode(outputs[0])]
