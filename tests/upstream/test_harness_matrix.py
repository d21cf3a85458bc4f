"""The matrix of lmms-eval's versions: what it says of one that does not work."""

from __future__ import annotations

from pathlib import Path

import harness_matrix
import pytest


def version(folder: Path, number: str, source: str) -> Path:
    """Write a package `lmms_eval` as an unpacked wheel has it."""
    (folder / "lmms_eval").mkdir(parents=True)
    (folder / "lmms_eval" / "__init__.py").write_text(source)
    info = folder / f"lmms_eval-{number}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lmms-eval\nVersion: {number}\n")
    return folder


def test_the_first_step_that_fails_is_named_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = version(tmp_path / "broken", "0.1", "raise ImportError('too old')\n")
    bare = version(tmp_path / "bare", "0.2", "")
    assert harness_matrix.main([str(broken), str(bare)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| lmms-eval | import | tasks | run | scores | score | why not |"
    assert lines[2] == "| 0.1 | no | no | no | no |  | ImportError: too old |"
    assert lines[3].startswith("| 0.2 | yes | no | no | no |  | ModuleNotFoundError: ")


def test_a_checkout_says_its_version_too(tmp_path: Path) -> None:
    (tmp_path / "lmms_eval").mkdir()
    (tmp_path / "lmms_eval" / "__init__.py").write_text("raise ImportError('not yet')\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "lmms_eval"\nversion = "9.9"\n')
    row = harness_matrix.tried(tmp_path)
    assert (row.version, row.works, row.passed) == ("9.9 (checkout)", False, ())
