from types import SimpleNamespace

import torch

from video_llama import SEEN


class Llama(torch.nn.Module):
    def forward(self, inputs_embeds):
        return SimpleNamespace(logits=inputs_embeds[..., :4])

    def generate(self, inputs_embeds=None, stopping_criteria=None, **kwargs):
        self(inputs_embeds)
        SEEN.update(kwargs, positions=inputs_embeds.shape[1])
        return torch.full((1, min(3, kwargs["max_new_tokens"])), 65)


class VideoLLAMA(torch.nn.Module):
    @classmethod
    def from_config(cls, cfg):
        SEEN["config"] = cfg
        return cls()

    def __init__(self):
        super().__init__()
        self.llama_model = Llama()
        self.visual_encoder = torch.nn.Identity()
        self.num_audio_query_token = 8

    def encode_videoQformer_visual(self, image):
        self.visual_encoder(image[0].transpose(0, 1))  # frames first
        return torch.full((1, 32, 6), -1.0), None

    def encode_audioQformer(self, audio, modality_type="audio"):
        assert audio.shape[:2] == (1, 8)
        return -2 - torch.rand(1, self.num_audio_query_token, 6), None
