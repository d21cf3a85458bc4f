import json
from types import SimpleNamespace

import laion_clap
import torch

SEEN = {}
WIDTH = 4


class Projector(torch.nn.Module):
    def forward(self, features):
        return features[..., :WIDTH].float()


class Core(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Identity()])
        self.mm_projector, self.mm_projector_a = Projector(), Projector()


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Core()
        self.config = SimpleNamespace(max_position_embeddings=512)

    def get_model(self):
        return self.model

    def forward(self, embedded):
        return SimpleNamespace(logits=self.model.layers[0](embedded))

    def generate(self, ids, images=None, **named):
        parts = [torch.full((WIDTH,), float(one)) for one in ids[0].tolist()]
        if images is not None:
            core = self.model
            if isinstance(images, list):
                seen, heard = core.mm_projector(images[0])[0], core.mm_projector_a(images[1])[0]
                assert (len(seen), len(heard)) == (75, 25)
            else:
                seen, heard = torch.zeros(0, WIDTH), core.mm_projector_a(images)[0]
            place = ids[0].tolist().index(-200)
            lost = 5 if SEEN.get("deaf") else len(heard)
            parts[place : place + 1] = [*heard[:lost], *seen]
        embedded = torch.stack(parts)[None]
        self(embedded)
        SEEN.update(decoding=named, media=[int(row[0]) for row in parts if row[0] < 0])
        return torch.cat([ids, torch.full((1, 3), 65)], dim=1)


class Tokenizer:
    bos_token_id = 1

    def __call__(self, text):
        return SimpleNamespace(input_ids=[1, *map(ord, text)])

    def batch_decode(self, ids, skip_special_tokens=False):
        return [json.dumps(SEEN)]


def load_pretrained_model(args, stage3=None, stage4=None):
    SEEN.update(places=vars(args), stages=[stage3, stage4], clap=laion_clap.LOADED)
    return Tokenizer(), Model(), 2048
