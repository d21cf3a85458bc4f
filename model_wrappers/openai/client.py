"""OpenAI's client library: opened once for an event loop, its errors turned into ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aurelia_plugin.errors import ConfigError, TransientError
from aurelia_plugin.model_wrappers.openai.replies import Completion, read_completion
from aurelia_plugin.model_wrappers.services import Shared, failure

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIClient"]

_WRONG_PLACE = "Check that base_url leads to a chat completions server."

_NO_KEY = "none"
"""What is sent to servers without keys: the client wants one."""


_NEVER_REACHED = ("ConnectError", "ConnectTimeout")
"""What the client's transport (httpx, under whichever name) calls it when no connection was made:
the server saw nothing of the call."""


class OpenAIClient:
    """Asks for chat completions, once each: retries have one place, and it is not here.

    Args:
        backend: the backend's name, for messages.
        key: the secret, or ""; it is taken out of every error.
        base_url: where the server is, up to `/v1`.
        timeout: seconds.

    Raises:
        ConfigError: if the library is not installed.
    """

    def __init__(self, backend: str, key: str, base_url: str, timeout: float) -> None:
        self._backend = backend
        self._key = key
        self._base_url = base_url
        self._timeout = timeout
        self._library = _library()
        self._shared = Shared(self._open, lambda client: client.close())

    async def __call__(self, content: bytes) -> Completion:
        """Return the completion.

        Args:
            content: the request, as JSON.

        Raises:
            TransientError: after a failure that may pass.
            BackendError: after one that may not.
        """
        reply = await self._post(content)
        return read_completion(reply, self._backend, secret=self._key)

    async def close(self) -> None:
        """Close the running loop's connections; the next call opens them again."""
        await self._shared.close()

    async def _post(self, content: bytes) -> str:
        import openai

        try:
            client = await self._shared()
            # `chat.completions.create` compares every part of the body with its type first,
            # which takes 17 ms where there are pictures: more than all else of a call.
            # Nor does it look at what comes back: text may hold anything.
            return str(await client.post("/chat/completions", cast_to=str, content=content))
        except openai.APIStatusError as error:
            # The error's own cause chain may quote headers: it is not kept.
            raise failure(
                self._backend,
                error.status_code,
                f"{error.message} {error.code or ''}".strip(),
                secret=self._key,
                headers=error.response.headers,
            ) from None
        except openai.APIConnectionError as error:  # timeouts are among these
            said = f"{type(error).__name__}: {error.__cause__ or error}"
            failed = failure(self._backend, None, said, secret=self._key)
            failed.charged = type(error.__cause__).__name__ not in _NEVER_REACHED
            raise failed from None
        except openai.OpenAIError as error:
            said = f"the reply cannot be read: {type(error).__name__}"
            raise self._damaged(said) from None

    def _damaged(self, what: str) -> TransientError:
        """A reply that was cut or garbled on its way; the service has worked for it."""
        return TransientError(self._backend, what, _WRONG_PLACE, charged=True)

    def _open(self) -> AsyncOpenAI:
        return self._library.AsyncOpenAI(
            api_key=self._key or _NO_KEY,
            base_url=self._base_url,
            timeout=self._timeout,
            max_retries=0,
        )


def _library() -> Any:
    try:
        import openai
    except ImportError as error:
        raise ConfigError(
            "openai: the package openai is not installed.",
            'Run: pip install "aurelia-lmms-eval[openai]"',
        ) from error
    return openai
