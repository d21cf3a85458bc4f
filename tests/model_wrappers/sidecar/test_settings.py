"""Where a system is looked for, and what is said when something is missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers import environments
from aurelia_plugin.model_wrappers.catalogue import row, rows
from aurelia_plugin.model_wrappers.options import read_options
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.readiness import lacks
from aurelia_plugin.model_wrappers.sidecar.facts import adapter_facts, adapters
from aurelia_plugin.model_wrappers.sidecar.installation import SidecarOptions, found
from aurelia_plugin.spec import BackendSpec

from .conftest import FAKE


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the user's own settings are."""
    for name in set(os.environ):
        if name.startswith("AURELIA_") and name.endswith(("_REPO", "_PYTHON", "_WEIGHTS")):
            monkeypatch.delenv(name)


def options(**given: object) -> SidecarOptions:
    return read_options(SidecarOptions, given, "sidecar:test")


def test_what_is_missing_is_named_with_the_model_the_setting_and_the_fix() -> None:
    with pytest.raises(ConfigError) as caught:
        BackendPool("aurelia_vita", {})
    assert caught.value.what.startswith("aurelia_vita (VITA 7B)")
    for setting in ("repo=…", "python=…", "weights=…"):
        assert setting in caught.value.what
    assert "git clone https://github.com/VITA-MLLM/VITA" in caught.value.fix
    assert "aurelia sidecar create vita" in caught.value.fix
    assert "hf download VITA-MLLM/VITA-1.5" in caught.value.fix
    assert "AURELIA_VITA_REPO, AURELIA_VITA_PYTHON, AURELIA_VITA_WEIGHTS" in caught.value.fix


def test_a_setting_that_leads_nowhere_is_missing_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"repo=… \(a checkout of .*; /no/such is not there\)"):
        found("vita", options(repo="/no/such", python=sys.executable, weights=str(tmp_path)))
    with pytest.raises(ConfigError, match="there is no adapter for this system yet"):
        found("no_such_system", options())
    with pytest.raises(ConfigError, match="no such file"):
        found(str(tmp_path / "adapter.py"), options())


def test_environment_variables_stand_in_and_options_beat_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    monkeypatch.setenv("AURELIA_VIDEOLLAMA2_REPO", str(one))
    monkeypatch.setenv("AURELIA_VIDEOLLAMA2_PYTHON", sys.executable)
    monkeypatch.setenv("AURELIA_VIDEOLLAMA2_WEIGHTS", str(one))
    place = found("videollama2", options())
    assert (place.repo, place.python, place.weights) == (str(one), sys.executable, str(one))
    assert found("videollama2", options(repo=str(other))).repo == str(other)
    assert found("videollama2", options(tiny=True)).weights == ""
    monkeypatch.delenv("AURELIA_VIDEOLLAMA2_WEIGHTS")
    assert found("videollama2", options(tiny=True)).repo == str(one)
    with pytest.raises(ConfigError, match=r"this is missing: weights=…"):
        found("videollama2", options())


def test_paths_are_absolute_and_a_bare_name_is_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    place = found("videollama2", options(repo="code", python="python", tiny=True))
    assert place.repo == str(tmp_path / "code")
    assert place.python == str(Path(sys.executable).parent / "python")


def test_a_row_that_shares_an_adapter_has_variables_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURELIA_VIDEOLLAMA2_REPO", str(tmp_path))
    monkeypatch.setenv("AURELIA_VIDEOLLAMA2_PYTHON", sys.executable)
    monkeypatch.setenv("AURELIA_VITA_WEIGHTS", str(tmp_path))
    place = found("videollama2", options(known_as="vita"))
    assert place.name == "aurelia_vita (VITA 7B)"
    assert (place.repo, place.weights) == (str(tmp_path), str(tmp_path))


def test_a_created_environment_is_used_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path))
    python = tmp_path / "environments" / "vl2" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("")
    given = options(repo=str(tmp_path), weights=str(tmp_path))
    with pytest.raises(ConfigError, match="missing: python=…"):
        found("videollama2", given)  # it was begun and not finished
    (tmp_path / "environments" / "vl2" / "aurelia-environment.json").write_text("{}")
    assert found("videollama2", given).python == str(python)


def test_options_of_the_adapter_are_taken_and_unknown_ones_refused() -> None:
    assert found(str(FAKE), options(prefix=7)).more == {"prefix": "7"}
    with pytest.raises(ConfigError, match=r"no such option: colour=red") as caught:
        found(str(FAKE), options(colour="red"))
    assert "at_start" in caught.value.fix
    assert "repo" in caught.value.fix
    with pytest.raises(ConfigError, match="decoding"):
        options(decoding="loud")


def test_each_process_of_a_run_takes_its_share_of_the_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(**given: object) -> list[str | None]:
        launches = found(str(FAKE), options(**given)).launches(options(**given))
        return [launch.environment.get("CUDA_VISIBLE_DEVICES") for launch in launches]

    assert seen() == [None]
    assert seen(workers=2) == [None, None]
    assert seen(gpus="0|1+2") == ["0", "1,2"]
    assert seen(gpus=3) == ["3"]
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert seen(gpus="0|1|2") == ["1"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert seen() == ["1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert seen(workers=2) == ["6", "6"]
    with pytest.raises(ConfigError, match="1 entries for 2 processes"):
        seen(gpus="0")


@pytest.mark.parametrize("name", sorted(adapters()))
def test_facts_of_every_adapter_agree_with_its_rows(name: str) -> None:
    facts = adapter_facts(name)
    assert facts.environment in environments.names()
    assert facts.upstream.count("/") == 1
    assert facts.has_tiny
    known = [r for r in rows().values() if r.backend == f"sidecar:{name}"]
    assert known, "an adapter without a row in the catalogue"
    for row_ in known:
        hears = {"soundtrack": row_.hears.soundtrack, "clips": row_.hears.clips}
        assert {key: facts.capabilities[key] for key in hears} == hears
        assert facts.capabilities["seconds"] == row_.hears.seconds
        assert facts.capabilities["joint"] == row_.joint
        assert list(row_.sees) == facts.capabilities["sees"]
        assert facts.environment in row_.environment.split()
        if row_.status in ("run-tiny", "code-only"):
            assert facts.commit[:7] in row_.note


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("SYSTEM = 'S'\nCAPABILITIES = {}\n", "no function load"),
        ("SYSTEM = str(1)\ndef load(o): ...\n", "SYSTEM is not a literal"),
        ("CAPABILITIES = {}\ndef load(o): ...\n", "system"),
        ("def load(o) ...\n", "cannot be read as Python"),
        ("SYSTEM = 'S'\nCAPABILITIES = 3\ndef load(o): ...\n", "capabilities"),
    ],
)
def test_a_faulty_adapter_is_an_error_before_anything_runs(
    code: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "adapter.py"
    path.write_text(code + "raise SystemExit\n")
    with pytest.raises(ConfigError, match=said):
        adapter_facts(str(path))


def test_doctor_tells_what_each_sidecar_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {lack.what.split("=")[0] for lack in lacks(row("videollama2"))}
    assert told == {"repo", "python", "weights"}
    unknown = row("avicuna").model_copy(update={"backend": "sidecar:no_such_system"})
    assert [lack.what for lack in lacks(unknown)] == ["there is no adapter for this system yet"]
    for name in ("macaw_llm", "bay_cat"):
        told = {lack.what.split("=")[0] for lack in lacks(row(name))}
        assert told == {"repo", "python", "no weights exist"}
    (weights,) = [x for x in lacks(row("x_instructblip")) if x.what.startswith("weights")]
    assert weights.fix.startswith("docs/sidecars.md says where they are")
    assert BackendSpec.parse(row("videollama2").backend or "").provider == "sidecar"
