"""Google's client library: opened on first use, called in threads, its errors turned into ours."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from aurelia_plugin.errors import BackendError, ConfigError, TransientError
from aurelia_plugin.model_wrappers.services import failure, retry_delay

if TYPE_CHECKING:
    from google.genai import Client

__all__ = ["GeminiClient", "library"]

T = TypeVar("T")


class GeminiClient:
    """The synchronous client, which no event loop owns, in threads of its own.

    Args:
        backend: the backend's name, for messages.
        key: the secret; it is taken out of every error.
        base_url: where the service is; None for its own address.
        timeout: seconds for one request.
        threads: calls under way at once.
    """

    def __init__(
        self, backend: str, key: str, base_url: str | None, timeout: float, threads: int
    ) -> None:
        self._backend = backend
        self._key = key
        self._base_url = base_url
        self._timeout = timeout
        self._size = threads
        self._client: Client | None = None
        self._threads: ThreadPoolExecutor | None = None

    async def __call__(self, call: Callable[[Client], T]) -> T:
        """Return what `call` makes of the client.

        Raises:
            TransientError: after a failure that may pass.
            BackendError: after one that may not.
        """
        if self._client is None:
            self._client = self._open()
            self._threads = ThreadPoolExecutor(self._size, "gemini")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._translated, call)

    @property
    def opened(self) -> bool:
        """Whether anything has been asked since the start or the last `close`."""
        return self._client is not None

    def close(self) -> None:
        """Release connections and threads; the next call opens them again."""
        if self._client is not None:
            self._client.close()
        if self._threads is not None:
            self._threads.shutdown(wait=False)
        self._client = self._threads = None

    def _open(self) -> Client:
        genai = library()
        http = genai.types.HttpOptions(
            base_url=self._base_url,
            timeout=round(self._timeout * 1000),
            # Retries have one place, and it is not here.
            retry_options=genai.types.HttpRetryOptions(attempts=1),
        )
        return genai.Client(api_key=self._key, vertexai=False, http_options=http)

    def _translated(self, call: Callable[[Client], T]) -> T:
        """Return what the call returns; its errors become ours, without the key."""
        from google.genai import errors

        try:
            return call(self._client)
        except errors.APIError as error:
            # The error's own cause chain may quote headers: it is not kept.
            raise failure(
                self._backend,
                error.code,
                f"{error.status}: {error.message}",
                secret=self._key,
                headers=getattr(error.response, "headers", None),
                retry_after=retry_delay(error.details),
            ) from None
        except _transport_errors() as error:
            said = f"{type(error).__name__}: {error}"
            raise failure(self._backend, None, said, secret=self._key) from None
        except json.JSONDecodeError:
            raise TransientError(
                self._backend,
                "the reply is not JSON",
                "Check that base_url leads to the service, or run again: finished calls are kept.",
                charged=True,
            ) from None
        except (ValueError, KeyError) as error:  # the client's words for an upload that broke off
            said = f"{type(error).__name__}: {error}".replace(self._key, "[key]")
            raise BackendError(self._backend, said, "Run again; finished calls are kept.") from None


def _transport_errors() -> tuple[type[Exception], ...]:
    """The client prefers httpx2, a fork of httpx with classes of its own, where it is installed."""
    found: list[type[Exception]] = [TimeoutError, ConnectionError]
    for name in ("httpx", "httpx2"):
        try:
            found.append(importlib.import_module(name).TransportError)
        except ImportError:
            continue
    return tuple(found)


def library() -> Any:
    """Return the client library.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        from google import genai
    except ImportError as error:
        raise ConfigError(
            "gemini: the package google-genai is not installed.",
            'Run: pip install "aurelia-lmms-eval[gemini]"',
        ) from error
    return genai
