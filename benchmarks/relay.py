"""Passes connections on to a server and counts the bytes that go there."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

__all__ = ["Relay", "relayed"]

_CHUNK = 2**16


class Relay:
    """Bytes sent to a server through an address of this machine.

    Attributes:
        address: to be used instead of the server's.
        sent: bytes that went to the server, heads of requests included.
    """

    def __init__(self, server: str) -> None:
        self._server = urlsplit(server)
        self.address = ""
        self.sent = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        to_reader, to_writer = await asyncio.open_connection(
            self._server.hostname, self._server.port or 80
        )
        await asyncio.gather(
            self._pass(reader, to_writer, count=True), self._pass(to_reader, writer, count=False)
        )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                self.sent += len(data) if count else 0
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}{self._server.path}"
        ready.set()
        await server.serve_forever()


@contextmanager
def relayed(server: str) -> Iterator[Relay]:
    """Stand before a server until the end of the block."""
    relay, ready = Relay(server), threading.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = asyncio.run_coroutine_threadsafe(relay._serve(ready), loop)
    ready.wait(10)
    try:
        yield relay
    finally:
        serving.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
