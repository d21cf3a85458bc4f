"""A language model whose prompt can be read back from its reply, with % for # (an end mark)."""

import json
from types import SimpleNamespace

import torch

SEEN = {}
WIDTH = 6


def row(value):
    return torch.full((1, 1, WIDTH), float(value))


class Tokenizer:
    bos_token_id = 1

    def __call__(self, text, add_special_tokens=True, return_tensors=None):
        return SimpleNamespace(input_ids=[ord(letter) for letter in text])

    def decode(self, ids, skip_special_tokens=False):
        return json.dumps(SEEN) + SEEN.pop("tail", "")


class Llama(torch.nn.Module):
    """Positions that stand for a medium are below 0, and are shown as numbers in brackets."""

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(max_position_embeddings=2048, hidden_size=WIDTH)

    def embed(self, text):
        return torch.cat([row(1), *(row(ord(letter)) for letter in text)], dim=1)

    def forward(self, inputs_embeds):
        return SimpleNamespace(logits=inputs_embeds[..., :4])

    def generate(self, inputs_embeds=None, stopping_criteria=None, **named):
        self(inputs_embeds)
        values = [int(value) for value in inputs_embeds[0, :, 0]]
        shown = (f"[{value}]" if value < 0 else chr(value) for value in values if value != 1)
        SEEN.update(
            named,
            prompt="".join(shown).replace("#", "%"),
            stops=[one.stops for one in stopping_criteria],
        )
        return torch.tensor([[1, *range(65, 65 + min(3, named["max_new_tokens"]))]])


class Encoder(torch.nn.Module):
    """Takes what ImageBind takes, and puts out one number for each sense."""

    def forward(self, given):
        numbers = {
            "audio": -300.0,
            "vision": -1.0 if next(iter(given.values())).ndim > 5 else -20.0,
        }
        return {sense: torch.full((1, 1), numbers[sense]) for sense in given}


class Projector(torch.nn.Module):
    def forward(self, vector):
        return vector.expand(1, WIDTH).clone()


class StoppingCriteriaSub:
    def __init__(self, stops=(), encounters=1):
        self.stops = stops
