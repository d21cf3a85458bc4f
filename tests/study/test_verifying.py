"""Verifying a target: the record of a real run, and what lifts a row of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aurelia_plugin.calling.backend import Evidence
from aurelia_plugin.cli import main
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers import catalogue, verification
from aurelia_plugin.model_wrappers.verification import (
    MediumFact,
    RuleFact,
    ScoreFact,
    Verification,
    read_verification,
    verifications,
)
from aurelia_plugin.study.study import Outcome


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a verification of the packaged model, by two questions."""
    out = tmp_path_factory.mktemp("verified")
    command = ["verify", "embedded", "--items", "2", "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVREASONBENCH_MINI_ITEMS", "2")
        assert main(command) == 0
    return out


def test_the_packaged_model_is_verified(verified: Path) -> None:
    record = read_verification(verified / "embedded.json")
    assert (record.target, record.tiny, record.faults) == ("embedded", False, ())
    assert record.lifts
    assert [(fact.medium, fact.reached) for fact in record.media] == [
        ("picture", True),
        ("sound", True),
    ]
    assert record.evidence.frames > 0
    assert record.evidence.clips == 1
    assert [score.condition for score in record.scores] == ["none", "aurelia"]
    for score in record.scores:
        assert score.n == record.scores[0].n > 0
        assert score.unanswered == 0
        assert 0 <= score.score <= 1
    assert record.versions["lmms_eval"]
    assert str(Path.home()) not in record.model_dump_json()


def test_the_same_command_again_runs_nothing(
    verified: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_verification(verified / "embedded.json")
    monkeypatch.setenv("AVREASONBENCH_MINI_ITEMS", "2")
    assert main(["verify", "embedded", "--items", "2", "--out", str(verified)]) == 0
    assert capsys.readouterr().out.count("finished before") == 2
    assert read_verification(verified / "embedded.json").scores == before.scores


RECORD = Verification(
    target="pandagpt",
    system="PandaGPT 13B (pandagpt_13b_max_len_400)",
    tiny=False,
    made="2026-11-28T10:00:00+00:00",
    aurelia="0.1",
    backend="sidecar:pandagpt#0",
    evidence=Evidence(frames=10, clips=1),
    media=(MediumFact(medium="picture", reached=True, reason="logits changed"),),
    rules=(RuleFact(rule="it answers", holds=True, why="answered"),),
    task="avreasonbench_mini",
    items=20,
    seed=0,
    scores=(
        ScoreFact(
            condition="none",
            n=20,
            score=0.4,
            low=0.2,
            high=0.6,
            method="exact",
            unanswered=0,
            dropped=0,
        ),
    ),
    command="aurelia verify pandagpt",
    faults=(),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the catalogue looks for records."""
    monkeypatch.setattr(verification, "VERIFIED", tmp_path)
    for cached in (verifications, catalogue.rows):
        cached.cache_clear()
    yield tmp_path
    for cached in (verifications, catalogue.rows):
        cached.cache_clear()


def put(folder: Path, name: str = "pandagpt", **changes: Any) -> None:
    record = RECORD.model_copy(update=changes)
    (folder / f"{name}.json").write_text(record.model_dump_json(), encoding="utf-8")


def test_a_record_in_the_repository_lifts_its_row(folder: Path) -> None:
    assert catalogue.row("pandagpt").status == "run-tiny"
    put(folder)
    for cached in (verifications, catalogue.rows):
        cached.cache_clear()
    assert catalogue.row("pandagpt").status == "run"
    assert catalogue.row("next_gpt").status == "run-tiny"


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        ("pandagpt", {"tiny": True}, "a tiny instance"),
        ("pandagpt", {"faults": ("the sound does not reach the model",)}, "the sound does not"),
        ("next_gpt", {}, "its name"),
    ],
)
def test_what_does_not_verify_is_refused(
    name: str, changes: dict[str, Any], why: str, folder: Path
) -> None:
    put(folder, name, **changes)
    with pytest.raises(ConfigError, match=f"does not verify {name}: {why}"):
        catalogue.rows()


def test_a_broken_record_is_named(folder: Path) -> None:
    (folder / "pandagpt.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no record of `aurelia verify`"):
        catalogue.rows()


def test_a_fault_is_written_down_and_is_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from aurelia_plugin.running import probing
    from aurelia_plugin.study import verifying

    finding = probing.Finding(False, "declared as not delivered", None, ())

    async def deaf(*given: Any, **named: Any) -> probing.Probe:
        found = await probing.probe(*given, **named)
        return found._replace(sound=finding)

    monkeypatch.setattr(verifying, "probe", deaf)
    monkeypatch.setattr(verifying, "run_arms", lambda plan, say: Outcome({}, {}))
    assert main(["verify", "embedded", "--items", "1", "--out", str(tmp_path)]) == 1
    record = read_verification(tmp_path / "embedded.json")
    assert record.faults == ("the sound does not reach the model: declared as not delivered",)
    assert not record.lifts
    assert "FAULT: the sound does not reach" in capsys.readouterr().out
