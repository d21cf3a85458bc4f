"""Bodies as they go over the wire; what is sent to whom is tested on servers, in `test_backend`."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.model_wrappers.delivery.encoding import Blob
from aurelia_plugin.model_wrappers.openai.sending import encoded

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda values: st.lists(values) | st.dictionaries(_TEXTS, values),
)


@given(body=st.dictionaries(_TEXTS, _VALUES))
def test_a_body_is_read_as_it_was_made(body: dict[str, object]) -> None:
    assert json.loads(encoded(body)) == body


@pytest.mark.parametrize("text", ["\ud83d", "a\udc80b", "\x00", "\u2028", "é", "</script>"])
def test_half_a_character_becomes_a_question_mark_and_all_else_stays(text: str) -> None:
    said = "".join("?" if "\ud800" <= one <= "\udfff" else one for one in text)
    assert json.loads(encoded({"a": [text]})) == {"a": [said]}


def test_large_numbers_and_what_is_no_json() -> None:
    assert json.loads(encoded({"seed": 2**70})) == {"seed": 2**70}
    with pytest.raises(TypeError):
        encoded({"a": object()})


@given(content=st.binary())
def test_media_are_in_the_base64_that_everybody_reads(content: bytes) -> None:
    blob = Blob("image", "image/jpeg", content, "x")
    assert base64.b64decode(blob.base64(), validate=True) == content
    assert blob.data_url() == f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
