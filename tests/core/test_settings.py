from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.settings import AureliaSettings, validated


def test_defaults_are_the_documented_ones() -> None:
    settings = AureliaSettings()
    assert (settings.condition, settings.agents, settings.preset) == (
        "aurelia",
        "target",
        "default",
    )
    assert (settings.inject, settings.media, settings.on_agent_failure) == (
        "steps",
        "full",
        "empty",
    )
    assert (settings.threshold, settings.max_iterations, settings.seed) == (None, None, 0)


def test_agents_serve_every_role_that_is_not_named() -> None:
    specs = validated({"agents": "scripted:a", "evaluator": "scripted:b"}).role_specs()
    assert specs == {
        "reasoner": "scripted:a",
        "summarizer": "scripted:a",
        "evaluator": "scripted:b",
    }


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"threshold": 0}, "threshold=0"),
        ({"threshold": 11}, "threshold=11"),
        ({"max_iterations": 0}, "max_iterations=0"),
        ({"thresold": 6}, "thresold=6"),
        ({"media": None}, "media=None"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validated(given)
    assert named in caught.value.what
    assert "model_args" in caught.value.fix


def test_values_from_a_command_line_are_read() -> None:
    settings = validated({"threshold": "7", "max_iterations": "2", "seed": "3", "traces": 2025})
    assert (settings.threshold, settings.max_iterations, settings.seed) == (7, 2, 3)
    assert settings.traces == "2025"


def _script(tmp_path: Path, text: str = "[a]") -> str:
    (tmp_path / "replies.yaml").write_text(text)
    return f"scripted:{tmp_path / 'replies.yaml'}?key=1"


def test_files_that_settings_name_are_found_and_digested(tmp_path: Path) -> None:
    settings = validated({"target": _script(tmp_path), "prompts": str(tmp_path)})
    assert set(settings.named_paths()) == {"target", "prompts"}
    digest = settings.files_digest()
    assert digest is not None
    assert not digest[0].isdigit(), "a command line would read it as a number"
    _script(tmp_path, "[b]")
    assert settings.files_digest() != digest
    assert validated({"target": "embedded"}).files_digest() is None


def test_agents_name_files_for_their_roles(tmp_path: Path) -> None:
    paths = validated({"agents": _script(tmp_path)}).named_paths()
    assert set(paths) == {"reasoner", "summarizer", "evaluator"}


def test_a_folder_named_like_a_catalogue_id_is_not_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("target", "embedded"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert validated({"target": "embedded"}).named_paths() == {}


def test_a_config_digest_is_checked(tmp_path: Path) -> None:
    given = {"target": _script(tmp_path)}
    digest = validated(given).check_config_digest()
    assert validated({**given, "config_digest": digest}).check_config_digest() == digest
    with pytest.raises(ConfigError, match="does not match") as caught:
        validated({**given, "config_digest": "old"}).check_config_digest()
    assert f"config_digest={digest}" in caught.value.fix
