"""`aurelia models`, `aurelia probe` and `aurelia doctor`."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.cli import main
from aurelia_plugin.model_wrappers import readiness
from aurelia_plugin.model_wrappers.catalogue import rows


def test_models_prints_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(rows())
    line = next(line for line in lines if line.startswith("aurelia_av_llm "))
    expected = "aurelia_av_llm unavailable paper yes video soundtrack AV-LLM 13B"
    assert line.split() == expected.split()
    line = next(line for line in lines if line.startswith("aurelia_audio_flamingo_3 "))
    assert "-     " in line  # sees nothing
    assert "soundtrack, 1 sound " in line


def test_models_as_json_is_a_list_of_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in found] == list(rows())
    assert all(row["system"] and row["status"] for row in found)
    assert next(row for row in found if row["id"] == "vita")["hears"]["clips"] == 1


@pytest.mark.parametrize("target", ["embedded:random?max_frames=2", "aurelia_embedded"])
def test_the_probe_passes_on_the_embedded_model(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "--target", target]) == 0
    said = capsys.readouterr().out
    assert "picture: reached: logits changed when blanked" in said
    assert "sound: reached: logits changed when muted and swapped" in said
    assert said.splitlines()[-1] == "PASS: both media reach the model"
    assert said.count("tokens in") == 8


def test_the_probe_fails_on_a_target_that_gets_no_media(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "replies.yaml"
    script.write_text(json.dumps(["always the same"] * 8))
    assert main(["probe", "--target", f"scripted:{script}"]) == 1
    said = capsys.readouterr().out
    assert "picture: NOT reached" in said
    assert "sound: NOT reached" in said
    assert said.splitlines()[-1] == "FAIL: see above"


def test_the_probe_takes_an_own_clip_that_has_sound(
    clip_file: Path, make_video: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ["probe", "--target", "embedded:random?max_frames=2"]
    assert main([*target, "--clip", str(clip_file)]) == 0
    assert "1 sounds (2.0 s)" in capsys.readouterr().out
    assert main([*target, "--clip", str(make_video("silent.mp4"))]) == 1
    assert "has no sound" in capsys.readouterr().err


def test_a_target_that_cannot_be_opened_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--target", "sidecar:no_such_system"]) == 1
    assert "no adapter for this system yet" in capsys.readouterr().err


def test_probing_all_makes_a_markdown_table_of_what_can_run_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        readiness, "lacks", lambda row: [] if row.id in {"embedded", "ola"} else ["something"]
    )
    assert main(["probe", "--all"]) == 1  # Ola's code is not installed
    # The harness logs a failed import to standard output, too.
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| aurelia_embedded | yes | yes |")
    assert lines[3].startswith("| aurelia_ola | no | no |")
    assert "cannot be loaded" in lines[3]


def test_doctor_needs_no_network_and_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setenv("REKA_API_KEY", "very-secret")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "very-secret" not in said
    assert "REKA_API_KEY" in said.split("Runs here")[0]
    ready, lacking = said.split("Needs a key")
    assert "embedded " in ready.split("Runs here")[1]
    assert "gemini  export GEMINI_API_KEY=" in " ".join(lacking.split()).replace(
        " export", "  export"
    )
    words = set(re.findall(r"[a-z0-9_]+", said))
    assert set(rows()) <= words  # every target is in one of the lists


def test_doctor_asks_for_nothing_that_this_package_rules_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    cannot = said.split("Cannot run in one environment")[1].split("Has no adapter")[0]
    assert "minicpm_o" in cannot
    assert "transformers<4.45" in cannot
    assert "Use an environment with" not in said
    unavailable = said.split("Cannot be had")[1]
    assert "adapter" not in unavailable  # writing one would not help


@pytest.mark.parametrize("command", ["doctor", "models", "reported"])
@pytest.mark.parametrize("width", ["80", "120"])
def test_tables_fit_the_width_that_is_asked_for(
    command: str, width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert main([command]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= int(width)
    if command == "models":
        assert "Left out" in said
        assert main([command, "--all"]) == 0
        assert "Left out" not in capsys.readouterr().out
