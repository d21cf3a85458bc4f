"""What the kit sees of upstream models, and changes about them."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from aurelia_plugin.media.audio import wav_bytes
from aurelia_plugin.media.clip import Waveform
from aurelia_plugin.model_wrappers.sidecar.kit import Image, Sound, Used, Video, shims, watching
from aurelia_plugin.model_wrappers.sidecar.kit.choosing import one_of_each
from aurelia_plugin.model_wrappers.sidecar.kit.windows import (
    Window,
    account,
    contiguous,
    middles,
)


def wav(path: Path, *loud: tuple[float, float], seconds: float) -> str:
    samples = np.zeros(round(16_000 * seconds), dtype=np.float32)
    for begin, end in loud:
        samples[round(begin * 16_000) : round(end * 16_000)] = 0.5
    path.write_bytes(wav_bytes(Waveform(samples, 16_000)))
    return str(path)


def test_windows() -> None:
    assert middles(10.0, 2, 4.0) == [Window(0.5, 4.5), Window(5.5, 9.5)]
    assert middles(4.0, 2, 4.0) == [Window(0.0, 2.0), Window(2.0, 4.0)]
    assert [window.begin for window in contiguous(6, 2.0, kept=4)] == [0.0, 2.0, 4.0, 10.0]
    assert len(contiguous(3, 2.0, kept=4)) == 3


def test_account_of_windows_with_silence(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", (0.0, 2.0), seconds=6.0)
    used = Used()
    media = one_of_each([Sound("user", path, 6.0)], used)
    account(used, media, contiguous(3, 2.0, kept=5), entered=1)
    assert (used.clips, used.sound_seconds, used.dropped) == (1, 2.0, [])
    with pytest.raises(RuntimeError, match="0 windows of sound entered the prompt, and not 1"):
        account(Used(), media, contiguous(3, 2.0, kept=5), entered=0)
    account(used := Used(), media, contiguous(3, 2.0, kept=1), entered=1)
    assert used.dropped == ["sound outside the windows: not heard"]


def test_one_of_each_declares_the_rest(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", (0.0, 1.0), seconds=1.0)
    video = Video("user", "v.mp4", path, 1.0, 1.0)
    used = Used()
    chosen = one_of_each([video, video, Image("user", "i.png")], used, images=3, beside_video=0)
    assert (chosen.video, chosen.images, chosen.what, chosen.seconds) == (
        video,
        (),
        "soundtrack",
        1,
    )
    assert [entry.split(":")[0] for entry in used.dropped] == ["video", "soundtrack", "image"]


def test_generate_gets_other_settings_than_upstream_fixes() -> None:
    model: Any = SimpleNamespace(generate=lambda **given: given)
    asked = watching.generating_with(model, {"max_new_tokens": 5}, instead_of=["top_p"])
    with asked as prompt:
        given = model.generate(inputs_embeds="e", max_new_tokens=300, top_p=0.9, min_length=1)
    assert given == {"inputs_embeds": "e", "max_new_tokens": 5, "min_length": 1}
    assert prompt.value == "e"
    assert "top_p" in model.generate(top_p=1)


def test_rows_within_counts_what_is_there_unchanged() -> None:
    prompt, sound = torch.rand(9, 4), torch.rand(3, 4)
    assert watching.rows_within(prompt, sound) == 0
    prompt[2:5] = sound
    assert watching.rows_within(prompt, sound) == 3
    prompt[4, 0] = float("nan")
    assert watching.rows_within(prompt, sound) == 2


def test_checkpoints_of_another_model_are_refused() -> None:
    with watching.checkpoints_that_fit(torch.nn.Linear):
        model = torch.nn.Linear(2, 2)
        model.load_state_dict({"bias": torch.ones(2)}, strict=False)
        with pytest.raises(ValueError, match="it holds elsewhere"):
            model.load_state_dict({"elsewhere": torch.ones(2)}, strict=False)
    assert model.bias.tolist() == [1.0, 1.0]


def test_mutable_defaults_of_one_package_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import dataclasses\n"
        "@dataclasses.dataclass\n"
        "class Part:\n"
        "    size: int = 1\n"
        "@dataclasses.dataclass\n"
        "class Whole:\n"
        "    part: Part = Part()\n"
    )
    for name in ("of_upstream", "of_others"):
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    usual: Any = dataclasses.dataclass
    with shims.hashable_dataclasses("of_upstream"):
        import of_upstream  # type: ignore[import-not-found]

        if sys.version_info >= (3, 11):
            with pytest.raises(ValueError, match="mutable default"):
                import of_others  # noqa: F401
    assert of_upstream.Whole().part.size == 1
    assert dataclasses.dataclass is usual


def test_a_missing_program_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        shims.require_programs("sh", "no-such-program")
