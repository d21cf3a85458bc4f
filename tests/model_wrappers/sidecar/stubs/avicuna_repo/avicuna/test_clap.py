import laion_clap
import numpy as np
import torch


def audio_feat_extraction(audio_path, model, sr=48000, stride=4):
    import wave

    assert isinstance(model, laion_clap.CLAP_Module)
    with wave.open(audio_path) as file:
        seconds = file.getnframes() / file.getframerate()
    rest = seconds % 10
    kept = seconds - rest if rest <= 1 else seconds + 10 - rest
    count = max(1, int((kept - 10) // stride) + 1)
    rows = -30.0 - np.arange(count)
    return torch.from_numpy(rows).float()[:, None].expand(count, 512)
