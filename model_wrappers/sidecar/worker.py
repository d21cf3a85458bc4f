"""The worker: one system in its own Python environment, behind JSON lines on a pipe.

Started as `python worker.py ADAPTER.py` by the client; docs/sidecars.md describes the protocol. It
needs Python 3.8 or newer and the standard library; whatever else is imported, the adapter imports.
"""

from __future__ import annotations

import dataclasses
import gc
import importlib.util
import json
import os
import platform
import queue
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import types
from typing import Any, Dict, Optional, TextIO

PROTOCOL = 1
"""Raised when a message changes its meaning; a client refuses another version than its own."""

_PACKAGE = "aurelia_plugin.model_wrappers.sidecar"
_VERSIONS_OF = ("torch", "transformers", "tokenizers", "numpy", "tensorflow")
_POISONED = ("CUDA error", "CUBLAS_STATUS", "cudaError", "device-side assert")
"""Words of errors after which a process cannot use its GPU any more."""


class Cancelled(BaseException):
    """Raised inside a running answer that is no longer wanted."""


class Line:
    """The pipe to the client: whole JSON lines, from any thread.

    The process's own standard output becomes its standard error, for whatever prints, and its own
    standard input is empty.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        self._in: TextIO = os.fdopen(os.dup(0), "r", encoding="utf-8")
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        sys.stdout = os.fdopen(
            1, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False
        )

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message; a client that has gone away ends this process."""
        text = json.dumps({"type": kind, **fields}, ensure_ascii=True)
        with self._lock:
            try:
                self._out.write(text + "\n")
                self._out.flush()
            except OSError:
                end_process()

    def receive(self) -> Optional[Dict[str, Any]]:
        """Return the next message, None at the end."""
        text = self._in.readline()
        return json.loads(text) if text.endswith("\n") else None


def end_process() -> None:
    """End this process at once, and with it what upstream code has started."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


class Worker:
    """One system and the requests to it."""

    def __init__(self, adapter: str) -> None:
        self._adapter_path = adapter
        self._line = Line()
        self._requests: queue.Queue[Optional[Dict[str, Any]]] = queue.Queue()
        self._cancelled: set[str] = set()
        self._busy: Optional[str] = None
        self._since = time.monotonic()
        self._interruptible = False
        self._parent = os.getppid()
        self._system: Any = None
        self._folder = ""

    def run(self) -> int:
        """Serve until the client says so or is gone; return the exit status."""
        self._line.send(
            "hello", protocol=PROTOCOL, pid=os.getpid(), python=platform.python_version()
        )
        order = self._line.receive()
        if order is None or order.get("type") != "load":
            return 1
        if order.get("protocol") != PROTOCOL:
            message = f"the client speaks protocol {order.get('protocol')}, this worker {PROTOCOL}"
            self._line.send("failed", error={"kind": "protocol", "message": message})
            return 1
        self._folder = order["options"].get("folder") or tempfile.mkdtemp(prefix="aurelia-sidecar-")
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, self._interrupt)
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, args=(order.get("heartbeat", 5),), daemon=True).start()
        try:
            return self._serve(order)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self, order: Dict[str, Any]) -> int:
        try:
            adapter = self._load(order)
        except BaseException as error:  # noqa: BLE001 - upstream code may even call sys.exit
            self._line.send("failed", error=_described(error))
            return 1
        self._line.send(
            "ready",
            system=getattr(self._system, "name", adapter.SYSTEM),
            capabilities=adapter.CAPABILITIES,
            versions={
                n: getattr(sys.modules[n], "__version__", "?")
                for n in _VERSIONS_OF
                if n in sys.modules
            },
        )
        while True:
            request = self._requests.get()
            if request is None:
                return 0
            self._answer(request)

    def _load(self, order: Dict[str, Any]) -> Any:
        from aurelia_plugin.model_wrappers.sidecar.kit.forms import Options

        options = Options(**{**order["options"], "folder": self._folder})
        if options.repo:
            sys.path.insert(0, options.repo)
        self._line.send("status", text="importing the adapter")
        spec = importlib.util.spec_from_file_location("aurelia_adapter", self._adapter_path)
        assert spec is not None
        assert spec.loader is not None
        adapter = importlib.util.module_from_spec(spec)
        sys.modules["aurelia_adapter"] = adapter
        spec.loader.exec_module(adapter)
        tiny = bool(order.get("tiny"))
        self._line.send(
            "status", text=f"loading {'a tiny random instance of ' if tiny else ''}{adapter.SYSTEM}"
        )
        seed_everything(options.seed)
        self._system = adapter.load_tiny(options) if tiny else adapter.load(options)
        return adapter

    def _listen(self) -> None:
        """Read messages while the main thread answers; the end of the pipe ends the process."""
        while True:
            try:
                message = self._line.receive()
            except (OSError, ValueError):
                message = None
            if message is None:
                shutil.rmtree(self._folder, ignore_errors=True)
                end_process()
                return
            if message["type"] == "request":
                self._requests.put(message)
            elif message["type"] == "cancel":
                self._cancelled.add(message["id"])
                if self._busy == message["id"] and hasattr(signal, "pthread_kill"):
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            elif message["type"] == "shutdown":
                self._requests.put(None)

    def _beat(self, every: float) -> None:
        while True:
            time.sleep(every)
            if os.getppid() != self._parent:  # the client is dead, and something holds its pipe
                end_process()
            seconds = round(time.monotonic() - self._since, 1)
            self._line.send("heartbeat", busy=self._busy, seconds=seconds)

    def _interrupt(self, *_: Any) -> None:
        if self._interruptible and self._busy in self._cancelled:
            raise Cancelled

    def _answer(self, request: Dict[str, Any]) -> None:
        identity = request["id"]
        self._busy, self._since = identity, time.monotonic()
        try:
            if identity in self._cancelled:
                raise Cancelled
            reply = self._replied(request)
        except Cancelled:
            reply = {"error": {"kind": "cancelled", "message": "cancelled"}}
        except Exception as error:  # noqa: BLE001 - upstream raises what it likes; it is reported
            reply = {"error": _described(error)}
            del error
            gc.collect()  # what a failed call holds may be the memory that the next one needs
        self._busy, self._since = None, time.monotonic()
        self._cancelled.discard(identity)
        self._line.send("reply", id=identity, **reply)

    def _replied(self, request: Dict[str, Any]) -> Dict[str, Any]:
        from aurelia_plugin.model_wrappers.sidecar.kit.accounting import unaccounted
        from aurelia_plugin.model_wrappers.sidecar.kit.forms import blocks_from, generation_from

        blocks = blocks_from(request["blocks"])
        generation = generation_from(request["generation"])
        seed_everything(generation.seed)
        self._interruptible = True
        try:
            answer = self._system.answer(blocks, generation)
        finally:
            self._interruptible = False
        problem = unaccounted(blocks, answer.used)
        if problem:
            raise RuntimeError(problem)
        text = answer.text
        for stop in generation.until:
            if stop:
                text = text.split(stop, 1)[0]
        reply: Dict[str, Any] = {
            "text": text.strip(),
            "used": dataclasses.asdict(answer.used),
            "warnings": list(answer.warnings),
        }
        memory = peak_memory()
        if memory is not None:
            reply["memory_mb"] = memory
        if generation.logits and answer.logits is not None:
            reply["logits"] = [float(value) for value in answer.logits]
        return reply


def peak_memory() -> Optional[float]:
    """Return this process's peak memory in megabytes (of the GPU, if it uses one), if known."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 2**20
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**20 if sys.platform == "darwin" else 2**10)


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's generators, as far as they are loaded."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _versions() -> Dict[str, str]:
    loaded = {name: sys.modules.get(name) for name in _VERSIONS_OF}
    return {name: str(getattr(m, "__version__", "?")) for name, m in loaded.items() if m}


def _described(error: BaseException) -> Dict[str, Any]:
    kinds = {"MediaError": "media", "RequestError": "request"}
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    described: Dict[str, Any] = {
        "kind": kinds.get(type(error).__name__, "system"),
        "message": f"{type(error).__name__}: {error}",
        "trace": text[-8000:],
        "fatal": any(word in str(error) for word in _POISONED),
    }
    for name in ("path", "cause", "what", "fix"):
        if type(error).__name__ in kinds and hasattr(error, name):
            described[name] = str(getattr(error, name))
    return described


def make_importable() -> None:
    """Make this folder importable by its full name, without what its parent packages import."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or ".") != folder]
    names = _PACKAGE.split(".")
    for end in range(1, len(names) + 1):
        name = ".".join(names[:end])
        module: Any = types.ModuleType(name)
        module.__path__ = [folder] if name == _PACKAGE else []
        sys.modules[name] = module


if __name__ == "__main__":
    make_importable()
    status = Worker(sys.argv[1]).run()
    sys.stderr.flush()
    os._exit(status)  # nothing that upstream code has registered may delay or fail the end
