"""Contrastive decoding beside a slow, plain reading of the papers' formulas."""

from __future__ import annotations

import asyncio
from typing import Any

import contrast_reading
import numpy as np
import pytest
import tiny_models
import torch
from media.conftest import tone

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Reply, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.contrast import Avcd, Contrasting, Mad
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.delivery.arrays import prepare
from aurelia_plugin.model_wrappers.embedded.backend import folder
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)
from aurelia_plugin.model_wrappers.transformers.contrastive.mad import WORDS, Weights, row_weights
from aurelia_plugin.model_wrappers.transformers.inputs import model_inputs

ASKING = "Which of audio, video and both does it take?"
STEPS = 5


def clip(seed: int, *, sound: bool = True, picture: bool = True) -> Media:
    rng = np.random.default_rng(seed)
    heard = Media("audio", data=Waveform(tone(1.0, 16_000, 200.0 + 50 * seed), 16_000))
    if not picture:
        return heard
    pixels = rng.integers(0, 255, (4, 56, 56, 3), dtype=np.uint8)
    return Media("video", data=Frames(pixels, np.arange(4) / 2), sound=heard if sound else None)


def prompt(*parts: Part, contrast: Avcd | Mad | None = None, **decoding: Any) -> Prompt:
    generation = Generation(max_new_tokens=STEPS, **decoding)
    return Prompt((Message("user", parts),), generation, contrast=contrast)


def ask(backend: TransformersBackend, asked: Prompt) -> Reply:
    return asyncio.run(Caller().answer(backend, asked))


@pytest.fixture(scope="module", params=("embedded", "qwen2_5_omni", "qwen3_omni"))
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> TransformersBackend:
    place = folder()
    if request.param != "embedded":
        with torch.random.fork_rng():
            place = getattr(tiny_models, request.param)(tmp_path_factory.mktemp(request.param))
    options = TransformersOptions(
        dtype="float32", max_frames=4, longest_side=56, min_pixels=3136, max_pixels=3136
    )
    return TransformersBackend(str(place), options)


class Plain:
    """A prompt's inputs, and the reading's reply to it as text."""

    def __init__(self, backend: TransformersBackend, asked: Prompt) -> None:
        self.backend = backend
        self.loaded = backend.load()
        self.inputs = self.of(asked)
        processor = self.loaded.processor
        ids = processor.tokenizer.convert_tokens_to_ids
        self.kinds = {
            "picture": [ids("<|VIDEO|>"), ids("<|IMAGE|>")],
            "sound": [ids("<|AUDIO|>")],
        }
        self.words = [
            processor.tokenizer.encode(word, add_special_tokens=False)[0]
            for word in ("both", "video", "audio")
        ]
        self.end = self.loaded.model.generation_config.eos_token_id

    def of(self, asked: Prompt) -> Any:
        prepared = prepare(asked, self.loaded.takes, system=self.loaded.family.system)
        return model_inputs(self.loaded, self.backend.options, [prepared], "this")

    def text(self, tokens: list[int]) -> str:
        return str(self.loaded.processor.tokenizer.decode(tokens, skip_special_tokens=True)).strip()


@pytest.mark.parametrize("tau", [0.0, 4.0])
def test_avcd_is_the_papers_formula_token_for_token(
    backend: TransformersBackend, tau: float
) -> None:
    contrast = Avcd(alpha=1.5, tau=tau)
    for seed in range(3):
        parts = (clip(seed), Text(f"What is number {seed}?"))
        plain = Plain(backend, prompt(*parts))
        wanted = contrast_reading.avcd(
            plain.loaded.model, plain.inputs, plain.kinds,
            alpha=1.5, beta=0.1, tau=tau, steps=STEPS, end=plain.end,
        )  # fmt: skip
        reply = ask(backend, prompt(*parts, contrast=contrast))
        assert reply.text == plain.text(wanted)
        assert reply.usage.output_tokens == len(wanted)
        assert reply.passes is not None
        if tau == 0.0:  # every token costs the plain pass and three rows
            assert reply.passes == 4 * len(wanted)
        else:
            assert len(wanted) <= reply.passes <= 4 * len(wanted)


def test_mad_is_the_papers_formula_token_for_token(backend: TransformersBackend) -> None:
    contrast = Mad(ASKING)
    for seed in range(3):
        parts = (clip(seed), Text(f"What is number {seed}?"))
        plain = Plain(backend, prompt(*parts))
        asking = plain.of(prompt(clip(seed), Text(ASKING)))
        wanted = contrast_reading.mad(
            plain.loaded.model, plain.inputs, asking, plain.words, plain.kinds,
            gamma=2.5, steps=STEPS, end=plain.end,
        )  # fmt: skip
        reply = ask(backend, prompt(*parts, contrast=contrast))
        assert reply.text == plain.text(wanted)
        assert reply.passes == 1 + 4 * len(wanted)
        assert reply.usage.input_tokens == len(plain.inputs["input_ids"][0]) + len(
            asking["input_ids"][0]
        )


def test_a_contrast_changes_replies_and_leaves_nothing_behind(
    backend: TransformersBackend,
) -> None:
    asked = [prompt(clip(seed), Text("What is it?")) for seed in range(4)]
    before = [ask(backend, one).text for one in asked]
    contrasts = (Avcd(alpha=3.0, tau=0.0), Mad(ASKING))
    changed = [
        [ask(backend, prompt(*one.messages[0].parts, contrast=contrast)).text for one in asked]
        for contrast in contrasts
    ]
    assert all(texts != before for texts in changed)
    assert [ask(backend, one).text for one in asked] == before


@pytest.mark.parametrize("contrast", [Avcd(tau=0.0), Mad(ASKING)], ids=["avcd", "mad"])
def test_a_clip_with_one_modality_or_none_is_decoded_too(
    backend: TransformersBackend, contrast: Avcd | Mad
) -> None:
    rows = {"avcd": (2, 2), "mad": (2, 1)}["avcd" if isinstance(contrast, Avcd) else "mad"]
    for parts in ((clip(1, sound=False),), (clip(1, picture=False),)):
        reply = ask(backend, prompt(*parts, Text("What is it?"), contrast=contrast))
        written = reply.usage.output_tokens
        assert reply.passes == rows[0] * written + (rows[1] if isinstance(contrast, Mad) else 0)
    text = prompt(Text("What is it?"))
    assert ask(backend, prompt(Text("What is it?"), contrast=contrast)).text == (
        ask(backend, text).text
    )


def test_only_greedy_decoding_has_a_contrast(backend: TransformersBackend) -> None:
    for decoding in ({"temperature": 0.5}, {"num_beams": 2}):
        asked = prompt(clip(1), Text("What?"), contrast=Avcd(), **decoding)
        with pytest.raises(BackendError, match="likeliest token"):
            ask(backend, asked)


def test_a_backend_without_logits_is_refused_with_the_reason() -> None:
    backend = ScriptedBackend(["yes"])
    assert not isinstance(backend, Contrasting)
    with pytest.raises(ConfigError, match="logits"):
        asyncio.run(Caller().answer(backend, prompt(Text("What?"), contrast=Avcd())))


def test_the_rows_of_mad_add_up_to_equation_9() -> None:
    weights = Weights(both=0.5, picture=0.3, sound=0.2)
    tokens = {"picture": torch.ones(1), "sound": torch.ones(1), "language": torch.ones(1)}
    counts = row_weights(tokens, weights, 2.0)  # type: ignore[arg-type]
    assert counts == pytest.approx([2 + 2.0, 1 + 0.6 - 1.0, 1 + 0.4 - 1.0, -0.6 - 0.4])
    # Logits that all rows share come out four times, whatever the weights.
    assert sum(counts) == pytest.approx(4.0)
    assert WORDS == ("both", "video", "audio")
