"""Several channels as one, and samples of every depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.content import coerce
from aurelia_plugin.media.frames.bit_depth import eight_bit
from aurelia_plugin.media.sound.downmix import Downmix, weights
from media.conftest import MakeSound, tone

_FIVE_ONE = ("FL", "FR", "FC", "LFE", "BL", "BR")


def test_the_coefficients_are_those_of_bs_775() -> None:
    shares = weights(_FIVE_ONE)
    assert shares is not None
    np.testing.assert_allclose(shares / shares[2], [0.7071, 0.7071, 1.0, 0.0, 0.5, 0.5], atol=1e-4)
    assert weights(("FL", "FR")) is None
    assert weights(("FL", "FR", "what?")) is None


@given(st.permutations(_FIVE_ONE))
def test_a_mix_never_exceeds_its_channels(names: list[str]) -> None:
    samples = np.ones((6, 4), dtype=np.float32)
    assert Downmix()(samples, names).max() <= 1.0 + 1e-6


def test_opposite_channels_are_not_cancelled(make_sound: MakeSound) -> None:
    sound = tone(1.0)
    path = make_sound("opposite.wav", np.stack([sound, -0.98 * sound]))
    found = waveform(Media.file("audio", path), 44100)
    assert found is not None
    np.testing.assert_allclose(found.samples, sound, atol=1e-3)


def test_two_channels_are_averaged(make_sound: MakeSound) -> None:
    low, high = tone(1.0, hertz=200.0), tone(1.0, hertz=1300.0)
    path = make_sound("stereo.wav", np.stack([low, high]))
    found = waveform(Media.file("audio", path), 44100)
    assert found is not None
    np.testing.assert_allclose(found.samples, (low + high) / 2, atol=1e-3)


def test_opposite_channels_in_memory() -> None:
    sound = tone(0.5, 16000)
    found = waveform(coerce({"array": np.stack([sound, -sound]), "sampling_rate": 16000}))
    assert found is not None
    assert np.abs(found.samples).max() > 0.4


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 7, 8])
def test_any_number_of_channels(tmp_path: Path, channels: int) -> None:
    import wave

    sound = tone(0.5, 16000)
    with wave.open(str(tmp_path / "many.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16000)
        many = np.stack([sound] * channels, axis=1)
        file.writeframes((many * 32767).astype("<i2").tobytes())
    found = waveform(Media.file("audio", tmp_path / "many.wav"))
    assert found is not None
    np.testing.assert_allclose(found.samples, sound, atol=2e-3)


@pytest.mark.parametrize(
    ("highest", "kind"),
    [(1.0, "f4"), (255.0, "f4"), (65535.0, "f4"), (255, "i4"), (65535, "i4"), (2**31 - 1, "i4")],
)
def test_wide_greyscale_keeps_its_shades(tmp_path: Path, highest: float, kind: str) -> None:
    shades = np.linspace(0, highest, 64).astype(kind).reshape(8, 8)
    Image.fromarray(shades).save(tmp_path / "wide.tiff")
    pixels = coerce(str(tmp_path / "wide.tiff"))
    from aurelia_plugin.media.picture import picture

    found = picture(pixels)[..., 0].reshape(-1).astype(int)
    np.testing.assert_allclose(found, np.linspace(0, 255, 64), atol=1.5)


def test_what_is_no_number_is_black() -> None:
    values = np.array([[np.nan, -5.0], [np.inf, 1.0]], dtype=np.float32)
    assert eight_bit(Image.fromarray(values), None).tolist() == [[0, 0], [0, 255]]
