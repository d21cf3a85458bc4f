import json
from types import SimpleNamespace

import torch

from lavis.models.beats_encoder import BeatsEncoder

SEEN = {}
WIDTH = 4


def row(value, count=1):
    return torch.full((1, count, WIDTH), float(value))


class Encoded(dict):
    __getattr__ = dict.__getitem__

    def to(self, device):
        return self


class Tokenizer:
    """A token for each word."""

    def __call__(self, text, return_tensors=None):
        SEEN["text"] = text
        ids = [*(len(word) for word in text.split()), 1]
        ids = torch.tensor([ids]) if return_tensors else ids
        return Encoded(input_ids=ids, attention_mask=ids)

    def decode(self, ids, skip_special_tokens=False):
        return json.dumps(SEEN)


class T5(torch.nn.Module):
    device = "cpu"

    def get_input_embeddings(self):
        return lambda ids: torch.cat([row(one) for one in ids[0]], dim=1)

    def forward(self, inputs_embeds):
        return SimpleNamespace(logits=inputs_embeds)

    def generate(self, inputs_embeds=None, attention_mask=None, **named):
        self(inputs_embeds)
        values = [int(value) for value in inputs_embeds[0, :, 0]]
        SEEN.update(media=[value for value in values if value < 0], decoding=named)
        return torch.tensor([[0, *[65] * min(3, named["max_new_tokens"])]])


class Projector(torch.nn.Module):
    def forward(self, value):
        return row(value, 64).reshape(2, 32, WIDTH)


class CREMA(torch.nn.Module):
    max_txt_len = 77

    @classmethod
    def from_config(cls, cfg):
        SEEN["config"], SEEN["beats"] = dict(cfg), BeatsEncoder().path
        model = cls()
        if cfg["load_pretrained"]:
            state = torch.load(cfg["pretrained"], map_location="cpu")["model"]
            model.load_state_dict(state, strict=False)
        return model

    def __init__(self):
        super().__init__()
        self.t5_tokenizer, self.t5_model, self.t5_proj_audio = Tokenizer(), T5(), Projector()
        self.t5_proj_rgb = torch.nn.Linear(2, 2)
        self.modalities = ["audio", "rgb"]

    def generate(self, samples, use_nucleus_sampling=False, num_beams=5, max_length=30,
                 min_length=1, top_p=0.9, repetition_penalty=1.0, length_penalty=1.0,
                 num_captions=1, temperature=1):  # fmt: skip
        batch = len(samples["qa_input"])
        assert batch == len(samples["qa_output"]) == len(samples["question_id"])
        if self.modalities == ["audio"]:
            assert batch > 1, "Dimension out of range"  # as upstream's own code says it
        parts = []
        for modal in self.modalities:
            given = samples[modal]
            if modal == "audio":
                assert given.shape == (batch, 2, 512, 128)
                made = self.t5_proj_audio(-30).reshape(1, 64, WIDTH)
                parts.append(made[:, : 10 if "deaf" in samples["qa_input"][0] else 64])
            else:
                parts.append(row(-20, 32 * given.shape[2]))
        text = self.t5_tokenizer(samples["qa_input"][0], return_tensors="pt").input_ids
        prompt = torch.cat([*parts, self.t5_model.get_input_embeddings()(text)], dim=1)
        outputs = self.t5_model.generate(
            inputs_embeds=prompt, attention_mask=prompt, do_sample=False, num_beams=num_beams,
            max_new_tokens=max_length, min_length=min_length, length_penalty=length_penalty,
        )  # fmt: skip
        return {"output_text": [self.t5_tokenizer.decode(outputs[0])]}
