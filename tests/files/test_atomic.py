from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from aurelia_plugin.files.atomic import write_atomically


def test_a_file_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "new" / "a.json"
    write_atomically(place, b"one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(place, b"two")
    assert place.read_bytes() == b"one"
    assert [path.name for path in place.parent.iterdir()] == ["a.json"]


def test_a_shared_folder_stays_readable_for_others(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write_atomically(tmp_path / "a.json", b"one")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o644
