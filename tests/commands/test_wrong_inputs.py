"""No traceback, and nothing but text, whatever is wrong: all subcommands, many kinds of input."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from aurelia_plugin.cli import main

from .wrong_inputs import COMMANDS, EVIL, KINDS, leaves, made

READING = [name for name, command in COMMANDS.items() if "{path}" in command.words]
WRITING = [name for name, command in COMMANDS.items() if command.writes]


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command; return its status and what it said, which is checked."""
    capsys.readouterr()
    try:
        status = main(words)
    except SystemExit as end:  # argparse
        status = int(str(end.code))
    out, err = capsys.readouterr()
    assert status in {0, 1, 2}, f"{words}: {status}\n{err}"
    assert "Traceback" not in out + err
    forbidden = {*map(chr, range(32)), *map(chr, range(127, 160)), *EVIL} - {*"\n\t", *"[31m1gpj"}
    assert not set(out + err) & forbidden
    if status == 2:
        assert err.startswith("usage: aurelia")
    assert out + err or status == 0, "a failure without a word"
    return status, err


def words(name: str, path: str, out: str) -> list[str]:
    given = shlex.split(COMMANDS[name].words)
    return [*name.split(), *(word.replace("{path}", path).replace("{out}", out) for word in given)]


def test_every_subcommand_is_tried() -> None:
    assert set(leaves()) == set(COMMANDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", READING)
def test_what_is_read(
    name: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = made(kind, tmp_path), str(tmp_path / "out")
    status, err = run(words(name, path, out), capsys)
    if kind != "empty_folder" and (name, kind) not in {("traces merge", "device")}:
        assert status
    if status == 1 and err:
        assert len(err.strip().splitlines()) >= 2, "an error has its fix on a line of its own"


@pytest.mark.parametrize("kind", ["missing", "below_a_file", "garbage", "nul", "link_to_itself"])
@pytest.mark.parametrize(
    ("name", "option"), [(name, o) for name, c in COMMANDS.items() for o in c.options]
)
def test_what_options_read(
    name: str, option: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.yaml"
    good.write_text("[a]")
    path = made(kind, tmp_path)
    assert run([*words(name, str(good), str(tmp_path / "out")), option, path], capsys)[0]


@pytest.mark.parametrize("where", ["FILE/x", "FILE", "/dev/null/x", "/proc/x", "\0", "x" * 5000])
@pytest.mark.parametrize("name", WRITING)
def test_where_it_is_written(
    name: str, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option = COMMANDS[name].writes
    assert option is not None
    (tmp_path / "FILE").write_text("mine")
    out = where.replace("FILE", str(tmp_path / "FILE"))
    given = words(name, str(tmp_path / "nothing"), out)
    given += [] if option in given else [option, out]
    assert run(given, capsys)[0]
    assert (tmp_path / "FILE").read_text() == "mine"


@pytest.mark.parametrize("number", ["", "x", "-1", "1e999", "nan", "9" * 30, "９x", EVIL])  # noqa: RUF001
@pytest.mark.parametrize(
    ("name", "option"), [(name, o) for name, c in COMMANDS.items() for o in c.numbers]
)
def test_numbers(
    name: str, option: str, number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*words(name, str(tmp_path), str(tmp_path / "out")), f"{option}={number}"]
    status, _ = run(given, capsys)
    assert status == 2


@pytest.mark.parametrize("more", [["--no-such"], ["surplus", "surplus"], [f"--{EVIL}"], ["--=x"]])
@pytest.mark.parametrize("name", COMMANDS)
def test_words(
    name: str, more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = words(name, str(tmp_path / "nothing"), str(tmp_path / "out"))
    assert run([*given, *more], capsys)[0]


@pytest.mark.parametrize("given", [[], ["no-such"], ["data"], ["data", EVIL], ["--version="]])
def test_what_is_no_command(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(given, capsys)[0] == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_was_deleted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    status, _ = run(words(name, "given", "out"), capsys)
    if "{path}" in COMMANDS[name].words:
        assert status
    os.chdir(tmp_path)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_well(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"], capsys)[0] == 0
