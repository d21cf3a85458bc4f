"""`aurelia sidecar create`, `check` and `conformance`."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from aurelia_plugin.cli import main
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers import environments
from aurelia_plugin.model_wrappers.sidecar.facts import adapter_facts

FAKE = Path(__file__).parents[1] / "model_wrappers" / "sidecar" / "fake_system.py"
DOCUMENT = Path(__file__).parents[2] / "docs" / "sidecars.md"


@pytest.fixture
def small_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without requirements, so that pip needs no network."""
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "small.txt").write_text("# python: >=3.8\n# imports: json wave\n# imports: array\n")
    monkeypatch.setattr(environments, "ENVIRONMENTS", folder)
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))
    return folder / "small.txt"


def test_create_makes_a_venv_checks_it_and_does_nothing_twice(
    small_environment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sidecar", "create", "small"]) == 0
    said = capsys.readouterr().out
    assert "small: making" in said
    assert "3 modules can be imported" in said
    python = environments.environment_python("small")
    assert python is not None
    assert subprocess.run([str(python), "-c", "import json"], check=False).returncode == 0
    assert main(["sidecar", "create", "small"]) == 0
    again = capsys.readouterr().out
    assert "making" not in again
    assert "installing" not in again
    small_environment.write_text("# imports: json\n")  # changed requirements are installed anew
    assert main(["sidecar", "create", "small"]) == 0
    assert "installing" in capsys.readouterr().out


def test_create_says_what_does_not_fit(
    small_environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_environment.write_text("# python: <3.0\n")
    assert main(["sidecar", "create", "small"]) == 1
    said = capsys.readouterr().err
    assert "is made for Python <3.0" in said
    assert "none on the PATH fits" in said
    assert main(["sidecar", "create", "small", "--python", sys.executable]) == 1
    assert f"{sys.executable} is 3." in capsys.readouterr().err
    small_environment.write_text("# imports: json no_such_module\n# programs: no-such-program\n")
    venv = ["--to", str(tmp_path / "venv")]
    assert main(["sidecar", "create", "small", *venv]) == 1
    assert "no_such_module: ModuleNotFoundError" in capsys.readouterr().err
    small_environment.write_text("# programs: no-such-program\n")
    assert main(["sidecar", "create", "small", *venv]) == 0
    assert "not on the PATH, and needed: no-such-program" in capsys.readouterr().out
    assert main(["sidecar", "create", "small", "--python", "/no/such", "--to", "/no"]) == 1
    assert "is no Python" in capsys.readouterr().err
    assert main(["sidecar", "create", "large"]) == 1
    assert "Use one of: small" in capsys.readouterr().err


def test_what_pip_cannot_install_is_named(
    small_environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    venv = ["--to", str(tmp_path / "venv")]
    small_environment.write_text("--no-index\nno-such-package==1.0\n")
    assert main(["sidecar", "create", "small", *venv]) == 1
    said = capsys.readouterr().err
    assert f"pip could not install {small_environment}" in said
    assert "No matching distribution found for no-such-package==1.0" in said
    assert "name its interpreter as python=" in said
    small_environment.write_text("--no-index\n./no_such_folder\n")
    assert main(["sidecar", "create", "small", *venv]) == 1
    assert "no_such_folder" in capsys.readouterr().err
    # A failed build names its package in none of pip's errors: the last one collected is it.
    log = "2026-11-25T03:00:00,001 Collecting tokenizers==0.19.1 (from -r vita.txt (line 10))\n"
    log += "2026-11-25T03:00:00,002   error: metadata-generation-failed\n"
    assert environments._why(log).startswith("Collecting tokenizers==0.19.1")
    assert environments._why("") == "its own lines above say why"


def test_another_index_is_asked_where_pip_does_not_find_all_in_its_own(
    small_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "small_thing-1.0+cpu-py3-none-any.whl"
    there = tmp_path / "other" / "small-thing"
    there.mkdir(parents=True)
    (there / "index.html").write_text(f'<a href="{name}">{name}</a>')
    with zipfile.ZipFile(there / name, "w") as wheel:
        facts = "small_thing-1.0+cpu.dist-info"
        wheel.writestr("small_thing.py", "")
        wheel.writestr(
            f"{facts}/METADATA", "Metadata-Version: 2.1\nName: small-thing\nVersion: 1.0+cpu\n"
        )
        wheel.writestr(
            f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{facts}/RECORD", "")
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "own").as_uri())
    wanted = "# imports: small_thing\nsmall-thing==1.0+cpu\n"
    small_environment.write_text(wanted)
    venv = ["--to", str(tmp_path / "venv")]
    assert main(["sidecar", "create", "small", *venv]) == 1
    small_environment.write_text(f"# index: {(tmp_path / 'other').as_uri()}\n{wanted}")
    assert main(["sidecar", "create", "small", *venv]) == 0


def test_create_takes_a_python_from_the_path_where_this_one_does_not_fit(
    small_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = environments.environment("small")
    for minor, version in ((13, "3.13.0"), (10, "3.10.7"), (9, "3.9.1"), (12, "")):
        program = tmp_path / f"python3.{minor}"
        program.write_text(f"#!/bin/sh\n{'echo ' + version if version else 'exit 127'}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environments._base(made, None) == sys.executable
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    old = made._replace(pythons=SpecifierSet(">=3.9,<3.13"))
    assert environments._base(old, None) == str(tmp_path / "python3.10")
    with pytest.raises(ConfigError, match="none on the PATH fits") as caught:
        environments._base(made._replace(pythons=SpecifierSet("<3.9")), None)
    assert "apt-get install python3.8-venv" in caught.value.fix


def test_the_packaged_environments_are_listed_with_their_systems(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sidecar", "create"]) == 0
    said = capsys.readouterr().out
    assert "vl2: not made; for: videollama2" in said
    assert "vita: not made; for: vita" in said
    for name in environments.names():
        made = environments.environment(name)
        assert "torch" in made.imports
        assert f"{sys.version_info.major}.11.0" in made.pythons


def test_check_answers_one_clip_and_says_which_media_changed_the_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sidecar", "check", str(FAKE), "--tiny", "--option", "seed=3"]) == 0
    said = capsys.readouterr().out
    assert "system: Fake-1" in said
    assert "tiny 3: Describe" in said
    assert "sound: reached: logits changed when muted and swapped" in said
    assert main(["sidecar", "check", str(FAKE), "--option", "at_start=raise"]) == 1
    assert "no weights there" in capsys.readouterr().err
    assert main(["sidecar", "check", str(FAKE), "--option", "at_start"]) == 1
    assert "Write --option KEY=VALUE" in capsys.readouterr().err
    assert main(["sidecar", "check", "embedded"]) == 1
    assert "is no sidecar" in capsys.readouterr().err


def test_an_adapter_that_keeps_the_rules_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sidecar", "conformance", str(FAKE)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "PASS: 0 rules broken"
    assert len(said) == 14


BAD = """
from aurelia_plugin.model_wrappers.sidecar.kit import Answer, RequestError, Sound, Used, Video
from aurelia_plugin.model_wrappers.sidecar.kit.sound import read_samples
SYSTEM = "Bad"
CAPABILITIES = {{
    "sees": ["video"], "soundtrack": True, "clips": 1, "seconds": None, "joint": "yes"
}}
count = 0

class Bad:
    def answer(self, blocks, generation):
        global count
        count += 1
        used, heard = Used(output_tokens={tokens}), 0
        for block in blocks:
            path = getattr(block, "sound", None)
            path = block.path if isinstance(block, Sound) else path
            if isinstance(block, Video):
                used.frames += 1
                heard += {seen}
            elif type(block).__name__ == "Image":
                used.drop("image", "none")
            if path:
                used.hear(1.0)
                used.sound_tokens += 1
                heard += {listen}
        text = "".join(getattr(block, "text", "") for block in blocks)
        used.input_tokens = {length}
        return Answer({text}, used)

def load(options):
    return Bad()
"""
GOOD = {
    "tokens": "1",
    "seen": "len(open(block.path, 'rb').read())",
    "listen": "sum(read_samples(path))",
    "length": "len(text)",
    "text": "f'{heard}'",
}


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ({"seen": "0"}, "the picture matters"),
        ({"listen": "len(read_samples(path))", "seen": "0"}, "the sound matters"),
        ({"listen": "0 if 'unreadable' in path else sum(read_samples(path))"}, "unreadable sound"),
        ({"text": "f'{heard} {count}'"}, "the same request gets the same reply"),
        ({"length": "min(512, len(text))"}, "a text that is too long"),
        ({"tokens": "5"}, "replies keep to max_new_tokens"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_broken_rule_is_found(
    fault: dict[str, str], rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = tmp_path / "bad.py"
    adapter.write_text(BAD.format(**{**GOOD, **fault}))
    assert main(["sidecar", "conformance", str(adapter)]) == 1
    broken = [line for line in capsys.readouterr().out.splitlines() if line.startswith("BROKEN")]
    assert any(rule in line for line in broken), broken


def test_constants_and_undeclared_losses_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = tmp_path / "bad.py"
    text = BAD.format(**GOOD).replace('"joint": "yes"', '"joint": "maybe"')
    adapter.write_text(text.replace('used.drop("image", "none")', "pass"))
    assert main(["sidecar", "conformance", str(adapter)]) == 1
    said = capsys.readouterr().out
    assert "BROKEN  its constants are as documented: joint is maybe" in said
    assert "BROKEN  an image is in the prompt or declared as left out" in said


def _examples(tmp_path: Path) -> list[Path]:
    paths: list[Path] = []
    for block in DOCUMENT.read_text(encoding="utf-8").split("```python\n")[1:]:
        path = tmp_path / f"example_{len(paths)}.py"
        path.write_text(block.split("```")[0])
        paths.append(path)
    return paths


def test_the_first_example_of_the_page_for_authors_has_ten_lines_and_one_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _examples(tmp_path)[0]
    assert len([line for line in first.read_text().splitlines() if line.strip()]) <= 10
    assert main(["sidecar", "check", str(first)]) == 1
    said = capsys.readouterr().out
    assert "system: Echo" in said
    assert "1 of 1 sounds are neither in the prompt nor declared as left out" in said


def test_the_second_example_keeps_the_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sidecar", "conformance", str(_examples(tmp_path)[1])]) == 0
    assert "left out: video: it has no senses" in capsys.readouterr().out


def test_the_third_example_can_be_read(tmp_path: Path) -> None:
    facts = adapter_facts(str(_examples(tmp_path)[2]))
    assert facts.has_tiny
    assert facts.environment in environments.names()
