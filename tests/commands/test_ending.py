"""How `aurelia` ends: interrupted, unread, without room, closed, and at its own fault."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aurelia_plugin.cli import main
from aurelia_plugin.commands import console, reported
from aurelia_plugin.commands.failures import BUG, FAILED, INTERRUPTED, UNREAD, failure_of
from aurelia_plugin.errors import ConfigError

AURELIA = [sys.executable, "-m", "aurelia_plugin"]


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may have it ignored


@pytest.mark.parametrize(
    "arguments",
    [
        ["distil", "--tasks", "avreasonbench_mini_geoiq", "--limit", "2"],
        ["study", "--target", "embedded", "--tasks", "avreasonbench_mini_geoiq", "--out", "study"],
        ["probe", "--target", "embedded"],
    ],
    ids=lambda words: words[0],
)
def test_an_interrupted_command_says_so(arguments: list[str], tmp_path: Path) -> None:
    if arguments[0] == "distil":
        arguments = [*arguments, "--model_args", f"agents=embedded,traces={tmp_path}"]
    process = subprocess.Popen(
        [*AURELIA, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_interruptible,
    )
    time.sleep(4.0)  # in the imports, or at work: whenever it comes
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert "aurelia: stopped; the same command goes on" in err
    assert "Traceback" not in err
    assert process.returncode == INTERRUPTED


def _shell(command: str, folder: Path) -> tuple[str, str]:
    aurelia = " ".join(AURELIA)
    done = subprocess.run(
        ["bash", "-c", command.replace("aurelia", aurelia)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("(aurelia data schema; echo status $? >&2) | true", UNREAD),
        ("(aurelia models --json; echo status $? >&2) | true", UNREAD),
        ("(aurelia study --help; echo status $? >&2) | true", UNREAD),
        ("(env -u PYTHONUNBUFFERED aurelia --help; echo status $? >&2) | true", UNREAD),
        ("aurelia models --json > /dev/full; echo status $? >&2", FAILED),
        ("aurelia reported > /dev/full; echo status $? >&2", FAILED),
        ("aurelia data schema >&-; echo status $? >&2", 0),
        ("PYTHONIOENCODING=ascii aurelia reported > /dev/null; echo status $? >&2", 0),
        ("aurelia data check nowhere > /dev/full 2> /dev/full; echo status $? >&2", FAILED),
    ],
)
def test_what_becomes_of_the_output(command: str, status: int, tmp_path: Path) -> None:
    _, err = _shell(command, tmp_path)
    assert err.splitlines()[-1] == f"status {status}"
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    if "/dev/full" in command and "2>" not in command:
        assert err.startswith("standard output: No space left on device\n")


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_an_error_of_the_system_names_the_path_and_a_fix(number: int) -> None:
    failure = failure_of(OSError(number, os.strerror(number), "/a/path"))
    assert failure.status == FAILED
    what, fix = failure.text.split("\n")
    assert what == f"/a/path: {os.strerror(number)}"
    assert fix.endswith(".")


def test_a_fault_of_the_program_leaves_its_traceback_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise KeyError("api_key=sk-abcdefghijklmnopqrstuvwx \x1b[31m")

    monkeypatch.setattr(reported, "_run", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["reported"]) == BUG
    said = capsys.readouterr().err
    assert said.startswith("aurelia failed unexpectedly: KeyError: ")
    assert "Traceback" not in said
    (file,) = tmp_path.iterdir()
    assert str(file) in said
    assert "in broken" in file.read_text()
    assert "sk-abc" not in said + file.read_text()
    assert "\x1b" not in said


def test_errors_of_users_keep_their_two_lines() -> None:
    assert failure_of(ConfigError("a", "b")) == ("a\nb", FAILED)
    assert failure_of(KeyboardInterrupt()).status == INTERRUPTED


def test_the_output_of_runs_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    echo = console.plain_echo()
    for chunk in (b"\x1b[32mhalf \xc3", b"\xbc\r 50%\n", b"\xff\x9b31m"):
        echo(chunk)
    assert capsys.readouterr().err == "\ufffd[32mhalf \u00fc\n 50%\n\ufffd\ufffd31m"


def test_a_table_has_aligned_columns_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("[bold]a[/]", "1"), ("\x1b[31mlonger", "1000"), ("日本", "x" * 300)]
    console.say_table(("name", "n"), rows)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("[bold]a[/]")
    assert lines[2].startswith("\ufffd[31mlonger")
    assert all(re.search(r"(n|1|1000|x{300})\s*$", line) for line in lines)
