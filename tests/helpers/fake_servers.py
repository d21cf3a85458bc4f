"""HTTP servers on loopback that play services: they keep every request and answer as told."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple


class Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


class Answer(NamedTuple):
    """What a server answers, and how it goes wrong on the way.

    `reset` drops the connection before a byte is sent, `cut` after half of the body, `slow` sends a
    byte now and then until the client has given up.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    how: Literal["whole", "reset", "cut", "slow"] = "whole"


class Server:
    """Answers with `respond(request)`; `requests` keeps what came in."""

    def __init__(self, respond: Callable[[Request], Answer]) -> None:
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._respond = respond
        self.released = threading.Event()
        self.url = ""

    def handle(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
        return self._respond(request)

    def asked(self, path: str, method: str | None = None) -> list[Request]:
        """The requests to paths that hold these characters."""
        return [r for r in self.requests if path in r.path and method in (None, r.method)]


@contextmanager
def serving(respond: Callable[[Request], Answer]) -> Iterator[Server]:
    server = Server(respond)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            if len(content) < length:  # the client has given up midway
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = server.handle(Request(self.command, self.path, headers, content))
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
            data = body.encode() if isinstance(body, str) else body
            if answer.how == "reset":
                self._reset()
                return
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if answer.how == "whole":
                    self.wfile.write(data)
                    return
                for byte in data[: len(data) // 2]:
                    self.wfile.write(bytes([byte]))
                    if answer.how == "slow" and server.released.wait(0.02):
                        break
                self._reset()
            except OSError:  # the client has given up, as some tests want it to
                self.close_connection = True

        def _reset(self) -> None:
            # With a linger time of zero the peer sees a reset, not an end.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names are the base class's

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # the client has given up
                super().handle()

        def log_message(self, *_: Any) -> None:
            """Keep the tests' output clean."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    try:
        yield server
    finally:
        server.released.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def completion(text: str | None = "fine", **fields: Any) -> Answer:
    """What an OpenAI-compatible server answers."""
    message = {"role": "assistant", "content": text, "refusal": fields.pop("refusal", None)}
    choice = {"index": 0, "message": message, "finish_reason": fields.pop("finish", "stop")}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    body = {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [choice],
        "usage": usage,
    }
    return Answer({**body, **fields})


class Gemini:
    """Plays the service: resumable uploads, states of files, replies.

    Args:
        states: what a file's state is when it is made and at each look; the last one stays.
        reply: the answer to each question to the model.
        least: tokens of a clip that it keeps at least (context caching); None where it keeps none.
    """

    def __init__(
        self,
        states: tuple[str, ...] = ("PROCESSING", "ACTIVE"),
        reply: Callable[[Request], Answer] | None = None,
        least: int | None = 10,
    ) -> None:
        self.states = states
        self.reply = reply or (lambda request: said())
        self.least = least
        self.caches: dict[str, dict[str, Any]] = {}
        self.files: dict[str, int] = {}
        self.contents: list[bytes] = []
        self.deleted: list[str] = []
        self.url = ""

    def __call__(self, request: Request) -> Answer:
        if ":generateContent" in request.path:
            return self._generated(request)
        if "/cachedContents" in request.path:
            return self._cached(request)
        if request.path.startswith("/upload/"):
            if request.headers["x-goog-upload-command"] == "start":
                return Answer({}, headers={"X-Goog-Upload-URL": f"{self.url}/upload/send?id=1"})
            name = f"files/f{len(self.files)}"
            self.files[name] = 0
            self.contents.append(request.content)
            final = {"X-Goog-Upload-Status": "final"}
            return Answer({"file": self._file(name)}, headers=final)
        name = "files/" + request.path.split("/files/")[1].split("?")[0]
        if request.method == "DELETE":
            self.deleted.append(name)
            return Answer({})
        self.files[name] += 1
        return Answer(self._file(name))

    def _generated(self, request: Request) -> Answer:
        """Answer; of a request that names a cache, its tokens are found again."""
        name = request.body.get("cachedContent")
        answer = self.reply(request)
        if name is None or answer.status != 200:
            return answer
        if name not in self.caches:
            return refused(403, "CachedContent not found (or permission denied)")
        if "systemInstruction" in request.body or "tools" in request.body:
            return refused(400, "CachedContent can not be used with a system instruction")
        tokens = self.caches[name]["tokens"]
        usage = {**answer.body["usageMetadata"], "cachedContentTokenCount": tokens}
        return answer._replace(body={**answer.body, "usageMetadata": usage})

    def _cached(self, request: Request) -> Answer:
        if request.method == "DELETE":
            name = "cachedContents/" + request.path.split("/cachedContents/")[1].split("?")[0]
            del self.caches[name]
            self.deleted.append(name)
            return Answer({})
        if self.least is None:
            return refused(400, "Model does not support cached content")
        tokens = 90
        if tokens < self.least:
            said_ = f"Cached content is too small. total_token_count={tokens}, "
            return refused(400, f"{said_}min_total_token_count={self.least}")
        name = f"cachedContents/c{len(self.caches)}"
        self.caches[name] = {**request.body, "tokens": tokens}
        return Answer({"name": name, "usageMetadata": {"totalTokenCount": tokens}})

    def _file(self, name: str) -> dict[str, Any]:
        state = self.states[min(self.files[name], len(self.states) - 1)]
        uri = f"https://service.example/v1beta/{name}"
        return {"name": name, "uri": uri, "mimeType": "video/mp4", "state": state}


def refused(status: int, message: str) -> Answer:
    """How Google's services say no."""
    error = {"code": status, "message": message, "status": "INVALID_ARGUMENT"}
    return Answer({"error": error}, status)


def said(text: str | None = "a bell", **fields: Any) -> Answer:
    """What Gemini answers."""
    parts = [] if text is None else [{"text": "hm", "thought": True}, {"text": text}]
    candidate = {
        "content": {"role": "model", "parts": parts},
        "finishReason": fields.pop("finish", "STOP"),
    }
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 5, "thoughtsTokenCount": 7}
    body = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "g-1"}
    return Answer({**body, **fields})
