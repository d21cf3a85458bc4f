"""An engine of the run's own: started, asked, killed, ended, on a stand-in with vLLM's tree."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import fake_engine
import pytest
from engine_runs import ask_all, backend_of, prompt
from making import QUICK

from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.model_wrappers.vllm.backend import VLLMBackend, VLLMOptions
from aurelia_plugin.model_wrappers.vllm.command import launch

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="engines are Linux's")

PARTS = ("server", "core", "worker", "supervisor")


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", "/tmp")
    yield
    left = fake_engine.processes(tmp_path)
    for pid in (pid for pids in left.values() for pid in pids):
        os.kill(pid, signal.SIGKILL)


async def _asked(backend: VLLMBackend, *texts: str) -> list[str]:
    caller = Caller(QUICK)
    replies = await asyncio.gather(*(caller.answer(backend, prompt(text)) for text in texts))
    return [reply.text for reply in replies]


def _gone(folder: Path) -> bool:
    """Whether nothing of the folder's engines is left, or is so soon."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not any(fake_engine.processes(folder).values()):
            return True
        time.sleep(0.02)
    return False


def _starts(folder: Path) -> int:
    return len((folder / "starts").read_text().split())


def _answered(folder: Path) -> list[str]:
    lines = (folder / "answered").read_text().splitlines()
    return [json.loads(line)["texts"][-1] for line in lines]


def test_it_starts_with_the_first_prompt_and_ends_with_the_backend(tmp_path: Path) -> None:
    backend = backend_of(
        tmp_path, "--load=0.1|--deaf", tensor_parallel_size=2, max_frames=80, min_pixels=3136
    )

    async def run() -> list[str]:
        assert not any(fake_engine.processes(tmp_path).values())
        try:
            replies = await _asked(backend, "a", "b")
            there = fake_engine.processes(tmp_path)
            assert {part: len(pids) for part, pids in there.items()} == {
                "server": 1, "core": 1, "worker": 2, "supervisor": 1
            }  # fmt: skip
            return replies
        finally:
            await backend.close()

    assert asyncio.run(run()) == ["heard a", "heard b"]
    assert _gone(tmp_path)
    command = json.loads((tmp_path / "command").read_text())
    pairs = dict(itertools.pairwise(command))
    assert pairs["--host"] == "127.0.0.1"
    assert pairs["--served-model-name"] == "m"
    assert pairs["--tensor-parallel-size"] == "2"
    assert json.loads(pairs["--limit-mm-per-prompt"])["image"] == 80
    assert json.loads(pairs["--mm-processor-kwargs"]) == {"min_pixels": 3136}
    assert "--trust-request-mm-kwargs" in command
    assert "--data-parallel-size" not in command


def test_between_two_runs_it_stays_and_serves_the_next_ones_loop(tmp_path: Path) -> None:
    backend = backend_of(tmp_path)

    async def run(text: str) -> list[str]:
        try:
            return await _asked(backend, text)
        finally:
            assert await backend.rest()

    assert [asyncio.run(run(text)) for text in ("a", "b")] == [["heard a"], ["heard b"]]
    assert _starts(tmp_path) == 1
    asyncio.run(backend.close())
    assert _gone(tmp_path)


def test_backends_that_start_it_alike_share_it_until_the_last_has_gone(tmp_path: Path) -> None:
    one, other = backend_of(tmp_path), backend_of(tmp_path)

    async def run() -> None:
        await _asked(one, "a")
        await _asked(other, "b")
        await one.close()
        assert await _asked(other, "c") == ["heard c"]
        await other.close()

    asyncio.run(run())
    assert _starts(tmp_path) == 1
    assert _gone(tmp_path)


@pytest.mark.parametrize("part", PARTS)
def test_a_dead_engine_is_started_again_once_and_then_says_why(tmp_path: Path, part: str) -> None:
    backend = backend_of(tmp_path)

    async def kill() -> None:
        os.kill(fake_engine.processes(tmp_path)[part][0], signal.SIGKILL)
        while backend.engine is not None and backend.engine.at_hand():
            await asyncio.sleep(0.01)

    async def run() -> None:
        try:
            assert await _asked(backend, "a") == ["heard a"]
            await kill()
            assert await _asked(backend, "b") == ["heard b"]
            await kill()
            with pytest.raises(BackendError, match="has died 2 times") as caught:
                await _asked(backend, "c")
            assert "Loading checkpoint shards: 50%" in str(caught.value)
            assert "aurelia" not in caught.value.fix.splitlines()[0].split(" in ")[0]
        finally:
            await backend.close()

    asyncio.run(run())
    assert (_starts(tmp_path), _answered(tmp_path)) == (2, ["a", "b"])
    assert _gone(tmp_path)


@pytest.mark.parametrize(("linger", "patience"), [(1.5, 60.0), (600.0, 0.5)])
def test_calls_do_not_run_out_of_tries_while_an_engine_takes_its_time_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linger: float, patience: float
) -> None:
    """Its core is dead and its port closed; one that would never end is ended."""
    monkeypatch.setattr("aurelia_plugin.model_wrappers.vllm.engine._LINGER_S", patience)
    backend = backend_of(tmp_path, f"--load=0.1|--linger={linger}")

    async def run() -> None:
        try:
            assert await _asked(backend, "a") == ["heard a"]
            port = urlsplit(backend.addresses[0]).port
            os.kill(fake_engine.processes(tmp_path)["core"][0], signal.SIGKILL)
            with contextlib.suppress(OSError):
                while True:
                    socket.create_connection(("127.0.0.1", port or 0)).close()
                    await asyncio.sleep(0.01)
            texts = [str(number) for number in range(8)]
            assert await _asked(backend, *texts) == [f"heard {text}" for text in texts]
        finally:
            await backend.close()

    asyncio.run(run())
    assert _starts(tmp_path) == 2
    assert _gone(tmp_path)


def test_an_engine_that_does_not_start_says_so_once_with_its_last_lines(tmp_path: Path) -> None:
    backend = backend_of(tmp_path, "--fail")

    async def run() -> None:
        for _ in range(2):
            with pytest.raises(BackendError, match="no room for the cache") as caught:
                await _asked(backend, "a")
            assert "ended with status 1 before it was ready" in str(caught.value)
        await backend.close()

    asyncio.run(run())
    assert _starts(tmp_path) == 1
    assert _gone(tmp_path)


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    backend = backend_of(tmp_path, "--load=60", start_timeout=0.5)
    with pytest.raises(BackendError, match=r"not ready after 0\.5 s"):
        asyncio.run(_asked(backend, "a"))
    assert _gone(tmp_path)


def test_a_killed_run_leaves_nothing_and_repeats_no_finished_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed twelve times, while the engine loads and later; what was kept is not asked again."""
    calls = tmp_path / "traces" / "calls"

    def kept() -> int:
        return len(list(calls.glob("*/*.json")))

    # Each run is a process of its own, and what it imports was imported by their parent.
    monkeypatch.setenv("PYTHONPATH", str(Path(fake_engine.__file__).parent))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["engine_runs"])
    (tmp_path / "starts").touch()
    for kill in range(12):
        done = kept if kill % 3 else lambda: _starts(tmp_path)
        before = done()
        given = (str(tmp_path), "--load=0.05|--think=0.02", 40)
        run = processes.Process(target=ask_all, args=given)
        run.start()
        while done() == before:
            assert run.is_alive()
            time.sleep(0.005)
        run.kill()
        run.join()
        assert _gone(tmp_path)
    ask_all(str(tmp_path), "--load=0.05", 40)
    assert _gone(tmp_path)
    counts = [_answered(tmp_path).count(str(n)) for n in range(40)]
    assert kept() == 40
    # A reply that was on its way when the run was killed was not finished.
    assert sum(counts) - 40 <= 12
    assert all(count >= 1 for count in counts)


def test_options_of_the_machine_are_no_part_of_the_identity(tmp_path: Path) -> None:
    plain = backend_of(tmp_path, devices="0|1", tensor_parallel_size=2, concurrency=3)
    assert plain.identity == backend_of(tmp_path).identity
    assert plain.identity.startswith("vllm:m#")
    assert backend_of(tmp_path, dtype="float32").identity != plain.identity
    assert plain.concurrency == 3
    words = launch("m", VLLMOptions(python=plain.options.python, data_parallel_size=4)).command
    assert {"--data-parallel-size", "--api-server-count"} <= set(words)
    assert backend_of(tmp_path, data_parallel_size=4, concurrency=3).concurrency == 12


def test_without_an_environment_the_fix_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="aurelia engine create vllm"):
        VLLMBackend("m")
    with pytest.raises(ConfigError, match="there is no such file"):
        VLLMBackend("m", VLLMOptions(python=str(tmp_path / "none")))
    asked = VLLMBackend("m", VLLMOptions(base_url="http://127.0.0.1:1/v1"))
    assert asked.engine is None
    assert "127.0.0.1:1" in asked.service.place
