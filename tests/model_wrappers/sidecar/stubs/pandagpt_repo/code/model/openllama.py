import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "shared"))
import torch
import torchaudio
from fake_llama import SEEN, Encoder, Llama, Projector, StoppingCriteriaSub, Tokenizer
from header import deepspeed, ipdb

__all__ = ["OpenLLAMAPEFTModel", "StoppingCriteriaSub", "deepspeed", "ipdb"]


class OpenLLAMAPEFTModel(torch.nn.Module):
    def __init__(self, **args):
        super().__init__()
        SEEN["args"] = args
        self.llama_model, self.llama_tokenizer = Llama(), Tokenizer()
        self.visual_encoder, self.llama_proj = Encoder(), Projector()
        self.own = torch.nn.Linear(2, 2)
        self.device = torch.cuda.current_device()

    def encode(self, sense, tensor):
        return self.llama_proj(self.visual_encoder({sense: tensor})[sense]).unsqueeze(1)

    def extract_multimodal_feature(self, inputs):
        features = []
        if inputs["image_paths"]:
            features.append(self.encode("vision", torch.zeros(1, 3, 8, 8)))
        if inputs["audio_paths"]:
            waveform, rate = torchaudio.load(inputs["audio_paths"][0])
            SEEN["sound_seconds"] = waveform.shape[1] / rate
            features.append(self.encode("audio", torch.zeros(1, 3, 1, 4, 4)))
        if inputs["video_paths"]:
            features.append(self.encode("vision", torch.zeros(1, 15, 3, 2, 8, 8)))
        return torch.cat(features).sum(dim=0).unsqueeze(0)

    def prepare_generation_embedding(self, inputs):
        prompt = inputs["prompt"]
        vector = inputs["modality_embeds"][0]
        if "forget" in prompt:
            vector = vector * 0 + 2
        before, after = "### Human: <Img>", "</Img> " + prompt + "\n### Assistant:"
        embed = self.llama_model.embed
        return torch.cat([embed(before), vector, embed(after)[:, 1:]], dim=1)

    def generate(self, inputs):
        raise AssertionError("it always samples")
