"""One process that decodes, as the process of the run sees it."""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from loguru import logger

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.isolation.channel import receive, send, shared_memory
from aurelia_plugin.media.isolation.limits import Limits
from aurelia_plugin.media.isolation.tasks import READY, Outcome, Task
from aurelia_plugin.media.isolation.wire import Value

if TYPE_CHECKING:
    from loguru import Record

__all__ = ["DecoderFaultError", "DecodingProcess", "GoneError", "StartError"]

# Variables that Python and its libraries need to run; the others may hold secrets.
_ENVIRONMENT = (
    "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZ",
    "SYSTEMROOT",
)  # fmt: skip
# Several arenas and threads of libraries would only take up address space.
_FRUGAL = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

_CODE = (
    "import json, sys; a = json.loads(sys.argv[1]); sys.path[:] = a['path']; "
    "from aurelia_plugin.media.isolation.worker import main; main(sys.argv[1:])"
)
_POLL_MS = 500
_START_MS = 180_000
_FILE_FIX = "Convert the file anew (ffmpeg -i IN OUT.mp4), or leave it out."


class DecoderFaultError(MediaError):
    """Decoding a file crashed or stopped the process, and would do so again."""


class StartError(RuntimeError):
    """The process could not be started."""


class GoneError(RuntimeError):
    """The process was ended by others before it had begun with the task."""


class DecodingProcess:
    """A process that decodes, one task at a time.

    Raises:
        StartError: it cannot be started.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.files: dict[str, None] = {}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
        self._channel, theirs = socket.socketpair()
        counter = shared_memory(mmap.PAGESIZE)
        try:
            self._counter = memoryview(mmap.mmap(counter, mmap.PAGESIZE)).cast("Q")
            self._process = self._started(theirs.fileno(), counter, limits.memory)
        except OSError as error:
            self._channel.close()
            self._errors.close()
            raise StartError(str(error)) from error
        finally:
            theirs.close()
            os.close(counter)
        self._require_ready()

    def _require_ready(self) -> None:
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        try:
            if poll.poll(_START_MS) and receive(self._channel) == READY:
                return
            cause = "it does not get ready"
        except (EOFError, OSError):
            cause = f"it ended with status {self._ended()}{self._error_line()}"
        self.close()
        raise StartError(cause)

    def _started(self, channel: int, counter: int, memory: int) -> subprocess.Popen[bytes]:
        settings = {
            "channel": channel,
            "counter": counter,
            "memory": memory,
            "parent": os.getpid(),
            "path": [entry or os.getcwd() for entry in sys.path],
        }
        flags = ["-I", *(["-B"] if sys.dont_write_bytecode else [])]
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        return subprocess.Popen(
            [sys.executable, *flags, "-c", _CODE, json.dumps(settings)],
            env=kept | _FRUGAL,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=(channel, counter),
            start_new_session=True,  # Ctrl-C is for the run, which then ends this one
        )

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def run(self, task: Task) -> Value:
        """Return what a task gives.

        The process cannot be used any more where this raises anything but an error that the task
        itself has raised: then `is_alive` is false.

        Raises:
            MediaError: the file cannot be decoded, or decoding it ended or stopped the process.
            ValueError: the caller's mistake, as the function says.
            GoneError: the process had been ended before it began.
        """
        count = self._counter[0]
        try:
            send(self._channel, task)
        except OSError as error:
            self.close()
            raise GoneError from error
        try:
            self._wait(task)
            outcome = receive(self._channel)
        except (EOFError, OSError) as error:
            if self._ended() == -signal.SIGKILL and self._counter[0] == count:
                self.close()
                raise GoneError from error
            raise self._crashed(task) from None
        except BaseException:  # an interrupt too: what is under way here is of no use any more
            self.close()
            raise
        if not isinstance(outcome, Outcome):
            self.close()
            raise MediaError(task.name, "cannot be decoded: the decoder sent something else")
        return self._value(task, outcome)

    def _wait(self, task: Task) -> None:
        """Wait until there is an answer, the process has ended, or it has taken too long."""
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        begun = moved = time.monotonic()
        count = self._counter[0]
        while not poll.poll(_POLL_MS):
            now = time.monotonic()
            if self._counter[0] != count:
                count, moved = self._counter[0], now
            if now - moved > self.limits.silent_seconds:
                raise DecoderFaultError(
                    task.name, f"the decoder hangs: nothing for {now - moved:.0f} s", _FILE_FIX
                )
            if now - begun > task.seconds:
                raise DecoderFaultError(
                    task.name, f"decoding takes longer than {task.seconds:.0f} s", _FILE_FIX
                )

    def _value(self, task: Task, outcome: Outcome) -> Value:
        for name, level, text in outcome.logged:
            logger.patch(_named(name)).log(level, "{}", text)
        if outcome.kind == "media" and isinstance(outcome.value, tuple):
            raise MediaError(*(str(part) for part in outcome.value))
        if outcome.kind == "value_error":
            raise ValueError(str(outcome.value))
        if outcome.kind == "memory":
            self.close()  # its memory is in pieces
            gib = self.limits.memory / 2**30
            raise DecoderFaultError(
                task.name, f"decoding it takes more than {gib:.1f} GiB", _FILE_FIX
            )
        return outcome.value

    def _crashed(self, task: Task) -> MediaError:
        status = self._ended()
        said = self._error_line()
        self.close()
        if status == -signal.SIGKILL:
            cause = "the decoder was killed, perhaps by the system for want of memory"
            return MediaError(task.name, cause, _FILE_FIX)  # which may not happen again
        if status < 0:
            cause = f"the decoder crashed ({signal.Signals(-status).name})"
        else:
            cause = f"the decoder ended by itself (status {status})"
        return DecoderFaultError(task.name, f"{cause}{said}", _FILE_FIX)

    def _ended(self) -> int:
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _error_line(self) -> str:
        """Return the last line that the process wrote to its standard error."""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 500))
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        line = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {line[:200]}" if line else ""

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._channel.close()
        self._errors.close()

    def forget(self) -> None:
        """Let go of a process that is another one's child."""
        self._channel.close()
        self._errors.close()
        self._process.returncode = 0  # no warning that it still runs


def _named(name: str) -> Callable[[Record], None]:
    """Return what gives a message the name of the module that wrote it in the other process."""

    def rename(record: Record) -> None:
        record["name"] = name

    return rename
