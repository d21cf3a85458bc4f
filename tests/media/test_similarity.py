from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurelia_plugin.media.frames.similarity import SampledPicture, Windows, is_below, similarity

skimage_metrics = pytest.importorskip("skimage.metrics")


def pair(first: Any, second: Any) -> tuple[SampledPicture, SampledPicture]:
    one = SampledPicture(first)
    return one, SampledPicture(second, one.windows)


def exact(first: Any, second: Any) -> float:
    value = skimage_metrics.structural_similarity(first, second, channel_axis=2, data_range=255)
    return float(value)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(7, 66),
    width=st.integers(7, 66),
    strength=st.integers(0, 255),
)
def test_a_small_picture_is_looked_at_whole_and_agrees_with_scikit_image(
    seed: int, height: int, width: int, strength: Any
) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    noise = rng.integers(-strength, strength + 1, first.shape)
    second = np.clip(first + noise, 0, 255).astype(np.uint8)
    assert similarity(*pair(first, second)) == pytest.approx(exact(first, second), abs=1e-4)


def test_tiny_pictures_have_a_similarity_too() -> None:
    black, white = np.zeros((2, 3, 3), np.uint8), np.full((2, 3, 3), 255, np.uint8)
    assert similarity(*pair(black, black)) == pytest.approx(1.0)
    assert similarity(*pair(black, white)) < 0.01


def textured(seed: int, cell: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (240 // cell, 426 // cell, 3), dtype=np.uint8)
    return coarse.repeat(cell, 0).repeat(cell, 1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("strength", [5, 20, 60])
def test_a_sample_of_a_large_picture_estimates_it(seed: int, strength: int) -> None:
    first = textured(seed)
    noise = np.random.default_rng(seed).normal(0, strength, first.shape)
    second = np.clip(first + noise, 0, 255).astype(np.uint8)
    assert similarity(*pair(first, second)) == pytest.approx(exact(first, second), abs=0.02)


def test_stripes_in_step_with_a_grid_do_not_fool_the_sample() -> None:
    first = np.zeros((240, 426, 3), np.uint8)
    second = first.copy()
    second[:, ::20] = 255
    assert similarity(*pair(first, second)) == pytest.approx(exact(first, second), abs=0.03)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray", "nv12"])
def test_windows_of_a_decoded_frame_are_those_of_the_converted_picture(pix_fmt: str) -> None:
    one, two = (
        av.VideoFrame.from_ndarray(textured(seed), format="rgb24").reformat(format=pix_fmt)
        for seed in (1, 2)
    )
    whole = exact(one.to_ndarray(format="rgb24"), two.to_ndarray(format="rgb24"))
    assert similarity(*pair(one, two)) == pytest.approx(whole, abs=0.02)


def test_a_frame_of_another_size_takes_the_size_of_the_first() -> None:
    first = av.VideoFrame.from_ndarray(textured(1), format="rgb24").reformat(format="yuv420p")
    smaller = first.reformat(width=160, height=120)
    assert similarity(*pair(first, first)) == pytest.approx(1.0)
    assert 0.0 < similarity(*pair(first, smaller)) < 1.0


def test_few_windows_decide_a_clear_case_and_many_a_close_one() -> None:
    first = textured(3)
    clear, close = textured(4), first.copy()
    close[:, :213] = textured(4)[:, :213]  # about half of the windows agree
    one, two = pair(first, clear)
    assert is_below(one, two, 0.6)
    assert len(two._read) == 1
    one, two = pair(first, close)
    assert not is_below(one, two, exact(first, close) - 0.05)
    assert is_below(one, two, exact(first, close) + 0.05)
    assert len(two._read) > 1


def test_draws_differ_and_stay_inside() -> None:
    windows = Windows(240, 426)
    assert len({place.rows.tobytes() for place in windows.draws}) == 17
    for place in windows.draws:
        assert place.rows.min() >= 0
        assert place.rows.max() < 240
        assert place.columns.max() < 426
