"""A stand-in for vLLM: its command line, its tree of processes, its cache of named media.

Run as `fake_engine.py -m vllm.entrypoints.cli.main serve MODEL --port N ...`; `install` writes an
"interpreter" that does so. The server has a child (the engine core), which has two workers; like
vLLM's, the server ends when its core does; with `--linger` it takes no calls from then on, and ends
those seconds later. Whatever it answers it notes in `FOLDER/answered`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["METRICS", "install", "processes"]

METRICS = """\
# HELP vllm:prefix_cache_hits_total Prefix cache hits.
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 1000.0
vllm:prefix_cache_queries_total{engine="1",model_name="m"} 1.5e+03
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 900.0
vllm:mm_cache_queries_total{engine="0",model_name="m"} 12.0
vllm:mm_cache_hits_total{engine="0",model_name="m"} 7.0
"""


def install(folder: Path) -> Path:
    """Write the "interpreter" of an environment with this engine, and return its path."""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{__file__}" "{folder}" "$@"\n')
    python.chmod(0o755)
    return python


def processes(folder: Path) -> dict[str, list[int]]:
    """Return the processes of the engines of a folder that have not ended, by their parts."""
    found: dict[str, list[int]] = {"server": [], "core": [], "worker": [], "supervisor": []}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().decode().split("\0")
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state in "ZX" or not any(str(folder) in word for word in words):
            continue
        pid = int(place.name)
        if any(word.endswith("supervisor.py") for word in words):
            found["supervisor"].append(pid)
        elif str(__file__) in words:
            parts = [path.name for path in (folder / "parts" / place.name).glob("*")]
            found[parts[0] if parts else "server"].append(pid)
    return found


def _child(folder: Path, part: str, run: Callable[[], None]) -> int:
    """Start a part, and wait until its process is noted."""
    pid = os.fork()
    place = folder / "parts" / str(pid or os.getpid())
    if not pid:
        place.mkdir(parents=True)
        (place / part).touch()
        try:
            run()
        finally:
            os._exit(1)
    while not (place / part).exists():
        time.sleep(0.002)
    return pid


def _worker(*, deaf: bool) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN if deaf else signal.SIG_DFL)
    while True:  # unlike the workers of vLLM, it does not notice that its parent is gone
        time.sleep(60)


def _core(folder: Path, *, deaf: bool) -> None:
    workers = [_child(folder, "worker", lambda: _worker(deaf=deaf)) for _ in range(2)]

    def end(*_: object) -> None:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    os.wait()


def _server(folder: Path, arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--load", type=float, default=0.0)
    parser.add_argument("--fail", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--die-after", type=int, default=10**9)
    parser.add_argument("--think", type=float, default=0.0)
    parser.add_argument("--linger", type=float, default=0.0)
    options, rest = parser.parse_known_args(arguments)
    (folder / "command").write_text(json.dumps(rest))
    with (folder / "starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    sys.stderr.write("Loading checkpoint shards: 50%\n")
    if options.fail:
        sys.exit("RuntimeError: no room for the cache of keys and values")
    core = _child(folder, "core", lambda: _core(folder, deaf=options.deaf))

    def end(*_: object) -> None:
        os.kill(core, signal.SIGTERM)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    dead = threading.Event()

    def watch() -> None:
        os.waitpid(core, 0)
        dead.set()
        time.sleep(options.linger)
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()
    time.sleep(options.load)
    _serve(folder, options, dead)


def _serve(folder: Path, options: argparse.Namespace, dead: threading.Event) -> None:
    known: set[str] = set()
    lock = threading.Lock()
    count = iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(200, METRICS if self.path == "/metrics" else "")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if dead.is_set():
                self.close_connection = True
                return
            parts = [p for m in body["messages"] for p in m["content"] if isinstance(p, dict)]
            named = [p for p in parts if "uuid" in p]
            time.sleep(options.think)
            with lock:
                lost = [p for p in named if p[p["type"]] is None and p["uuid"] not in known]
                if lost:
                    said = "Cache miss for video at index 0 but data is not provided."
                    self._say(400, {"error": {"message": said, "code": 400}})
                    return
                known.update(p["uuid"] for p in named)
                if next(count) >= options.die_after:
                    os._exit(9)
                texts = [p["text"] for p in parts if p["type"] == "text"]
                sent = [p["uuid"] for p in named if p[p["type"]] is not None]
                with (folder / "answered").open("a") as file:
                    file.write(json.dumps({"texts": texts, "sent": sent}) + "\n")
            # Another medium, another answer.
            heard = [str(texts[-1]), *(p["uuid"][:8] for p in named)]
            self._say(200, _completion(" ".join(["heard", *heard]), body["model"]))

        def _say(self, status: int, body: object) -> None:
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dead.wait()
    server.shutdown()
    server.server_close()
    time.sleep(options.linger)


def _completion(text: str, model: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    return {"model": model, "choices": [{**choice, "finish_reason": "stop"}], "usage": {}}


if __name__ == "__main__":
    _server(Path(sys.argv[1]), sys.argv[sys.argv.index("serve") + 2 :])
