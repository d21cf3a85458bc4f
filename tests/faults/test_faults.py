"""The fault suite, small; `python tests/faults` runs it at length."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faults.arms import ARMS, try_arm
from faults.counting import Tally, table
from faults.disks import DISK_FAULTS, NEEDS_MOUNT, can_mount, try_disk
from faults.files import FILE_FAULTS, try_files
from faults.kills import try_kills
from faults.services import SERVICE_FAULTS, try_duplicates, try_service


def _assert_sound(tally: Tally) -> None:
    assert tally.sound, tally
    assert tally.survived == tally.questions > 0


@pytest.mark.parametrize("name", SERVICE_FAULTS)
def test_a_service_that_goes_wrong(name: str) -> None:
    _assert_sound(try_service(name, questions=7, seed=1))


def test_items_and_replies_with_one_id() -> None:
    _assert_sound(try_duplicates(questions=9))


@pytest.mark.parametrize("name", DISK_FAULTS)
def test_a_disk_that_goes_wrong(name: str) -> None:
    if name == NEEDS_MOUNT and not can_mount():
        pytest.skip("mounting a file system is not allowed here")
    _assert_sound(try_disk(name, rounds=1, questions=9, seed=2))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg, which makes the clip")
@pytest.mark.parametrize("name", FILE_FAULTS)
def test_files_that_go_wrong(name: str) -> None:
    _assert_sound(try_files(name, questions=9, seed=2))


@pytest.mark.parametrize(("kills", "processes"), [(8, 1), (6, 2)])
def test_processes_that_are_killed(kills: int, processes: int) -> None:
    _assert_sound(try_kills(kills, processes=processes))


@pytest.mark.parametrize("name", ["self_refine", "best_of_n", "look_again"])
def test_arms_that_are_killed(name: str) -> None:
    assert name in ARMS
    _assert_sound(try_arm(name, kills=2, questions=6))


def test_the_tallies_are_added_up() -> None:
    shown = table([Tally("a", 1, 2, 2), Tally("bc", 3, 4, 3, lost=1)])
    assert shown.splitlines()[-1].split() == ["all", "4", "6", "5", "1", "0", "0"]
    assert not Tally("a", 3, 2, 1, lost=1).sound
    assert not Tally("nothing tried").sound


def test_harm_is_seen(tmp_path: Path) -> None:
    """A store that forgets finished calls is told from one that keeps them."""
    code = """
from faults.world import Watched
Watched.call = lambda self, key: None
from faults.disks import try_disk
import json
print(json.dumps(try_disk("full disk (writing)", rounds=2, questions=9, seed=2).record()))
"""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", code]
    places = os.pathsep.join([str(tests), str(tests / "helpers")])
    env = {**os.environ, "PYTHONPATH": places}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["repeated"] > 0
