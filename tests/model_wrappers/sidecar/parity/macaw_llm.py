"""Upstream's own class with what its inference script gives it, but for the missing image."""

SOUND = True


def noting(system):
    noted, llm = [], system._model.llm
    original = llm.generate

    def generate(**named):
        noted.append(named["inputs_embeds"])
        return original(**{**named, "max_new_tokens": 6})

    llm.generate = generate
    return noted


def theirs(system, video, sound, question):
    import numpy as np
    import torch
    from decord import VideoReader
    from PIL import Image
    from torchvision import transforms

    from aurelia_plugin.model_wrappers.sidecar.kit.sound import read_waveform

    frames = VideoReader(video)
    np.random.seed(0)
    places = sorted(np.random.choice(len(frames), 120, replace=True))
    if len(frames) >= 120:
        places = [*(n * (len(frames) // 120) for n in range(119)), len(frames) - 1]
    shown = transforms.Compose(
        [
            transforms.Resize(224, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(
                (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
            ),
        ]
    )
    pixels = [Image.fromarray(frames[places[n]].asnumpy()) for n in (0, 20, 40, 60, 80, 119)]
    mel = system._mel(read_waveform(sound), sampling_rate=16000, return_tensors="pt")
    tokenizer = system._tokenizer
    ids = tokenizer.encode(system._template.format(question))
    inputs = {
        "videos": torch.stack([shown(one) for one in pixels])[None],
        "audios": mel.input_features,
        "images": None,
        "input_ids": torch.tensor([ids]),
        "inference": True,
    }
    for kind in ("image", "audio", "video"):
        inputs[f"{kind}_starts"] = torch.tensor([tokenizer.convert_tokens_to_ids(f"<{kind}>")])
        inputs[f"{kind}_ends"] = torch.tensor([tokenizer.convert_tokens_to_ids(f"</{kind}>")])
    made = system._model(inputs)[0]
    return tokenizer.decode(made, skip_special_tokens=True).strip()
