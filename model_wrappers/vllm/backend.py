"""`vllm:MODEL`: an engine of the run's own, asked as every OpenAI-style server is asked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

from aurelia_plugin.calling.backend import Prompt, Reply, Service
from aurelia_plugin.errors import AureliaError, TransientError
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend
from aurelia_plugin.model_wrappers.vllm.command import launch
from aurelia_plugin.model_wrappers.vllm.engine import Engine
from aurelia_plugin.model_wrappers.vllm.options import VLLMOptions

__all__ = ["OPTIONS", "VLLMBackend", "VLLMOptions", "open_backend"]

OPTIONS = VLLMOptions


class VLLMBackend:
    """A model behind an engine that is started with the first prompt, and ends with the run.

    With `base_url` a server that runs already is asked instead, and left alone otherwise.

    Raises:
        ConfigError: if there is no environment with vLLM, or an option is unfit.
    """

    def __init__(self, model: str, options: VLLMOptions | None = None) -> None:
        self.options = options or VLLMOptions()
        self._asked = OpenAIBackend(model, self.options)
        self._address: str | None = None
        self.engine: Engine | None = None
        if self.options.base_url is None:
            self.engine = Engine(launch(model, self.options))

    @property
    def identity(self) -> str:
        """The model, and what changes replies; not where or on how many GPUs it runs."""
        return self._asked.identity

    @property
    def takes(self) -> Capabilities:
        """What goes in, as the options have it."""
        return self._asked.takes

    @property
    def concurrency(self) -> int:
        """As the option says, for each copy of the model."""
        return self._asked.concurrency * self.options.data_parallel_size

    @property
    def service(self) -> Service:
        """The model; an engine has another address each time it is started."""
        service = self._asked.service
        return service if self.engine is None else service._replace(place=self.identity)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it is asked, up to `/v1`; nothing before an engine has been started."""
        return self._asked.addresses if self.engine is None or self._address else ()

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt.

        Raises:
            MediaError: if a medium cannot be decoded.
            TransientError: after a failure that may pass, such as an engine that has just died.
            BackendError: if the engine does not run, or refuses.
        """
        send = await self.prepare(prompt)
        return await send()

    async def prepare(self, prompt: Prompt) -> Callable[[], Awaitable[Reply]]:
        """Return what sends the prompt, once the engine is ready for it.

        Raises:
            MediaError: if a medium cannot be decoded.
            BackendError: if the engine does not get ready.
        """
        if self.engine is not None:
            address = self.engine.at_hand() or await _in_thread(self.engine.address)
            if address != self._address:
                self._address = address
                self._asked.move_to([f"{address}/v1"])
        send = await self._asked.prepare(prompt)

        async def watched() -> Reply:
            try:
                return await send()
            except TransientError as error:
                # Its death is seen some seconds late: retries would be used up meanwhile.
                if self.engine is not None and not error.throttled:
                    self.engine.doubt()
                raise

        return watched

    async def rest(self) -> bool:
        """Close the connections; keep the engine, if there is one of this process's own."""
        await self._asked.close()
        return self.engine is not None

    async def close(self) -> None:
        """Let go of the engine, which ends unless another process uses it."""
        await self._asked.close()
        if self.engine is not None:
            self.engine.close()


async def _in_thread(work: Callable[[], str]) -> str:
    """Return what a function returns that may take minutes.

    Not a thread of asyncio's: those are few, are needed for decoding meanwhile, and are waited for
    when the program ends.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def settle(result: str | None, error: BaseException | None) -> None:
        if done.done():  # nobody waits any more
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(str(result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except (AureliaError, OSError) as failure:
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await done


def open_backend(model: str, options: VLLMOptions) -> VLLMBackend:
    """Return the backend of `vllm:MODEL`."""
    return VLLMBackend(model, options)
