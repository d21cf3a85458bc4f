"""One engine on this machine: started or found, watched, started again once, ended.

Blocking; backends call it from threads.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from loguru import logger

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.shown import shown
from aurelia_plugin.model_wrappers.vllm import supervisor

__all__ = ["Engine", "Launch"]

_HOST = "127.0.0.1"
_KEPT_LINES = 25
_TAIL_BYTES = 65_536
_CONNECT_S = 20.0
_LOOK_S = 0.25
_SAY_EVERY_S = 15.0
_LINGER_S = 60.0
"""Seconds that an engine which has served may refuse every connection before it counts as dead: one
whose core has died takes some to end."""

_alive: weakref.WeakSet[Engine] = weakref.WeakSet()


class Launch(NamedTuple):
    """How an engine is started.

    Attributes:
        name: for messages.
        command: the process; `{port}` stands for the port that it listens on.
        environment: its variables, all of them.
        logs: the folder of its output.
        patience: seconds until it has to be healthy.
        restarts: how often it is started again after it has died.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    logs: Path
    patience: float = 1800.0
    restarts: int = 1

    @property
    def key(self) -> str:
        """Names engines that are started alike: processes of one user share such a one."""
        devices = {k: v for k, v in self.environment.items() if k.endswith("VISIBLE_DEVICES")}
        return digest_of([list(self.command), devices])[:16]


class _Lease(NamedTuple):
    """A connection to an engine's supervisor: as long as it is open, the engine stays.

    Attributes:
        engine: the process that serves; also its session.
        supervisor: its parent.
        log: the file of its output.
    """

    connection: socket.socket
    port: int
    engine: int
    supervisor: int
    log: Path

    @property
    def ended(self) -> bool:
        """Whether the engine has ended."""
        try:
            self.connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def exited(self) -> str | None:
        """Return how the engine ended, None while it runs; to be asked until it has."""
        if not self.ended:
            return None
        said = b""
        with contextlib.suppress(OSError):
            said = self.connection.recv(4096, socket.MSG_DONTWAIT)
        if not said:
            if self.connection.fileno() == -1:
                return "was let go of by this process"
            if all(process.pid != self.supervisor for process in supervisor.running()):
                _kill(self.engine)  # with its supervisor not all of it has ended
            return "lost its supervisor"
        status = json.loads(said)["exited"]
        if status is not None and status < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def lines(self) -> list[str]:
        """Return the last lines of its output."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
            lines = (part.strip() for part in text.replace("\r", "\n").split("\n"))
            return [shown(line, 400) for line in lines if line][-_KEPT_LINES:]
        return []


class Engine:
    """An engine that this process uses, and perhaps other ones of the same user.

    Args:
        launch: how it is started where none that was started alike is there.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._lock = threading.Lock()
        self._lease: _Lease | None = None
        self._healthy = False
        self._served = False
        self._deaths = 0
        self._broken: BackendError | None = None
        _alive.add(self)

    def address(self) -> str:
        """Return where it serves, once it is healthy; starts it if it does not run.

        Raises:
            BackendError: if it does not get healthy, or has died too often; with its last lines.
        """
        with self._lock:
            if self._broken is not None:
                raise self._broken
            while True:
                lease = self._lease
                if lease is not None and (how := lease.exited()) is not None:
                    self._bury(lease, how)
                    lease = None
                if lease is None:
                    lease = self._lease = self._joined()
                    self._served = False
                if self._healthy or self._wait(lease):
                    return f"http://{_HOST}:{lease.port}"

    def doubt(self) -> None:
        """Have the next `address` see whether it still is healthy: a call has just failed."""
        self._healthy = False

    def at_hand(self) -> str | None:
        """Return where it serves if that is known without waiting, else None."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            lease = self._lease
            if self._broken or lease is None or not self._healthy or lease.ended:
                return None
            return f"http://{_HOST}:{lease.port}"
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of it; it ends unless another process uses it."""
        lease, self._lease, self._healthy = self._lease, None, False
        if lease is not None:
            lease.connection.close()

    def forget(self) -> None:
        """Close the connection in a child of this process, which does not use the engine."""
        if self._lease is not None:
            self._lease.connection.close()

    def _bury(self, lease: _Lease, how: str) -> None:
        """Note that it has died; give up if that was too often."""
        lines = lease.lines()
        self.close()
        self._deaths += 1
        if self._deaths > self._launch.restarts:
            times = f"{self._deaths} times" if self._deaths > 1 else "once"
            raise self._give_up(f"has died {times}; at last it {how}", lines, lease.log)
        last = lines[-1] if lines else "it wrote nothing"
        logger.warning(f"{self._launch.name}: the engine {how} and is started again ({last})")

    def _give_up(self, what: str, lines: list[str], log: Path) -> BackendError:
        shown_lines = "\n".join(f"  | {line}" for line in lines) or "  | (it wrote nothing)"
        self._broken = BackendError(
            self._launch.name,
            f"the engine {what}. Its last lines:\n{shown_lines}",
            f"Correct what they name; all of them are in {log}.",
        )
        return self._broken

    def _wait(self, lease: _Lease) -> bool:
        """Wait until it is healthy, and say from time to time how far it is.

        Returns:
            False if it has served before, and was found dead now.
        """
        name, began = self._launch.name, time.monotonic()
        said = answered = began
        while not (healthy := _is_healthy(lease.port)):
            now = time.monotonic()
            how = lease.exited()
            answered = now if healthy is None else answered
            if how is None and self._served and now - answered > _LINGER_S:
                logger.warning(
                    f"{name}: the engine takes no calls for {_LINGER_S:g} s and is ended"
                )
                with contextlib.suppress(ProcessLookupError):
                    os.kill(lease.engine, signal.SIGKILL)  # its supervisor ends the rest
                answered = now
            if how is not None and self._served:
                self._bury(lease, how)
                return False
            late = now - began > self._launch.patience
            if how is not None or late:
                lines = lease.lines()
                self.close()
                what = f"was not ready after {self._launch.patience:g} s (start_timeout)"
                raise self._give_up(f"{how} before it was ready" if how else what, lines, lease.log)
            if now - said >= _SAY_EVERY_S:
                said = now
                last = (lease.lines() or ["no output yet"])[-1]
                logger.info(f"{name}: loading for {now - began:.0f} s: {shown(last, 160)}")
            time.sleep(_LOOK_S)
        if not self._served:
            logger.info(f"{name}: ready after {time.monotonic() - began:.0f} s, log {lease.log}")
        self._healthy = self._served = True
        return True

    def _joined(self) -> _Lease:
        """Return a lease of an engine that is there, else of one that is started now."""
        folder = _private_folder()
        place = folder / f"{self._launch.key}.sock"
        with (folder / f"{self._launch.key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lease = _connected(place)
            if lease is not None:
                logger.info(f"{self._launch.name}: an engine that runs already is used")
                return lease
            with contextlib.suppress(FileNotFoundError):
                place.unlink()  # left by one that was killed
            return self._started(place)

    def _started(self, place: Path) -> _Lease:
        launch = self._launch
        launch.logs.mkdir(parents=True, exist_ok=True)
        log = launch.logs / f"{time.strftime('%Y%m%dT%H%M%S')}-{launch.key}-{os.getpid()}.log"
        logger.info(f"{launch.name}: starting an engine; its output: {log}")
        process = subprocess.Popen(
            [sys.executable, "-I", supervisor.__file__, str(place), str(log), *launch.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=dict(launch.environment),
            start_new_session=True,  # Ctrl-C is this process's
        )
        said: list[bytes] = []
        # It is this process's child, and leaves a zombie behind unless somebody waits for it.
        waiting = threading.Thread(
            target=lambda: said.append(process.communicate()[1]), daemon=True
        )
        waiting.start()
        end = time.monotonic() + _CONNECT_S
        while time.monotonic() < end and process.poll() is None:
            lease = _connected(place)
            if lease is not None:
                return lease
            time.sleep(0.02)
        process.kill()
        waiting.join(_CONNECT_S)
        lines = b"".join(said).decode("utf-8", "replace").splitlines()[-_KEPT_LINES:]
        raise self._give_up("cannot be started", [shown(line, 400) for line in lines], log)


def _connected(place: Path) -> _Lease | None:
    """Return a lease of the engine whose supervisor listens here, None if there is none."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_CONNECT_S)
    try:
        connection.connect(str(place))
        with connection.makefile("rb") as file:
            told = json.loads(file.readline())
    except (OSError, ValueError):  # none, or one that ends just now
        connection.close()
        return None
    connection.settimeout(None)
    log = Path(told["log"])
    return _Lease(connection, told["port"], told["engine"], told["supervisor"], log)


def _private_folder() -> Path:
    """Return the folder of sockets; short, because their paths are limited to some 100 bytes.

    Raises:
        ConfigError: if it is somebody else's.
    """
    folder = Path(tempfile.gettempdir()) / f"aurelia-engines-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise ConfigError(
            f"{folder} is not a folder of your own that only you may read.",
            "Remove it, or set TMPDIR to a folder of your own.",
        )
    return folder


def _is_healthy(port: int) -> bool | None:
    """Whether it says so; None if it has not said anything in time."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=5.0)  # knows of no proxy
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except TimeoutError:
        return None
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _kill(session: int) -> None:
    """End all processes of an engine whose supervisor is gone."""
    while left := supervisor.relatives(None, session):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_LOOK_S / 5)


def _each(do: Callable[[Engine], None]) -> None:
    for engine in list(_alive):
        do(engine)


atexit.register(lambda: _each(Engine.close))
os.register_at_fork(after_in_child=lambda: _each(Engine.forget))
