from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.files.digests import digest_of, digest_of_path

scalars = st.none() | st.booleans() | st.integers() | st.text(st.characters())
values = st.recursive(scalars, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=9)


@given(st.dictionaries(st.text(st.characters()), values), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_count(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert digest_of(dict(items)) == digest_of(value)


def test_known_values_and_the_finer_points() -> None:
    assert digest_of("ä\ud800") != digest_of("ä")
    assert digest_of("\u00e9") != digest_of("e\u0301"), "text is taken as it is"
    assert digest_of([1, 2]) != digest_of([2, 1])
    assert digest_of([["a"], "b"]) != digest_of(["a", ["b"]])
    assert digest_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def _tree(folder: Path) -> Path:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "one.txt").write_text("1")
    (folder / "a" / "b" / "two.txt").write_text("2")
    return folder / "a"


def test_a_folder_is_its_names_and_contents(tmp_path: Path) -> None:
    first, second = (_tree(tmp_path / name) for name in "xy")
    digest = digest_of_path(first)
    assert digest_of_path(second) == digest, "wherever it lies"
    (second / "__pycache__").mkdir()
    (second / "__pycache__" / "a.pyc").write_bytes(b"1")
    assert digest_of_path(second) == digest
    os.utime(second / "one.txt", (1, 1))
    assert digest_of_path(second) == digest, "whenever it was written"
    (second / "one.txt").rename(second / "three.txt")
    assert digest_of_path(second) != digest


@pytest.mark.parametrize("whole", [True, False])
def test_a_large_file_is_its_size_and_time(tmp_path: Path, whole: bool) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"a" * 10)
    os.utime(file, (5, 5))
    before = digest_of_path(file, whole_below=11 if whole else 10)
    file.write_bytes(b"b" * 10)
    os.utime(file, (5, 5))
    assert (digest_of_path(file, whole_below=11 if whole else 10) == before) == (not whole)
    assert digest_of_path(file) != before


def test_a_files_name_does_not_count_and_its_content_does(tmp_path: Path) -> None:
    for name, text in (("a", "same"), ("b", "same"), ("c", "other")):
        (tmp_path / name).write_text(text)
    assert digest_of_path(tmp_path / "a") == digest_of_path(tmp_path / "b")
    assert digest_of_path(tmp_path / "a") != digest_of_path(tmp_path / "c")
