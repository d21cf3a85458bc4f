import json
from types import SimpleNamespace

import torch
from flash_attn import flash_attn_func

assert callable(flash_attn_func)
WIDTH, WORDS = 4, 30
SEEN = {}


def row(value):
    return torch.full((1, 1, WIDTH), float(value))


class Tokenizer:
    def encode(self, s, bos, eos):
        return [1, *map(ord, s)]

    def decode(self, t):
        return json.dumps(SEEN) + "###Human: more"


class Resampler(torch.nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, _):
        return row(self.value).expand(1, WORDS, WIDTH).clone()


class Llama(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.params, self.image_words = SimpleNamespace(max_seq_len=2048), WORDS
        self.layers = torch.nn.ModuleList([torch.nn.Linear(WIDTH, WIDTH)])
        self.output = torch.nn.Identity()
        numbers = {"video": -10.0, "audio": -30.0}
        self.clip_proj2 = torch.nn.ModuleDict({k: Resampler(v) for k, v in numbers.items()})
        self.start_tag = {kind: row(number + 1) for kind, number in numbers.items()}
        self.end_tag = {kind: row(number - 1) for kind, number in numbers.items()}

    def encode_image(self, x, modal="image"):
        assert x.ndim == {"video": 5, "audio": 4}[modal]
        return self.clip_proj2[modal](x)

    def forward_inference(self, tokens, start_pos, image=None, modal="image"):
        h = torch.cat([row(one) for one in tokens[0]], dim=1)
        if image is not None:
            modal = modal[0]
            inner = [self.start_tag[modal], self.encode_image(image, modal), self.end_tag[modal]]
            if "forget" in "".join(chr(int(one)) for one in tokens[0]):
                inner = inner[:1]
            h = torch.cat([h[:, :1], *inner, h[:, 1:]], dim=1)
        if start_pos == 0:
            marks = (int(value) for value in h[0, :, 0])
            SEEN["prompt"] = "".join(f"[{one}]" if one < 0 else chr(one) for one in marks)[
                1:
            ].replace("#", "%")
        self.layers[0](h)
        return self.output(h[:, -1])


class MetaModel(torch.nn.Module):
    def __init__(self, llama_type, llama_config, llama_ckpt_dir=None, tokenizer_path=None):
        super().__init__()
        SEEN["files"] = [llama_type, llama_config, llama_ckpt_dir, tokenizer_path]
        self.llma, self.tokenizer = Llama(), Tokenizer()

    def generate(self, prompts, images, max_gen_len, temperature=0.8, top_p=0.95, modal=()):
        tokens = self.tokenizer.encode(prompts[0], bos=True, eos=False)
        SEEN.update(temperature=temperature, top_p=top_p, modal=list(modal))
        self.llma.forward_inference(torch.tensor([tokens]), 0, images, modal)
        return [self.tokenizer.decode([*tokens, *[65] * max_gen_len])]
