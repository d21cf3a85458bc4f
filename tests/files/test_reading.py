"""Reading what strangers wrote: regular files, UTF-8 lines, JSON of the standard, plain names."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.places import inside, name_problem
from aurelia_plugin.files.regular import open_regular, read_regular
from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.strict_json import parse_json, parse_object
from aurelia_plugin.files.text_lines import LineError, read_lines

_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
_json = st.recursive(
    _scalars | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ab\u00e4"), inner),
    max_leaves=12,
)


@given(_json)
def test_what_is_json_is_read_as_it_is(value: JsonValue) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("NaN", "NaN is not a number"),
        ('{"a": [Infinity]}', "Infinity is not"),
        ('{"a": -Infinity}', "-Infinity is not"),
        ('{"a": 1e999}', "too large"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "'c' comes twice"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("9" * 5_000, "integer string conversion"),
        ("", "Expecting value"),
        ("1 2", "Extra data"),
    ],
)
def test_what_is_not_json_is_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_json(text)


def test_an_object_is_asked_for() -> None:
    assert parse_object('{"a": 1}') == {"a": 1}
    with pytest.raises(ValueError, match="is not a JSON object"):
        parse_object("[1]")
    with pytest.raises(ValueError, match="utf-8"):
        parse_object(b'{"a": "\xff"}')


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/zero")
    assert read_regular(tmp_path / "file", 7) == b"content"
    bad = ["pipe", "loop", "device", "none", ".", "x" * 300, "a\0b", "\ud800"]
    for name in bad:
        with pytest.raises(OSError, match=r"."):
            open_regular(tmp_path / name)
    with pytest.raises(OSError, match="larger than"):
        read_regular(tmp_path / "file", 6)
    before = len(os.listdir("/proc/self/fd"))
    for name in bad:
        with pytest.raises(OSError, match=r"."):
            open_regular(tmp_path / name)
    assert len(os.listdir("/proc/self/fd")) == before


def test_lines_are_numbered_and_marks_of_windows_left_out(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\r\n \ntwo\xe2\x80\xa8two\nlast")
    assert list(read_lines(path)) == [(1, "one"), (4, "two\u2028two"), (5, "last")]


@pytest.mark.parametrize(
    ("content", "line", "cause"),
    [
        (b"a\n\xff\n", 2, "is not UTF-8 at byte 1"),
        (b"a\n\xed\xa0\x80\n", 2, "is not UTF-8"),
        (b"a\nb\0\n", 2, "NUL"),
        ("a\nb".encode("utf-16"), 1, "UTF-16"),
        ("a\nb".encode("utf-16-le"), 1, "UTF-16"),
        ("a\nb".encode("utf-32"), 1, "UTF-16"),
        (b"a\n" + b"b" * 11, 2, "is longer than"),
    ],
)
def test_a_line_that_is_no_text_is_named(
    content: bytes, line: int, cause: str, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_bytes(content)
    with pytest.raises(LineError, match=cause) as caught:
        list(read_lines(tmp_path / "lines", longest=10))
    assert caught.value.line == line


@given(st.text(max_size=400))
def test_what_is_shown_is_one_short_printable_line(text: str) -> None:
    line = shown(text, 50)
    assert line.isprintable() or not line
    assert len(line) <= 50 * 10 + 1
    assert line.isascii() or shown(line, 1_000) == line


@pytest.mark.parametrize(
    "name", ["a\0b", "\ud800", "x" * 256, "a/" * 3_000, "\u00e4" * 128, "x" * 5_000]
)
def test_names_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    assert name_problem(name) is not None
    with pytest.raises(MediaError) as caught:
        inside(tmp_path, name)
    assert len(str(caught.value)) < 1_000


def test_a_circle_of_links_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    names = ["a", "a/x.mp4", "./a", "a/../a"]
    # Python 3.13 leaves a circle behind what is not there to whoever opens it.
    names += ["missing/../a"] if sys.version_info < (3, 13) else []
    for name in names:
        with pytest.raises(MediaError, match="circle"):
            inside(tmp_path, name)
    (tmp_path / "file").touch()
    assert inside(tmp_path, "file/x") == tmp_path / "file" / "x", "that it is none is said later"
    assert inside(tmp_path, "c") == tmp_path / "c"
