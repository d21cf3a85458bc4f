"""The processes that evaluate: one for each arm, or a warm one for all of them in turn."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final

__all__ = ["Echo", "WarmProcess", "can_be_warm", "run_process"]

Echo = Callable[[bytes], object]
"""Is handed a run's output as it comes."""

_WARM: Final = "aurelia_plugin.model_wrappers.harness.warm"


def can_be_warm() -> bool:
    """Whether runs may share a process: elsewhere it would not end with one that is killed."""
    return sys.platform == "linux"


def run_process(
    words: Sequence[str], environment: Mapping[str, str], log: Path, echo: Echo | None
) -> None:
    """Run a command to its end; its output goes into a file and to `echo`."""
    with (
        log.open("wb") as file,
        subprocess.Popen(
            words,
            env=_surroundings(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            while chunk := process.stdout.read1():  # type: ignore[attr-defined]
                _take(chunk, file, echo)
        except BaseException:  # an interrupt too: a run that nobody reads must not go on
            process.terminate()
            raise


def _surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **environment}


def _take(chunk: bytes, file: IO[bytes], echo: Echo | None) -> None:
    file.write(chunk)
    file.flush()
    if echo is not None:
        echo(chunk)


class WarmProcess:
    """A process that imports the harness once, and keeps what a run loaded for the next.

    One that has died, or was closed, is started again for the next run.

    Args:
        environment: variables of the runs, beside this process's own.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._status = -1

    def __enter__(self) -> WarmProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, and the run under way with it."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            os.close(self._status)
        with process:  # closes its pipes and waits
            process.send_signal(signal.SIGTERM)

    def run(self, arguments: Sequence[str], log: Path, echo: Echo | None) -> None:
        """Run the harness with these arguments; its output goes into a file and to `echo`."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with log.open("wb") as file, selectors.DefaultSelector() as selector:
                process.stdin.write(json.dumps(list(arguments)).encode() + b"\n")
                process.stdin.flush()
                selector.register(process.stdout, selectors.EVENT_READ)
                selector.register(self._status, selectors.EVENT_READ)
                ended = False
                while True:
                    # After its end, what is still in the pipe.
                    ready = {key.fd for key, _ in selector.select(0 if ended else None)}
                    if process.stdout.fileno() in ready:
                        chunk = os.read(process.stdout.fileno(), 2**16)
                        if chunk:
                            _take(chunk, file, echo)
                            continue
                        ended = True
                    if ended:
                        break
                    ended = self._status in ready
                alive = bool(os.read(self._status, 64))
        except BaseException:  # Ctrl-C too: no process is left behind
            self.close()
            raise
        if not alive:
            self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._status, theirs = os.pipe()
            self._process = subprocess.Popen(
                [sys.executable, "-m", _WARM, str(theirs)],
                env=_surroundings(self._environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs,),
            )
            os.close(theirs)
        return self._process
