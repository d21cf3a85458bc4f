import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "shared"))
import torch
from fake_llama import SEEN, WIDTH, Llama, Tokenizer
from header import data

__all__ = ["OpenLLAMAPEFTModel", "data"]
assert Path("./dummy/dummy_audio.json").is_file()  # upstream reads a file there when imported


class Encoder(torch.nn.Module):
    def forward(self, frames):
        return frames


class Projector(torch.nn.Module):
    """As many positions as upstream's multi-resolution Q-former makes of five seconds."""

    def forward(self, value):
        return torch.full((1, 30, WIDTH), value)


class Words(Tokenizer):
    def batch_decode(self, ids, add_special_tokens=True):
        return ["<s>" + json.dumps(SEEN) + "</s>"]


class LLM(Llama):
    dtype = torch.float32

    def generate(self, inputs_embeds=None, **named):
        return super().generate(inputs_embeds, [], **named)


def build_one_instance(tokenizer, conversation, generate=False, prompt=None, use_llama2=False):
    assert generate
    text = "</Img> " + conversation[0]["value"] + "\nASSISTANT:"
    ids = tokenizer(text, add_special_tokens=False).input_ids
    return None, ids, [-100] * len(ids), [conversation[0]["value"]]


def process_batch_instance(tokenizer, batch_of_conversations, max_tgt_len, modality="image",
                           generate=False, prompt=None, use_llama2=False):  # fmt: skip
    _, ids, _, said = build_one_instance(tokenizer, batch_of_conversations[0], generate, prompt)
    ids = torch.tensor([ids])[:, :max_tgt_len]
    return ids, ids, ids, said


class OpenLLAMAPEFTModel(torch.nn.Module):
    def __init__(self, **args):
        super().__init__()
        SEEN["args"] = args
        self.max_tgt_len, self.device = args["max_tgt_len"], torch.cuda.current_device()
        with open("./prompt/alignment_speech_multitask.json") as file:
            self.prompt = json.load(file)
        self.visual_encoder, self.llama_proj = Encoder(), Projector()
        self.llama_model, self.llama_tokenizer = LLM(), Words()
        self.own = torch.nn.Linear(2, 2)
        for name in ("instruct_blip_vicuna13b_trimmed", "eva_vit_g"):
            where = "/an/authors/disk" if "eva" in name else "./ckpt/pretrained_ckpt"
            self.load_state_dict(torch.load(f"{where}/{name}.pth"), strict=False)
        beats = "./ckpt/pretrained_ckpt/BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt"
        SEEN["beats"] = Path(beats).resolve().name
        self.load_state_dict(torch.load(args["delta_ckpt_path"]), strict=False)

    def forward(self, inputs, reduction=True, generate=False, generate_config=None):
        (media,), (talk,) = inputs["image_paths"], inputs["output_texts"]
        SEEN["modality"] = inputs["modality"]
        SEEN["heard"] = media[0] if isinstance(media, list) else media
        if inputs["modality"] == "audiovideoimage":
            self.visual_encoder(torch.cat(media[1], dim=1).transpose(0, 1))
        positions = self.llama_proj(-7.0)
        if "forget" in talk[0]["value"]:
            positions = positions[:, :10]
        words = process_batch_instance(self.llama_tokenizer, [talk], 512, generate=generate)
        embedded = self.prompt_wrap(positions, *words[:3])[0]
        made = self.llama_model.generate(
            inputs_embeds=embedded, max_new_tokens=512, min_length=1, do_sample=False, num_beams=5,
            repetition_penalty=1.5, length_penalty=1.0, top_p=0.9,
        )  # fmt: skip
        return self.llama_tokenizer.batch_decode(made, add_special_tokens=False)

    def prompt_wrap(self, img_embeds, input_ids, target_ids, attention_mask, audio_embs=None,
                    audiomasks=None, img_mask=None):  # fmt: skip
        words = input_ids.unsqueeze(-1).expand(-1, -1, WIDTH).float()
        before = self.llama_model.embed("USER: <Img>")
        return torch.cat([before, img_embeds, words], dim=1), None, None, 0
