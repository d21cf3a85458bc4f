import json
import os
from types import SimpleNamespace

import torch
from knn_cuda import KNN
from torch._six import inf

KNN(k=1)
assert inf > 1
SEEN = {}


def format_prompt(instruction, input=None):
    return f"<{instruction}>"


class Tokenizer:
    def encode(self, s, bos, eos):
        assert (bos, eos) == (True, False)
        return [1, *map(ord, s)]


class ImageBind(torch.nn.Module):
    def forward(self, given):
        return {sense: torch.ones(1, 4) for sense in given}


class LLaMA_adapter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.image_bind, self.tokenizer = ImageBind(), Tokenizer()
        self.llama = torch.nn.Module()
        self.llama.output = torch.nn.Linear(2, 4)
        self.llama.params = SimpleNamespace(max_seq_len=512)

    def generate(self, inputs, prompts, max_gen_len=256, temperature=0.1, top_p=0.75,
                 cache_size=10, cache_t=20, cache_weight=0.5):  # fmt: skip
        for kind, (tensor, weight) in inputs.items():
            sense = "vision" if kind in ("Image", "Video") else kind.lower()
            if "deaf" in "".join(map(chr, prompts[0])) and sense == "audio":
                continue
            self.image_bind({sense: tensor})
            SEEN[kind] = [list(tensor.shape), weight]
        steps = min(3, max_gen_len) if len(prompts[0]) < 400 else max_gen_len
        for _ in range(steps):
            self.llama.output(torch.zeros(1, 2))
        SEEN.update(prompt="".join(map(chr, prompts[0][1:])), max_gen_len=max_gen_len)
        SEEN.update(temperature=temperature, top_p=top_p)
        said = json.dumps(SEEN)
        for kind in inputs:
            SEEN.pop(kind, None)
        return [said]


def load(name, llama_dir, device="cuda", download_root="ckpts", knn=False, llama_type="7B",
         phase="finetune"):  # fmt: skip
    assert os.path.isdir("ImageBind/models")  # relative to the working directory
    files = sorted(os.listdir(os.path.join(llama_dir)))
    SEEN.update(name=name, knn=knn, llama_type=llama_type, device=device, files=files)
    return LLaMA_adapter()
