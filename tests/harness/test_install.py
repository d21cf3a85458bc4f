"""The package as users install it: wheel and editable, run from the clone's own folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DATA = {".yaml", ".jinja", ".md", ".json", ""}


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
        "--wheel-dir", folder, ROOT,
    )  # fmt: skip
    (made,) = folder.glob("*.whl")
    return made


def environment(folder: Path) -> Path:
    """Make a virtual environment that borrows this one's dependencies, not its plugin."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    borrowed = sysconfig.get_path("purelib")
    # A path added by a .pth file is searched for modules, but its own .pth files (an editable
    # install of this project, say) are not obeyed.
    (Path(own) / "borrowed.pth").write_text(f"{borrowed}\n")
    return python


def packaged(names: list[str]) -> set[str]:
    return {
        name.partition("aurelia_plugin/")[2]
        for name in names
        if name.startswith("aurelia_plugin/") and not name.endswith(".pyc")
    }


def test_the_wheel_carries_every_file_of_the_packages(wheel: Path) -> None:
    tracked = run("git", "ls-files", cwd=ROOT).stdout.splitlines()
    expected = {name.partition("/")[2] for name in tracked if name.startswith("aurelia_plugin/")}
    expected |= {name for name in tracked if name.startswith(("model_wrappers/", "task_yamls/"))}
    with zipfile.ZipFile(wheel) as archive:
        held = packaged(archive.namelist())
    assert expected - held == set()
    assert {"reasoning/prompts/default/inject.jinja", "model_wrappers/catalogue.yaml",
            "task_yamls/avreasonbench_mini/_template", "py.typed"} <= held  # fmt: skip


@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_it_runs_from_the_clone(how: str, wheel: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    source = ["-e", ROOT] if how == "editable" else [wheel]
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
        "--no-index", "--no-build-isolation", *source,
    )  # fmt: skip
    results = tmp_path / "results"
    surroundings = {**os.environ, "AVREASONBENCH_MINI_ITEMS": "1", "PYTHONPATH": ""}
    run(
        python, "-m", "lmms_eval", "--model", "aurelia_embedded", "--tasks", "avreasonbench_mini",
        "--model_args", f"traces={tmp_path / 'traces'}", "--output_path", results, "--log_samples",
        cwd=ROOT, env=surroundings,
    )  # fmt: skip
    (written,) = results.rglob("*_results.json")
    table = json.loads(written.read_text())["results"]
    assert len([name for name in table if name.startswith("avreasonbench_mini_")]) == 7
    assert "avreasonbench_mini" in table
    (record,) = (tmp_path / "traces" / "runs").glob("*.json")
    summary = json.loads(record.read_text())
    assert summary["n"] == summary["evidence"]["target"]["calls"] == 7  # asked for every item
    assert summary["failed"] == 0
    assert summary["evidence"]["target"]["frames"] > 0
    assert summary["evidence"]["target"]["clips"] >= 7
    for samples in results.rglob("*_samples_*.jsonl"):
        for line in samples.read_text().splitlines():
            assert json.loads(line)["filtered_resps"] != ""
