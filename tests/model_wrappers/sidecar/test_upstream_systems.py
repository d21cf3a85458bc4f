"""Adapters on upstream's own code with tiny random instances, where the user names a checkout.

`AURELIA_UPSTREAM_<SYSTEM>` names it, `AURELIA_<SYSTEM>_PYTHON` the interpreter of its environment.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aurelia_plugin.cli import main
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar import facts
from aurelia_plugin.model_wrappers.sidecar.blocks import written

from .conftest import asked
from .upstream import checkout, python_of

SYSTEMS = (
    "pandagpt",
    "onellm",
    "anygpt",
    "next_gpt",
    "imagebind_llm",
    "x_instructblip",
    "crema",
    "video_salmonn",
    "avicuna",
    "macaw_llm",
    "bay_cat",
)
PARITY = Path(__file__).with_name("parity")


@pytest.mark.parametrize("system", SYSTEMS)
def test_upstream_itself_with_a_tiny_random_instance(
    system: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--tiny", "--repo", str(checkout(system)), "--python", python_of(system)]
    assert main(["sidecar", "check", system, *where]) == 0
    said = capsys.readouterr().out
    assert "picture: reached: logits changed when blanked" in said
    assert "sound: reached: logits changed when muted and swapped" in said
    assert main(["sidecar", "conformance", system, *where]) == 0


@pytest.mark.parametrize(
    "system", sorted(path.stem for path in PARITY.glob("*.py") if path.stem != "run")
)
def test_upstreams_own_inference_gives_the_same(
    system: str, clip_file: Path, tmp_path: Path
) -> None:
    block = written(asked("", Media.file("video", clip_file)))[0]
    worker = Path(facts.__file__).with_name("worker.py")
    where = [worker, facts.adapters()[system], checkout(system), tmp_path]
    command = [python_of(system), PARITY / "run.py", *where, block["path"], block["sound"], system]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    last = done.stdout.rstrip().rpartition("\n")[2]
    assert last.startswith("equal"), f"{done.returncode}: {done.stderr[-4000:]}"
