import random
import wave

import numpy as np
import torch


def process_image(image_path, processor, aspect_ratio="pad"):
    assert open(image_path, "rb").read(4)
    return torch.full((1, 3, 4, 4), 2.0)


def process_audio_file(wav_path):
    with wave.open(wav_path) as file:
        wav = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    if len(wav) > 30 * 16_000:
        wav = wav[random.randint(0, len(wav) - 30 * 16_000) :][: 30 * 16_000]
    return torch.full((1, 2998, 128), float(np.abs(wav.astype(float)).mean()), dtype=torch.bfloat16)


def load_audio_from_video(file: str, sr: int = 16000):
    raise RuntimeError("there is no ffmpeg here")


def process_audio_from_video(audio_path, clip_duration):
    try:
        waveform, _sr = load_audio_from_video(audio_path)
    except Exception:
        waveform = np.zeros(480000, np.float32)  # upstream's silent zeros
    return torch.full((1, 2998, 128), float(np.abs(waveform).mean()))


def process_video(
    video_path, processor, s=None, e=None, aspect_ratio="pad", num_frames=8, va=False
):
    assert open(video_path, "rb").read(4)
    video = torch.ones((num_frames, 3, 4, 4))
    return {"video": video, "audio": process_audio_from_video(video_path, 2)} if va else video


class KeywordsStoppingCriteria:
    def __init__(self, keywords, tokenizer, input_ids):
        self.keywords = keywords
