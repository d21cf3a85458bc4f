"""A task like those that others wrote for lmms-eval: visuals and text, media in every form."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

Doc = dict[str, Any]


def sound() -> np.ndarray:
    return np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32)


class Decoder:
    """What `datasets` hands out for a column of sound: samples on request, no path."""

    def get_all_samples(self) -> SimpleNamespace:
        return SimpleNamespace(data=sound()[None, :], sample_rate=16_000)


def doc_to_visual(doc: Doc) -> list[Any]:
    folder = Path(os.environ["ANY_MEDIA"])
    return {
        "array": lambda: [{"array": sound(), "sampling_rate": 16_000}],
        "decoder": lambda: [Decoder()],
        "wav": lambda: [str(folder / "tone.wav")],
        "webm_sound": lambda: [str(folder / "tone.webm")],
        "webm_video": lambda: [str(folder / "clip.webm")],
        "image_and_sound": lambda: [Image.new("RGB", (64, 48)), str(folder / "tone.wav")],
        "text": lambda: [],
    }[doc["kind"]]()


def doc_to_text(doc: Doc) -> str:
    return f"What is in this {doc['kind']}?"


def process_results(doc: Doc, results: list[str]) -> dict[str, float]:
    return {"score": float(results[0] == doc["answer"])}
