"""What a call to a server costs this machine: 50 calls one after the other, without latency.

Keys: `tls_contexts` and `connections` that were made for all of them, `cpu_ms` of this process a
call (the server is another process).
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import time
from typing import Any

from loopback import serving
from shared import report

from aurelia_plugin.calling.backend import Message, Prompt, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions


class Counted:
    """Counts calls of a function."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.times = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call it."""
        self.times += 1
        return self._function(*arguments, **named)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    calls: int = parser.parse_args().calls
    contexts = Counted(ssl.SSLContext.__new__)
    ssl.SSLContext.__new__ = staticmethod(contexts)  # type: ignore[method-assign]
    connections = Counted(asyncio.BaseEventLoop.create_connection)
    asyncio.BaseEventLoop.create_connection = lambda *a, **k: connections(*a, **k)  # type: ignore[method-assign]
    with serving(0.0, 1) as address:
        backend = OpenAIBackend("m", OpenAIOptions(server="vllm", base_url=address))
        caller = Caller()

        async def ask(count: int) -> None:
            for number in range(count):
                message = Message("user", (Text(f"Question {number}?"),))
                await caller.answer(backend, Prompt((message,)))

        asyncio.run(ask(1))  # loads what is loaded once
        contexts.times = connections.times = 0
        begun = time.process_time()
        asyncio.run(ask(calls))
        cpu = time.process_time() - begun
    report(
        {
            "tls_contexts": contexts.times,
            "connections": connections.times,
            "cpu_ms": 1000 * cpu / calls,
        }
    )


if __name__ == "__main__":
    main()
