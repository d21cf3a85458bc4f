from __future__ import annotations

from typing import Any

import pytest

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.options import BackendOptions, read_options


class Options(BackendOptions):
    frames: int = 8
    dtype: str = "auto"
    revision: str | None = None


class NoOptions(BackendOptions):
    pass


def test_values_from_a_command_line_are_read() -> None:
    read = read_options(Options, {"frames": "16", "revision": 2024}, "svc")
    assert read == Options(frames=16, revision="2024")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"frame": 3}, "svc: frame=3: "),
        ({"frames": "many"}, "svc: frames='many': "),
        ({"frames": "many", "x": 1}, "; x=1: "),
    ],
)
def test_an_unfit_option_is_named_with_those_there_are(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_options(Options, values, "svc")
    assert said in caught.value.what
    assert "This backend's options: dtype, frames, revision." in caught.value.fix


@pytest.mark.parametrize(("given", "meant"), [("treshold", "threshold"), ("frame", "frames")])
def test_a_misspelt_key_is_told_the_nearest_option_or_setting(given: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_options(Options, {given: 3}, "svc")
    assert f"Did you mean {meant}?" in caught.value.fix


def test_a_backend_without_options_says_so() -> None:
    with pytest.raises(ConfigError, match="options: none"):
        read_options(NoOptions, {"a": 1}, "svc")
