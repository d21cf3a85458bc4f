"""Arbitrary and damaged input, by hypothesis; `python tests/fuzz` does it for longer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.properties import PROPERTIES
from fuzz.seeds import TEXTS

_SEEDS = [text.encode() for text in TEXTS]
_PIECES = st.sampled_from(
    [*_SEEDS, b"{", b"}", b"[", b'"', b"\\ud800", b"\0", b"\xff", b"../", b"1e999", b"NaN", b"\n"]
)


_texts = st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A seed with a part taken out and something else put in its place."""
    seed = draw(st.sampled_from(_SEEDS))
    first = draw(st.integers(0, len(seed)))
    last = draw(st.integers(first, len(seed)))
    return seed[:first] + draw(st.one_of(st.binary(max_size=12), _PIECES)) + seed[last:]


@pytest.mark.parametrize("name", PROPERTIES)
@given(data=st.one_of(st.binary(max_size=200), _texts, _damaged()))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_input_is_read_or_refused(name: str, data: bytes) -> None:
    PROPERTIES[name](data)


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("seed", range(len(_SEEDS)))
def test_the_seeds(name: str, seed: int) -> None:
    PROPERTIES[name](_SEEDS[seed])
