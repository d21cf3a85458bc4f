"""A server on loopback that plays a model: a fixed latency, a fixed number of slots.

It runs in a process of its own, so that its work is not on the client's event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["serving"]


class _Model:
    """Answers chat completions; which iterations are accepted depends on the prompt alone."""

    def __init__(self, latency: float, slots: int) -> None:
        self._latency = latency
        self._slots = asyncio.Semaphore(slots)

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                content = await reader.readexactly(length)
                async with self._slots:
                    await asyncio.sleep(self._latency)
                body = _completion(content)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    + f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def _completion(content: bytes) -> bytes:
    score = 9 if hashlib.sha256(content).digest()[0] % 4 else 3
    text = json.dumps(
        {"steps": ["Look.", "Listen."], "answers": ["a", "b"], "final_answer": "c", "score": score}
    )
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**whole, "choices": [choice], "usage": usage}).encode()


def _run(latency: float, slots: int, pipe: Any) -> None:
    async def serve() -> None:
        model = _Model(latency, slots)
        server = await asyncio.start_server(model.connection, "127.0.0.1", 0, limit=2**26)
        pipe.send(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def serving(latency: float, slots: int) -> Iterator[str]:
    """Yield the address of a server, up to `/v1`.

    Args:
        latency: seconds of every call, once it has a slot.
        slots: calls served at once.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(latency, slots, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join()
