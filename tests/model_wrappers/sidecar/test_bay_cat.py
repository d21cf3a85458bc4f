"""The Bay-CAT adapter around a stand-in of upstream's function: no weights of it exist to load."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar import facts
from aurelia_plugin.model_wrappers.sidecar.blocks import written
from aurelia_plugin.model_wrappers.sidecar.kit import (
    Generation,
    Options,
    RequestError,
    Sound,
    Text,
    Video,
)

from .conftest import asked
from .upstream import checkout, signatures

WIDTH = 4


def row(value: float, count: int = 1) -> torch.Tensor:
    return torch.full((count, WIDTH), float(value))


class Projector(torch.nn.Module):
    def __init__(self, value: float, count: int) -> None:
        super().__init__()
        self.value, self.count = value, count

    def forward(self, _given: torch.Tensor) -> torch.Tensor:
        return row(self.value, self.count)


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(max_position_embeddings=256)
        self.layers = torch.nn.ModuleList([torch.nn.Identity()])
        self.CA: Any = torch.nn.Module()
        self.CA.llama_proj_audio, self.mm_projector_a = Projector(-30, 32), Projector(-31, 1)
        self.lost = False

    def get_model(self) -> Model:
        return self

    def forward(self, embedded: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=self.get_submodule("layers.0")(embedded))

    def generate(self, ids: torch.Tensor, images: Any, audios: Any, **named: Any) -> torch.Tensor:
        parts = [row(float(one)) for one in ids[0]]
        if -200 in ids[0]:
            rows = [self.CA.llama_proj_audio(audios), self.mm_projector_a(audios)]
            parts += rows[:1] if self.lost else rows
        self(torch.cat(parts)[None])
        self.asked = {**named, "images": images, "audios": audios}
        return torch.cat([ids, torch.full((1, 3), 65)], dim=1)


def tokenized(prompt: str, *_: Any, **__: Any) -> Any:
    ids: list[int] = [1]
    for chunk in prompt.replace("<Q>", "\0").replace("<video>", "\1"):
        ids.append({"\0": -300, "\1": -200}.get(chunk, ord(chunk)))
    return torch.tensor(ids)


class Talk:
    roles = ("USER", "ASSISTANT")

    def __init__(self) -> None:
        self.said = ""

    def copy(self) -> Talk:
        return Talk()

    def append_message(self, role: str, message: str | None) -> None:
        self.said += f"{role}:{message or ''}"

    def get_prompt(self) -> str:
        return self.said


@pytest.fixture
def bay_cat(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The adapter's class around the stand-ins, and the model in it."""
    module = ModuleType("inference")
    model = Model()

    def inference(model: Any, image: Any, audio: Any, query: str, tokenizer: Any) -> str:
        model.query = query
        talk = Talk()
        talk.append_message("USER", query)
        talk.append_message("ASSISTANT", None)
        ids = tokenized(talk.get_prompt())[None]
        model.generate(ids, images=image, audios=audio, do_sample=False, max_new_tokens=1024)
        return "a reply"

    vars(module).update(
        inference=inference,
        conv_templates={"llama_2": Talk()},
        tokenizer_image_token=tokenized,
    )
    data = ModuleType("imagebind.data")
    vars(data).update(
        load_and_transform_vision_data=lambda paths, device: torch.zeros(len(paths), 3, 8, 8),
        load_and_transform_audio_data=lambda paths, device: torch.zeros(1, 3, 1, 4, 4),
    )
    imagebind = ModuleType("imagebind")
    vars(imagebind)["data"] = data
    for name, one in (("inference", module), ("imagebind", imagebind), ("imagebind.data", data)):
        monkeypatch.setitem(sys.modules, name, one)
    spec = importlib.util.spec_from_file_location("bay_cat", facts.adapters()["bay_cat"])
    assert spec is not None
    assert spec.loader is not None
    adapter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(adapter)
    monkeypatch.setattr(adapter, "_frames", lambda path, folder: ["1.jpg", "2.jpg"])

    def encoder(given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {sense: torch.ones(len(one), 1024) for sense, one in given.items()}

    options = Options("", "", "cpu", folder=str(tmp_path))
    return SimpleNamespace(system=adapter.BayCAT(model, None, encoder, options), model=model)


def video(clip_file: Path) -> Video:
    block = written(asked("", Media.file("video", clip_file)))[0]
    return Video("user", block["path"], block["sound"], 2.0, 2.0)


def test_upstreams_function_gets_both_media_and_the_marked_question(
    bay_cat: Any, clip_file: Path
) -> None:
    blocks = [video(clip_file), Text("user", "What rings?")]
    answer = bay_cat.system.answer(blocks, Generation(max_new_tokens=9))
    assert bay_cat.model.query == "<Q>What rings?<Q>\n<video>"
    asked_for = bay_cat.model.asked
    assert (asked_for["max_new_tokens"], asked_for["do_sample"]) == (9, False)
    assert asked_for["images"].shape == (1, 2, 1024)
    assert asked_for["audios"].shape == (1, 1, 1024)
    used = answer.used
    assert (used.frames, used.clips, used.sound_tokens, used.output_tokens) == (2, 1, 33, 3)
    assert (answer.text, list(answer.warnings)) == ("a reply", [])
    assert np.asarray(answer.logits).shape == (WIDTH,)


def test_words_alone_and_one_medium(bay_cat: Any, clip_file: Path) -> None:
    answer = bay_cat.system.answer([Text("user", "Hello")], Generation(max_new_tokens=9))
    assert bay_cat.model.query == "Hello"
    assert not answer.warnings
    sound = Sound("user", video(clip_file).sound or "", 2.0)
    answer = bay_cat.system.answer([sound, Text("user", "What?")], Generation(max_new_tokens=9))
    assert list(answer.warnings) == ["no picture: a vector of zeros stands in its place"]
    assert not bay_cat.model.asked["images"].any()


def test_what_does_not_fit_or_did_not_enter(bay_cat: Any, clip_file: Path) -> None:
    question, short = "What rings?", "1. listen\nWhat rings?"
    text = Text("user", f"1. listen\n2. {'listen ' * 40}\n{question}", (short, question))
    answer = bay_cat.system.answer([video(clip_file), text], Generation(max_new_tokens=9))
    assert bay_cat.model.query == f"<Q>{short}<Q>\n<video>"
    assert len(answer.used.dropped) == 1
    with pytest.raises(RequestError, match="A question holds <Q> or <video>"):
        bay_cat.system.answer([Text("user", "Is <video> a tag?")], Generation())
    bay_cat.model.lost = True
    with pytest.raises(RuntimeError, match="32 positions of sound entered the prompt"):
        bay_cat.system.answer([video(clip_file), Text("user", "What?")], Generation(9))


def test_the_stand_in_has_upstreams_signature() -> None:
    real = signatures(checkout("bay_cat") / "SFT_CAT" / "inference.py")
    assert real["inference"] == ["model", "image", "audio", "query", "tokenizer"]
