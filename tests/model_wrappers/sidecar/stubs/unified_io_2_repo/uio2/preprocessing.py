import json
import os
import wave
from types import MappingProxyType

import av
import numpy as np
import torch

from uio2 import SEEN, config

RATE, WINDOW = 16_000, 4.08


class Tokenizer:
    """A token for each word."""

    def __init__(self, path):
        assert os.path.isfile(path)
        self.words = ["<pad>", "</s>", "<unk>"]

    def encode(self, s):
        new = [word for word in dict.fromkeys(s.split()) if word not in self.words]
        self.words += new
        return [self.words.index(word) for word in s.split()]

    def decode(self, ids):
        assert 1 not in ids
        return json.dumps(SEEN)


class UnifiedIOPreprocessor:
    PREFIXES = MappingProxyType({"text": "[Text] [S] "})

    @staticmethod
    def from_config(cfg, tokenizer):
        made = UnifiedIOPreprocessor()
        made.tokenizer = Tokenizer(tokenizer)
        made.sequence_length = {"num_frames": 4}
        return made

    def __call__(
        self,
        text_inputs,
        target_modality=None,
        box_inputs=None,
        image_inputs=None,
        audio_inputs=None,
        video_inputs=None,
        use_video_audio=True,
        encode_frame_as_image=-1,
        encode_audio_segment_as_audio=-1,
        image_history=None,
        image_targets=None,
        audio_targets=None,
        text_targets=None,
        is_training=False,
    ):
        assert target_modality == "text"
        config.BROKEN.clear()
        config.BROKEN.update(
            json.loads(text_inputs[text_inputs.find("{") :] if "{" in text_inputs else "{}")
        )
        given = {"video": video_inputs, "audio": audio_inputs, "image": image_inputs}
        SEEN.update(text=text_inputs, image_history=image_history, **given)
        SEEN.update(use_video_audio=use_video_audio, frame_as_image=encode_frame_as_image)
        tokens = self.tokenizer.encode(self.PREFIXES["text"] + text_inputs)[:511]
        example = {"/inputs/text/tokens": np.array([*tokens, 1])}
        earlier = len(image_history or [])
        sound = None
        if video_inputs is not None:
            if encode_frame_as_image is not None and image_inputs is not None:
                raise ValueError("a frame and an image as the image")
            earlier = 4
            windows = 5 if encode_frame_as_image is not None else 4
            sound, seconds = self.of_video(video_inputs) if use_video_audio else (None, 0)
            if sound is not None:
                part = seconds / windows
                half = min(part, WINDOW) / 2
                spans = [((n + 0.5) * part - half, (n + 0.5) * part + half) for n in range(windows)]
        if audio_inputs is not None:
            if sound is not None:
                raise ValueError("two sounds")
            with wave.open(audio_inputs) as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            whole, rest = divmod(len(sound) / RATE, WINDOW)
            count = max(1, int(whole) + (rest - 0.1 > WINDOW / 2))
            spans = [(n * WINDOW, (n + 1) * WINDOW) for n in range(count)]
        if image_inputs is not None or (video_inputs is not None and encode_frame_as_image == -1):
            example["/inputs/image/mask"] = np.ones(9)
        if earlier:
            example["/inputs/image_history/mask"] = np.repeat([[1], [0]], [earlier, 4 - earlier], 0)
        if sound is not None and not config.BROKEN.get("deaf"):
            heard = [sound[int(a * RATE) : int(b * RATE)].any() for a, b in spans]
            heard[: config.BROKEN.get("lost", 0)] = [False] * config.BROKEN.get("lost", 0)
            example["/inputs/audio/mask"] = np.full(8, heard[-1], int)
            if heard[:-1][:4]:
                rows = [*heard[:-1][:4], *[False] * 4][:4]
                example["/inputs/audio_history/mask"] = np.array(rows)[:, None] * np.ones((4, 8))
        return example

    def of_video(self, path):
        with av.open(path) as file:
            seconds = float(file.streams.video[0].duration * file.streams.video[0].time_base)
            if not file.streams.audio:
                return None, 0
            to = av.AudioResampler("s16", "mono", RATE)
            frames = [f for frame in file.decode(audio=0) for f in to.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), seconds


def build_batch(examples, device=None):
    assert len(examples) == 1
    return {key: torch.as_tensor(value)[None] for key, value in examples[0].items()}
