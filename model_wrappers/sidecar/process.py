"""One worker process: started, asked, interrupted, ended. Blocking; a pool has threads for it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from loguru import logger

from aurelia_plugin.model_wrappers.environments import variables
from aurelia_plugin.model_wrappers.sidecar.worker import PROTOCOL

__all__ = ["BrokenError", "Launch", "Ready", "SlowError", "StartError", "WorkerProcess"]

_KEPT_LINES = 30
_LONGEST_LINE = 400

_alive: weakref.WeakSet[WorkerProcess] = weakref.WeakSet()


class BrokenError(Exception):
    """A worker has gone, gone silent, or said what no worker says; its request may be repeated."""


class SlowError(Exception):
    """A worker was still busy with its request when the limit was reached; it was killed."""


class StartError(Exception):
    """A worker could not be made ready."""


@dataclass(frozen=True)
class Launch:
    """How a worker is started, and how patient one is with it.

    Attributes:
        name: for messages.
        command: the process.
        order: the fields of the load message.
        environment: variables set for it.
        load_limit: seconds until it has to be ready.
        call_limit: seconds for one request.
        silence: seconds without any message after which it counts as frozen.
        grace: seconds that a cancelled request or an ending worker gets.
    """

    name: str
    command: tuple[str, ...]
    order: Mapping[str, Any]
    environment: Mapping[str, str]
    load_limit: float = 3600.0
    call_limit: float = 600.0
    silence: float = 120.0
    grace: float = 10.0


class Ready(NamedTuple):
    """What a worker says of itself when it is ready."""

    system: str
    capabilities: dict[str, Any]
    versions: dict[str, str]


_END: dict[str, Any] = {"type": "end"}
_program_ends = threading.Event()


class WorkerProcess:
    """One worker; `start`, `ask` and `stop` belong to one thread, `cancel` and `kill` to any."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = None
        self._inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reading: list[threading.Thread] = []
        self._asked = 0
        self._folder = ""
        self._killing = threading.Lock()
        self.ready: Ready | None = None
        _alive.add(self)

    @property
    def last_lines(self) -> str:
        """The last lines of the worker's standard error, for messages."""
        return "\n".join(f"  | {line}" for line in self._lines) or "  | (it wrote nothing)"

    def start(self) -> Ready:
        """Start the process and wait until it is ready.

        Raises:
            StartError: if it does not get there.
        """
        if _program_ends.is_set():
            raise StartError("is not started: the program ends")
        self._inbox, self._lines = queue.SimpleQueue(), deque(maxlen=_KEPT_LINES)
        self._folder = tempfile.mkdtemp(prefix="aurelia-sidecar-")
        try:
            self._process = subprocess.Popen(
                self._launch.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=variables(self._launch.environment),
                start_new_session=True,  # Ctrl-C is this process's; and its children end with it
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise StartError(f"{self._launch.command[0]} cannot be started: {error}") from error
        self._read_along(self._process)
        try:
            self.ready = self._until_ready()
        except BrokenError as error:
            self.kill()
            raise StartError(f"{error}\nIts last lines:\n{self.last_lines}") from error
        return self.ready

    def _read_along(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._reading = [
            threading.Thread(target=_receive, args=(process.stdout, self._inbox), daemon=True),
            threading.Thread(target=_keep_lines, args=(process.stderr, self._lines), daemon=True),
        ]
        for thread in self._reading:
            thread.start()

    def _until_ready(self) -> Ready:
        name, began = self._launch.name, time.monotonic()
        deadline = began + self._launch.load_limit
        greeted = False
        while True:
            message = self._next(deadline, "did not get ready")
            kind = message["type"]
            if kind == "garbage":
                if greeted:
                    raise BrokenError(f"wrote {message['line']!r} where only JSON lines may be")
                continue  # of a start-up file of that Python, before the worker runs
            if kind == "hello":
                greeted = True
                if message.get("protocol") != PROTOCOL:
                    raise BrokenError(
                        f"speaks protocol {message.get('protocol')}, this package {PROTOCOL}"
                    )
                order = dict(self._launch.order)
                order["options"] = {**order["options"], "folder": self._folder}
                self._send({"type": "load", "protocol": PROTOCOL, **order})
            elif kind == "status":
                logger.info(f"{name}: {message['text']} ({time.monotonic() - began:.0f} s)")
            elif kind == "failed":
                raise BrokenError(f"cannot be loaded: {message['error']['message']}")
            elif kind == "ready":
                logger.info(f"{name}: ready after {time.monotonic() - began:.0f} s")
                fields = (message[key] for key in ("system", "capabilities", "versions"))
                return Ready(*fields)

    def ask(
        self, blocks: list[dict[str, Any]], generation: dict[str, Any], ticket: object = None
    ) -> dict[str, Any]:
        """Send a request and return its reply, which may be an error of the adapter.

        Args:
            blocks: the request's blocks, as the protocol has them.
            generation: its generation settings, likewise.
            ticket: what `cancel` is given to take this request back.

        Raises:
            BrokenError: if the worker is gone or of no more use; it has been killed.
            SlowError: if it took longer than the limit; it has been killed.
        """
        self._asked += 1
        identity = str(self._asked)
        request = {"type": "request", "id": identity, "blocks": blocks, "generation": generation}
        try:
            self._send(request)
            return self._until_reply(identity, ticket)
        except (BrokenError, SlowError):
            self.kill()
            raise

    def _until_reply(self, identity: str, ticket: object) -> dict[str, Any]:
        deadline = time.monotonic() + self._launch.call_limit
        while True:
            message = self._next(deadline, "")
            if message["type"] == "cancel wanted":
                if message["ticket"] is ticket:
                    self._send({"type": "cancel", "id": identity})
                    deadline = min(deadline, time.monotonic() + self._launch.grace)
            elif message["type"] == "garbage":
                raise BrokenError(f"wrote {message['line']!r} where only JSON lines may be")
            elif message["type"] == "reply" and message.get("id") == identity:
                if message.get("error", {}).get("fatal"):
                    self.kill()  # its GPU context is broken: the next request gets a new worker
                return message

    def _next(self, deadline: float, late: str) -> dict[str, Any]:
        """Return the next message; `late` says what the deadline means before it is ready."""
        silent = time.monotonic() + self._launch.silence
        try:
            message = self._inbox.get(timeout=max(0.0, min(deadline, silent) - time.monotonic()))
        except queue.Empty:
            if time.monotonic() >= deadline:
                if late:
                    raise BrokenError(f"{late} within {self._launch.load_limit:g} s") from None
                raise SlowError from None
            raise BrokenError(f"went silent for {self._launch.silence:g} s") from None
        if message is _END:
            raise BrokenError(self._how_it_ended())
        return message

    def _how_it_ended(self) -> str:
        assert self._process is not None
        try:
            status = self._process.wait(timeout=self._launch.grace)
        except subprocess.TimeoutExpired:
            return "closed its output"
        for thread in list(self._reading):
            thread.join(timeout=1.0)  # its last lines are still on their way
        if status < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write((json.dumps(message) + "\n").encode())
            self._process.stdin.flush()
        except OSError:
            raise BrokenError(self._how_it_ended()) from None

    def cancel(self, ticket: object) -> None:
        """Say that a request is not wanted any more; if it runs, its `ask` returns soon."""
        self._inbox.put({"type": "cancel wanted", "ticket": ticket})

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Let the worker end by itself, within the grace period."""
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(BrokenError, subprocess.TimeoutExpired):
                self._send({"type": "shutdown"})
                process.wait(timeout=self._launch.grace)
        self.kill()

    def kill(self) -> None:
        """End the worker and everything that it has started."""
        with self._killing:
            process, readers = self._process, self._reading
            if process is None or not readers:
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                # The group outlives its leader as long as one of its processes runs.
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._reading = []
            for thread in readers:
                thread.join(timeout=1.0)
            with contextlib.suppress(OSError):
                if process.stdin is not None:
                    process.stdin.close()
            if not any(thread.is_alive() for thread in readers):
                for stream in (process.stdout, process.stderr):
                    if stream is not None:
                        stream.close()


def _receive(stream: IO[bytes], inbox: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Turn lines into messages until the stream ends; what is none is passed on as garbage."""
    with contextlib.suppress(OSError, ValueError):  # closed under our hands
        for line in stream:
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict) and isinstance(message.get("type"), str):
                inbox.put(message)
            else:
                text = line.decode("utf-8", "replace").rstrip()[:_LONGEST_LINE]
                inbox.put({"type": "garbage", "line": text})
    inbox.put(_END)


def _keep_lines(stream: IO[bytes], lines: deque[str]) -> None:
    """Keep the last lines; a progress bar's carriage returns end a line, too."""
    rest = ""
    with contextlib.suppress(OSError, ValueError):
        while content := os.read(stream.fileno(), 65536):
            *whole, rest = re.split(r"[\r\n]+", rest + content.decode("utf-8", "replace"))
            lines.extend(line[:_LONGEST_LINE] for line in whole if line.strip())
            rest = rest[-_LONGEST_LINE:]
    if rest.strip():
        lines.append(rest)


@atexit.register
def _end_all() -> None:
    _program_ends.set()
    for worker in list(_alive):
        worker.kill()
