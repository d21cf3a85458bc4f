"""Workers that crash, hang, lie and outlive: nothing is lost, and nothing is left running."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.model_wrappers.sidecar.process import (
    BrokenError,
    Launch,
    SlowError,
    StartError,
    WorkerProcess,
)
from aurelia_plugin.model_wrappers.sidecar.worker import PROTOCOL

from .conftest import FAKE, Open, ask, asked, is_alive, wait_until


def test_a_thousand_requests_come_back_each_with_its_own_answer(fake: Open) -> None:
    backend = fake(workers=2)

    async def all_of_them() -> list[str]:
        replies = await asyncio.gather(*(backend(asked(f"say {n}")) for n in range(1000)))
        return [reply.text for reply in replies]

    assert asyncio.run(all_of_them()) == [f"say {n}|0" for n in range(1000)]


def test_two_workers_share_the_work_and_see_their_own_gpus(fake: Open) -> None:
    backend = fake(gpus="0|2+3")
    assert backend.concurrency == 4

    async def several() -> set[str]:
        replies = await asyncio.gather(*(backend(asked("gpus 0.2")) for _ in range(4)))
        return {reply.text for reply in replies}

    assert asyncio.run(several()) == {"0", "2,3"}


def test_one_backend_serves_several_event_loops_with_one_worker(fake: Open) -> None:
    backend = fake()
    assert ask(backend, "pid") == ask(backend, "pid")


def test_a_crash_repeats_its_own_request_only(fake: Open, tmp_path: Path) -> None:
    backend = fake()
    first = ask(backend, "pid")

    async def three() -> list[str]:
        prompts = ("say 1", f"crash {tmp_path / 'once'}", "say 2")
        return [reply.text for reply in await asyncio.gather(*map(backend, map(asked, prompts)))]

    assert asyncio.run(three()) == ["say 1|0", "survived", "say 2|0"]
    assert ask(backend, "pid") != first
    assert not is_alive(int(first))


def test_a_request_that_always_crashes_is_an_error_with_the_workers_last_lines(fake: Open) -> None:
    backend = fake()
    with pytest.raises(BackendError, match="ended with status 3") as caught:
        ask(backend, "crash")
    assert "  | these are my last words" in caught.value.what
    with pytest.raises(BackendError, match="ended by SIGSEGV"):
        ask(backend, "segfault")
    assert ask(backend, "say on") == "say on|0"


def test_a_system_that_breaks_on_everything_stops_the_run(fake: Open) -> None:
    backend = fake()
    for _ in range(3):
        with pytest.raises(BackendError):
            ask(backend, "crash")
    with pytest.raises(ConfigError, match="4 requests in a row broke the worker"):
        ask(backend, "crash")
    with pytest.raises(ConfigError, match="4 requests in a row"):
        ask(backend, "say nothing more")
    assert not asyncio.run(backend.rest()), "a later run begins anew"


def test_between_two_runs_the_workers_stay(fake: Open) -> None:
    backend = fake()
    first = ask(backend, "pid")
    assert asyncio.run(backend.rest())
    assert ask(backend, "pid") == first


@pytest.mark.parametrize(
    ("at_start", "said"),
    [
        ("raise", "cannot be loaded: FileNotFoundError: no weights there"),
        ("exit", "cannot be loaded: SystemExit: 5"),
        ("die", r"was ended by SIGKILL\n.*\n(.*\n)*.*out of memory, said the system"),
        ("slow", "did not get ready within 0.5 s"),
    ],
)
def test_a_worker_that_does_not_start_is_an_error_at_once(
    at_start: str, said: str, fake: Open
) -> None:
    backend = fake(at_start=at_start, load_limit=0.5 if at_start == "slow" else 60)
    for _ in range(2):  # the second time nothing is started again
        began = time.monotonic()
        with pytest.raises(ConfigError, match=said) as caught:
            ask(backend, "hello")
    assert time.monotonic() - began < 0.2
    assert "aurelia sidecar check" in caught.value.fix


def test_a_python_that_is_none_is_an_error(fake: Open, tmp_path: Path) -> None:
    silent = tmp_path / "python"
    silent.write_text("not a program")
    with pytest.raises(ConfigError, match="cannot be started"):
        ask(fake(python=str(silent)), "hello")


def test_a_slow_request_is_ended_and_the_next_one_gets_a_new_worker(
    fake: Open, tmp_path: Path
) -> None:
    backend = fake(limit=0.5)
    where = tmp_path / "pid"
    with pytest.raises(BackendError, match=r"took longer than 0\.5 s") as caught:
        ask(backend, f"hang {where}")
    assert "limit=" in caught.value.fix
    assert ask(backend, "say next") == "say next|0"
    assert not is_alive(int(where.read_text()))


def _launch(command: list[str], **limits: float) -> Launch:
    order = {"options": {"repo": "", "weights": "", "device": "cpu"}, "heartbeat": 0.1}
    return Launch("fake", tuple(command), order, {}, **{"load_limit": 20.0, "grace": 2.0, **limits})


def _fake_launch(**limits: float) -> Launch:
    worker = FAKE.parents[3] / "model_wrappers" / "sidecar" / "worker.py"
    return _launch([sys.executable, str(worker), str(FAKE)], **limits)


TEXT = [{"type": "text", "role": "user", "text": "say hi"}]


def test_a_frozen_worker_is_noticed_by_its_silence_and_ended() -> None:
    worker = WorkerProcess(_fake_launch(silence=0.5))
    worker.start()
    freeze = [{"type": "text", "role": "user", "text": "freeze"}]
    with pytest.raises(BrokenError, match=r"went silent for 0\.5 s"):
        worker.ask(freeze, {})
    assert not worker.running


def test_a_busy_worker_is_not_silent() -> None:
    worker = WorkerProcess(_fake_launch(silence=0.5, call_limit=1.5))
    worker.start()
    try:
        with pytest.raises(SlowError):
            worker.ask([{"type": "text", "role": "user", "text": "spin"}], {})
    finally:
        worker.kill()


def test_what_upstream_prints_and_reads_never_meets_the_protocol(fake: Open) -> None:
    backend = fake()
    assert ask(backend, "print") == "printed, and input gave ''"
    assert ask(backend, "say on") == "say on|0"


def test_a_huge_reply_arrives_whole(fake: Open) -> None:
    assert ask(fake(), "huge 3000000") == ("xé\n" * 3_000_000).strip()


SCRIPTS = {
    "version": """say({"type": "hello", "protocol": 99})""",
    "garbage before": """print("Welcome to this Python"); serve()""",
    "garbage after": """serve(junk=True)""",
    "not an object": """say({"type": "hello", "protocol": PROTOCOL}); read(); say([1, 2])""",
    "mute": """read()""",
}
SCRIPT = """
import json, sys, time
PROTOCOL = %d
def say(message): print(json.dumps(message), flush=True)
def read(): return json.loads(sys.stdin.readline())
def serve(junk=False):
    say({"type": "hello", "protocol": PROTOCOL}); read()
    say({"type": "ready", "system": "S", "capabilities": {}, "versions": {}})
    request = read()
    if junk: print("Traceback of something", flush=True)
    say({"type": "heartbeat", "busy": "0", "seconds": 0}); say({"type": "reply", "id": "no such"})
    say({"type": "reply", "id": request["id"], "text": "fine"}); read()
%s
"""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("version", f"speaks protocol 99, this package {PROTOCOL}"),
        ("garbage before", ""),
        ("garbage after", "wrote 'Traceback of something' where only JSON lines may be"),
        ("not an object", r"wrote '\[1, 2\]'"),
        ("mute", "did not get ready within 1 s"),
    ],
)
def test_a_worker_that_speaks_otherwise(script: str, said: str) -> None:
    code = SCRIPT % (PROTOCOL, SCRIPTS[script])
    limit = 1.0 if script == "mute" else 20.0
    worker = WorkerProcess(_launch([sys.executable, "-c", code], load_limit=limit))
    try:
        if said:
            with pytest.raises((BrokenError, StartError), match=said):
                worker.start() and worker.ask(TEXT, {})
            assert not worker.running
        else:
            worker.start()
            assert worker.ask(TEXT, {})["text"] == "fine"
    finally:
        worker.kill()


def test_a_client_of_another_version_is_refused() -> None:
    process = subprocess.run(
        _fake_launch().command,
        input='{"type": "load", "protocol": 99}\n',
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert "the client speaks protocol 99" in process.stdout
    assert process.returncode == 1


@pytest.mark.parametrize("words", ["hang", "spin"])
def test_a_cancelled_request_is_interrupted_and_the_worker_goes_on(
    words: str, fake: Open, tmp_path: Path
) -> None:
    backend = fake()
    before = ask(backend, "pid")
    mark = tmp_path / "begun"

    async def begin_and_cancel() -> None:
        task = asyncio.create_task(backend(asked(f"{words} {mark}")))
        while not mark.exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(begin_and_cancel())
    assert ask(backend, "pid") == before


def test_a_waiting_request_that_is_cancelled_is_never_sent(fake: Open, tmp_path: Path) -> None:
    backend, mark = fake(), tmp_path / "never"

    async def two() -> None:
        first = asyncio.create_task(backend(asked("gpus 0.3")))
        second = asyncio.create_task(backend(asked(f"crash {mark}")))
        await asyncio.sleep(0.1)
        second.cancel()
        await first

    asyncio.run(two())
    assert ask(backend, "say on") == "say on|0"
    assert not mark.exists()


def test_closing_ends_idle_and_busy_workers_and_what_they_started(
    fake: Open, tmp_path: Path
) -> None:
    backend, where = fake(), tmp_path / "pid"
    child = int(ask(backend, "child"))

    async def close_while_busy() -> None:
        task = asyncio.create_task(backend(asked(f"hang {where}")))
        while not where.exists() or not where.read_text():
            await asyncio.sleep(0.01)
        await backend.close()
        with pytest.raises(BackendError, match="closed"):
            await task

    asyncio.run(close_while_busy())
    assert not is_alive(int(where.read_text()))
    assert wait_until(lambda: not is_alive(child))
    assert ask(backend, "say again") == "say again|0"


PARENT = """
import asyncio, sys
from aurelia_plugin.calling.backend import Message, Prompt, Text
from aurelia_plugin.model_wrappers.providers import BackendPool
backend = BackendPool("sidecar:{fake}", {{}}).target
def ask(words): return asyncio.run(backend(Prompt((Message("user", (Text(words),)),)))).text
print(ask("pid"), ask("child"), flush=True)
{then}
"""


@pytest.mark.parametrize("end", ["exit", "exception", "SIGINT", "SIGTERM", "SIGKILL"])
def test_no_worker_outlives_its_client(end: str, tmp_path: Path) -> None:
    then = {"exit": "", "exception": "raise ValueError"}.get(end, f"ask('hang {tmp_path / 'b'}')")
    code = PARENT.format(fake=FAKE, then=then)
    (tmp_path / "tmp").mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    worker, child = map(int, parent.stdout.readline().split())
    if end.startswith("SIG"):
        assert wait_until((tmp_path / "b").exists)
        assert is_alive(worker)
        parent.send_signal(signal.Signals[end])
    parent.wait(timeout=20)
    assert wait_until(lambda: not is_alive(worker))
    assert wait_until(lambda: not is_alive(child))
    assert wait_until(lambda: not list((tmp_path / "tmp").glob("aurelia-sidecar-*")))
