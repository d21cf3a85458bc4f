"""Lists and pairs on one line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lmms_eval.utils import simple_parse_args_string

from aurelia_plugin.arguments import read_pair, read_pairs, split_list
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.harness.tasks import read_model_args


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        (" , ,", []),
        ("a", ["a"]),
        (" a , b ,", ["a", "b"]),
        ('a=1,b={"x": [1, 2]},c=u?k=v', ["a=1", 'b={"x": [1, 2]}', "c=u?k=v"]),
        ("a=[1,[2,3]],b", ["a=[1,[2,3]]", "b"]),
        ("a='x,y',b", ["a='x,y'", "b"]),
        ('a="{",b', ['a="{"', "b"]),
    ],
)
def test_commas_inside_brackets_and_quotes_separate_nothing(text: str, entries: list[str]) -> None:
    assert split_list(text) == entries


@given(st.text(st.sampled_from("ab=1,{}[]\"' \\"), max_size=30))
def test_model_args_are_split_as_the_harness_splits_them(text: str) -> None:
    try:
        expected: dict[str, Any] | None = simple_parse_args_string(text)
    except ValueError:
        expected = None  # an entry without an equals sign
    keys = [entry.partition("=")[0].strip() for entry in split_list(text)]
    if expected is None or "" in keys or len(set(keys)) < len(keys):
        # The harness takes an empty key, and of one that is given twice the last.
        with pytest.raises(ConfigError):
            read_model_args(text)
    else:
        assert read_model_args(text) == {key.strip(): value for key, value in expected.items()}


@pytest.mark.parametrize("text", ["", "a", "=b", " =b", "="])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--traces .*: not NAME=DIR") as caught:
        read_pair(text, "--traces", "NAME=DIR")
    assert caught.value.fix == "Write --traces NAME=DIR."


def test_a_value_may_hold_equals_signs_and_be_empty() -> None:
    assert read_pair("base_url=http://x/?a=b", "--option") == ("base_url", "http://x/?a=b")
    assert read_pair("a=", "--option") == ("a", "")


def test_a_key_is_given_once() -> None:
    assert read_pairs(["a=1", "b=1"], "--option") == {"a": "1", "b": "1"}
    with pytest.raises(ConfigError, match="--option: a is given twice"):
        read_pairs(["a=1", "a=2"], "--option")
