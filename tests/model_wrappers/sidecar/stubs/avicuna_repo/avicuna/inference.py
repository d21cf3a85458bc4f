import clip
import numpy as np
import torch
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize

from avicuna.model.builder import SEEN

assert clip.__path__ == []
__all__ = ["CenterCrop", "Compose", "Normalize", "Resize", "np"]
BICUBIC = InterpolationMode.BICUBIC
conv_templates = {}


class Talk:
    roles = ("USER", "ASSISTANT")

    def __init__(self):
        self.said = "A chat."

    def copy(self):
        return Talk()

    def append_message(self, role, message):
        self.said += f" {role}:{message or ''}"

    def get_prompt(self):
        return self.said


conv_templates["v1"] = Talk()


def tokenizer_image_token(prompt, tokenizer, image_token_index=-200, return_tensors=None):
    first, *rest = (tokenizer(chunk).input_ids for chunk in prompt.split("<video>"))
    ids = [*first, *(one for chunk in rest for one in [image_token_index, *chunk[1:]])]
    return torch.tensor(ids) if return_tensors else ids


class VideoExtractor:
    def __init__(self, N=100):
        self.N = N

    def extract(self, data):
        if "unseen" in data["video"]:
            return None, torch.zeros(1)
        return data["id"], torch.zeros(self.N, 3, 240, 320, dtype=torch.uint8)


def inference(model, image, query, tokenizer):
    conv = conv_templates["v1"].copy()
    conv.append_message(conv.roles[0], query)
    conv.append_message(conv.roles[1], None)
    prompt = conv.get_prompt()
    SEEN.update(prompt=prompt, deaf="deaf" in query)
    ids = tokenizer_image_token(prompt, tokenizer, return_tensors="pt").unsqueeze(0).cuda()
    output = model.generate(
        ids, images=image, do_sample=True, temperature=0.05, num_beams=1, max_new_tokens=1024,
        use_cache=True,
    )  # fmt: skip
    return tokenizer.batch_decode(output[:, ids.shape[1] :], skip_special_tokens=True)[0].strip()
