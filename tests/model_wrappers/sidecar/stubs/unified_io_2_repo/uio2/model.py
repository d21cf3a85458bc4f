from types import SimpleNamespace

import tensorflow
import torch

from uio2 import SEEN, config


class Embedder(torch.nn.Module):
    def __init__(self, latents):
        super().__init__()
        self.latents = latents

    def forward(self, mask):
        if self.latents:  # one vector for each of the latents of a frame or window
            mask = mask.any(-1).repeat_interleave(self.latents, 1)
        return SimpleNamespace(mask=mask[:, config.BROKEN.get("forgotten", 0) :])


class Decoder(torch.nn.Module):
    def forward(self, ids):
        return SimpleNamespace(logits=torch.arange(4.0).expand(1, 1, 4))


class UnifiedIOModel(torch.nn.Module):
    @classmethod
    def from_pretrained(cls, path):
        SEEN["weights"] = path
        return cls(config.CONFIG_MAP["large"])

    def __init__(self, config, input_encoders=None, target_encoders=None):
        super().__init__()
        self.config, self.full_config = config.t5_config, config
        self.device = torch.device("cpu")
        latents = {"text": 0, "image": 0, "image_history": 32, "audio": 0, "audio_history": 16}
        self.input_embedders = torch.nn.ModuleDict({k: Embedder(n) for k, n in latents.items()})
        self.decoder = Decoder()

    def set_modalities(self, input_modalities=None, target_modalities=None):
        SEEN["targets"] = target_modalities

    def generate(
        self,
        batch,
        generation_config=None,
        modality="text",
        negative_prompt=None,
        guidance_scale=10,
        **kwargs,
    ):
        assert modality == "text"
        for key, mask in batch.items():
            name, part = key.split("/")[2:]
            if part == "mask":
                self.input_embedders[name](mask)
        self.input_embedders["text"](batch["/inputs/text/tokens"])
        self.decoder(None)
        SEEN.update(kwargs, seeds=tensorflow.seeds[-1:], hidden=tensorflow.hidden)
        words = min(config.BROKEN.get("words", 2), kwargs["max_new_tokens"])
        ended = [1] * (words < kwargs["max_new_tokens"])
        return torch.tensor([[0, *[5] * words, *ended]])
