"""The comparison of lmms-eval's own tests with and without the plugin, on a small checkout."""

from __future__ import annotations

from pathlib import Path

import peer_suite
import pytest

TESTS = """
import importlib.metadata
import pytest

def test_same():
    pass

def test_disturbed_by_a_plugin():
    found = importlib.metadata.entry_points(group="lmms_eval.models")
    assert "aurelia" not in found.names

@pytest.mark.skip
def test_skipped():
    pass

def test_importable():
    with pytest.raises(ModuleNotFoundError):
        import aurelia_plugin
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "lmms_eval").mkdir()
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "test_theirs.py").write_text(TESTS)
    return tmp_path


def test_what_the_plugin_changes_is_named_and_fails(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AURELIA_UPSTREAM_LMMS_EVAL", str(checkout))
    assert peer_suite.main([]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        "without the plugin: 3 passed, 1 skipped",
        "with the plugin: 2 failed, 1 passed, 1 skipped",
    ]
    assert [line.partition("::")[2].partition(":")[0] for line in said[2:]] == [
        "test_disturbed_by_a_plugin",
        "test_importable",
    ]


def test_no_difference_is_success(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AURELIA_UPSTREAM_LMMS_EVAL", str(checkout))
    assert peer_suite.main(["test/test_theirs.py::test_same"]) == 0
    assert capsys.readouterr().out.endswith("no difference\n")


def test_a_run_in_which_nothing_passes_compares_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "test" / "test_theirs.py").write_text("import not_there\n")
    monkeypatch.setenv("AURELIA_UPSTREAM_LMMS_EVAL", str(checkout))
    assert peer_suite.main([]) == 1
    assert capsys.readouterr().out.endswith("no test passed: nothing was compared\n")


def test_a_file_that_cannot_be_collected_stops_no_other(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "test" / "test_other.py").write_text("import not_there\n")
    monkeypatch.setenv("AURELIA_UPSTREAM_LMMS_EVAL", str(checkout))
    assert peer_suite.main(["test"]) == 1
    assert "without the plugin: 1 error, 3 passed, 1 skipped" in capsys.readouterr().out


def test_a_checkout_has_to_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AURELIA_UPSTREAM_LMMS_EVAL", raising=False)
    assert peer_suite.main([]) == 2
    assert "AURELIA_UPSTREAM_LMMS_EVAL" in capsys.readouterr().out
