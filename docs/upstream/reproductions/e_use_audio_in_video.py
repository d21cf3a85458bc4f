"""Qwen2.5-Omni's chat wrapper and a video with sound; can the model be made to hear it?"""

import contextlib
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import av
import numpy as np
import transformers  # noqa: F401 - it looks for librosa itself

for name in ("librosa", "moviepy"):  # the module imports them; nothing here calls them
    if find_spec(name) is None:
        sys.modules[name] = MagicMock()
from lmms_eval.models.chat import qwen2_5_omni as wrapper
from lmms_eval.protocol import ChatMessages


def video_with_sound(path):
    with av.open(str(path), "w") as file:
        pictures = file.add_stream("mpeg4", rate=4)
        pictures.width = pictures.height = 32
        sound = file.add_stream("aac", rate=16000)
        for _ in range(4):
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            file.mux(pictures.encode(picture))
        samples = av.AudioFrame.from_ndarray(
            np.zeros((1, 16000), np.float32), format="fltp", layout="mono"
        )
        samples.sample_rate = 16000
        file.mux(sound.encode(samples))
        file.mux(pictures.encode(None))
        file.mux(sound.encode(None))


def fixed():
    with tempfile.TemporaryDirectory() as folder:
        video_with_sound(Path(folder) / "clip.mp4")
        content = [
            {"type": "video", "url": f"{folder}/clip.mp4"},
            {"type": "text", "text": "What?"},
        ]
        heard = []
        wrapper.process_mm_info = lambda messages, use_audio_in_video: (
            heard.append(use_audio_in_video) or (None, None, None)
        )
        wrapper.Qwen2_5_OmniSimple.__init__ = lambda self, **kwargs: None  # no weights
        model = wrapper.Qwen2_5_Omni(use_audio_in_video=True)
        model.system_prompt = ""
        model.processor = SimpleNamespace(apply_chat_template=lambda *_, **__: "")
        with contextlib.suppress(Exception):  # the stand-in of a processor makes no input
            model._infer_one(ChatMessages(messages=[{"role": "user", "content": content}]), {})
    return heard == [True]


if __name__ == "__main__":
    print("fixed upstream" if fixed() else "still so")
