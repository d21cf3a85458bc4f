from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.spec import BackendSpec, catalogue_id


@pytest.mark.parametrize(
    ("text", "provider", "model", "options"),
    [
        ("scripted:replies.yaml", "scripted", "replies.yaml", {}),
        ("embedded", "", "embedded", {}),
        (" aurelia_embedded ", "", "embedded", {}),
        ("embedded?batch_size=2", "", "embedded", {"batch_size": "2"}),
        ("transformers:Qwen/Q-7B?a=1&b=x", "transformers", "Qwen/Q-7B", {"a": "1", "b": "x"}),
        (
            "openai:Qwen/Q?base_url=http://127.0.0.1:8000/v1",
            "openai",
            "Qwen/Q",
            {"base_url": "http://127.0.0.1:8000/v1"},
        ),
        ("a:b:c?k=", "a", "b:c", {"k": ""}),
        ("a:b?k=c%26d=e", "a", "b", {"k": "c&d=e"}),
        ("a:b?python=/opt/c++/py%20thon", "a", "b", {"python": "/opt/c++/py thon"}),
        ("a:b?", "a", "b", {}),
    ],
)
def test_specs(text: str, provider: str, model: str, options: dict[str, str]) -> None:
    assert BackendSpec.parse(text) == BackendSpec(provider, model, options)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no model"),
        ("  ", "names no model"),
        ("aurelia_", "names no model"),
        ("scripted:", "names no model"),
        (":model", "names no model"),
        ("?a=b", "names no model"),
        ("a:b?c", "bad query field"),
        ("a:b?c=1&&d=2", "bad query field"),
        ("a:b?c=1&c=2", "an option twice"),
    ],
)
def test_what_is_no_spec_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        BackendSpec.parse(text)


@given(st.text(st.characters()))
def test_any_text_is_a_spec_or_a_config_error(text: str) -> None:
    try:
        spec = BackendSpec.parse(text)
    except ConfigError:
        return
    assert spec.model


def test_a_catalogue_id_loses_one_prefix() -> None:
    assert catalogue_id("aurelia_aurelia_x") == "aurelia_x"
    assert catalogue_id("my_aurelia_x") == "my_aurelia_x"
