from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurelia_plugin.media.similarity import structural_similarity

skimage_metrics = pytest.importorskip("skimage.metrics")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(7, 70),
    width=st.integers(7, 70),
    strength=st.integers(0, 255),
)
def test_agrees_with_scikit_image(seed, height, width, strength):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    noise = rng.integers(-strength, strength + 1, first.shape)
    second = np.clip(first + noise, 0, 255).astype(np.uint8)
    expected = skimage_metrics.structural_similarity(first, second, channel_axis=2, data_range=255)
    assert structural_similarity(first, second) == pytest.approx(expected, abs=1e-6)


def test_tiny_pictures_have_a_similarity_too():
    black, white = np.zeros((2, 3, 3), np.uint8), np.full((2, 3, 3), 255, np.uint8)
    assert structural_similarity(black, black) == pytest.approx(1.0)
    assert structural_similarity(black, white) < 0.01
