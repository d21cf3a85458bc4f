"""Scratch copies of the installed harness with contributions laid over them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from upstream_export.contributions import CONTRIBUTIONS, harness

from .asked import Job

ROOT = Path(__file__).resolve().parents[2]
Laid = Callable[..., Path]


@pytest.fixture(scope="session")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Laid:
    """Return what makes a copy of the harness with these contributions (by letter) in it."""

    def lay(*letters: str) -> Path:
        scratch = tmp_path_factory.mktemp("".join(letters))
        shutil.copytree(
            harness() / "lmms_eval",
            scratch / "lmms_eval",
            copy_function=_linked,
        )
        for contribution in CONTRIBUTIONS:
            if contribution.folder[0] in letters:
                for path, content in contribution.files().items():
                    file = scratch / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.unlink(missing_ok=True)  # it may be a link to the installed file
                    file.write_text(content, encoding="utf-8")
        return scratch

    return lay


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def python(*arguments: str, scratch: Path | None = None, **environment: str) -> str:
    """Run a fresh interpreter on a scratch copy, or on the installed harness; return its output."""
    path = {"PYTHONPATH": str(scratch)} if scratch is not None else {}
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **path, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def asked(job: Job, scratch: Path, work: Path, **environment: str) -> dict[str, Any]:
    """Run `asked.py` in a fresh interpreter on a scratch copy, and return what came."""
    path, out = work / "job.json", work / "came.json"
    path.write_text(json.dumps(job._asdict()))
    script = str(Path(__file__).with_name("asked.py"))
    python(script, str(path), str(out), scratch=scratch, **environment)
    found = json.loads(out.read_text())
    assert isinstance(found, dict)
    return found
