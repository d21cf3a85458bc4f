"""The parent of an engine: ends its whole tree of processes when nobody uses it any more.

Run as a script, by this package's own Python: `supervisor.py SOCKET LOG COMMAND...`, with `{port}`
in the command where the port goes. Whoever uses the engine holds a connection to the socket, which
the system closes however that process ends; when the last one is gone, or the engine has ended by
itself, all that it has started is ended. Orphans come to this process (`PR_SET_CHILD_SUBREAPER`),
so none is lost, and the engine ends with this process (`PR_SET_PDEATHSIG`). It imports nothing but
the standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Relative", "relatives", "running"]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_FIRST_USER = 60.0
"""Seconds within which somebody has to come."""
_GRACE = 5.0
"""Seconds that an engine gets to end by itself."""
_AFTER = 0.5
"""Seconds that its children get once it has ended."""
_LOOK = 0.1


class Relative(NamedTuple):
    """A process that has not ended."""

    pid: int
    parent: int
    session: int


def running() -> Iterator[Relative]:
    """Yield all processes of this machine that have not ended."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                # The second field is the program's name, which may hold anything.
                state, parent, _, session = file.read().rpartition(")")[2].split()[:4]
        except OSError:  # ended meanwhile
            continue
        if state not in "ZX":
            yield Relative(int(name), int(parent), int(session))


def relatives(root: int | None, session: int) -> list[int]:
    """Return the processes of a session, and all that descend from these or from `root`."""
    seen = list(running())
    found = {process.pid for process in seen if process.session == session}
    while True:
        parents = found if root is None else found | {root}
        more = {process.pid for process in seen if process.parent in parents} - found
        if not more:
            return sorted(found)
        found |= more


def _main(place: str, log: str, command: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        try:
            door.listen()
            door.settimeout(_FIRST_USER)  # nothing is started for somebody who has gone already
            first, _ = door.accept()
            engine, port = _started(command, log)
        except OSError as error:
            os.unlink(place)
            sys.exit(f"{command[0]}: {error.strerror or error}")
        told = {"port": port, "engine": engine, "supervisor": os.getpid(), "log": log}
        watch = _Watch(door, engine, (json.dumps(told) + "\n").encode())
        try:
            watch.run(first)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)  # who comes now starts another one
            _end(engine, ended=watch.status is not None)
            watch.say_goodbye()
    return 0


def _started(command: Sequence[str], log: str) -> tuple[int, int]:
    """Start the engine, and return its process and its port."""
    prctl = ctypes.CDLL(None).prctl
    port = _free_port()
    with open(log, "ab") as output:
        engine = subprocess.Popen(
            [word.replace("{port}", str(port)) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        )
    engine.returncode = -1  # this object has not to wait for it: the watch does, as for all others
    return engine.pid, port


class _Watch:
    """Waits until nobody uses the engine, or it has ended."""

    def __init__(self, door: socket.socket, engine: int, greeting: bytes) -> None:
        self._door = door
        self._engine = engine
        self._greeting = greeting
        self._users: set[socket.socket] = set()
        self.status: int | None = None

    def run(self, first: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._door, selectors.EVENT_READ)
            self._let_in(first, ready)
            while self._users and self.status is None:
                for key, _ in ready.select(_LOOK):
                    if key.fileobj is self._door:
                        self._let_in(self._door.accept()[0], ready)
                        continue
                    user = key.fileobj
                    assert isinstance(user, socket.socket)
                    if _has_left(user):
                        ready.unregister(user)
                        self._users.discard(user)
                        user.close()
                self._reap()

    def _let_in(self, user: socket.socket, ready: selectors.BaseSelector) -> None:
        with contextlib.suppress(OSError):
            user.sendall(self._greeting)
        ready.register(user, selectors.EVENT_READ)
        self._users.add(user)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self._engine:
                    self.status = os.waitstatus_to_exitcode(status)

    def say_goodbye(self) -> None:
        """Tell those who still are there how the engine ended, once all of it is gone."""
        for user in self._users:
            with contextlib.suppress(OSError):
                user.sendall(json.dumps({"exited": self.status}).encode() + b"\n")
                user.close()


def _has_left(user: socket.socket) -> bool:
    try:
        return not user.recv(4096)
    except OSError:
        return True


def _end(engine: int, *, ended: bool) -> None:
    """End the engine and everything that it has started."""
    deadline = time.monotonic() + (0.0 if ended else _GRACE)
    if not ended:
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine, signal.SIGTERM)
    while left := relatives(os.getpid(), engine):
        if engine not in left:  # what it has not ended itself, nobody else will
            deadline = min(deadline, time.monotonic() + _AFTER)
        if time.monotonic() >= deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(_LOOK / 2)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], sys.argv[2], sys.argv[3:]))
