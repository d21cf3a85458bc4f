"""Chat completions over HTTP: one session for an event loop, its errors turned into ours.

No client library of a vendor lies between: with 16 calls at once theirs took half of this machine's
time for a call, and nothing that they read or build of one is used here.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.model_wrappers.openai.replies import Completion, read_completion
from aurelia_plugin.model_wrappers.services import Shared, failure

if TYPE_CHECKING:
    from aiohttp import ClientSession

__all__ = ["OpenAIClient"]

_WRONG_PLACE = "Check that base_url leads to a chat completions server, and the key for characters."

_ACCOUNT = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
"""Variables that say which account of several pays, as OpenAI's own clients read them, and the
headers that they are sent in (to OpenAI alone)."""


class OpenAIClient:
    """Asks for chat completions, once each: retries have one place, and it is not here.

    Args:
        backend: the backend's name, for messages.
        key: the secret, or ""; it is taken out of every error.
        base_url: where the server is, up to `/v1`.
        timeout: seconds.

    Raises:
        ConfigError: if the HTTP library is not installed.
    """

    def __init__(self, backend: str, key: str, base_url: str, timeout: float) -> None:
        _require_library()
        self._backend = backend
        self._key = key
        self._url = f"{base_url}/chat/completions"
        self._timeout = timeout
        self._shared = Shared(self._open, lambda session: session.close())

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
        import aiohttp

        try:
            session = await self._shared()
            async with session.post(self._url, data=content) as response:
                text = (await response.read()).decode("utf-8", "replace")
                if response.ok:
                    return text
                raise failure(
                    self._backend,
                    response.status,
                    _said(text) or str(response.reason),
                    secret=self._key,
                    headers=response.headers,
                ) from None
        except asyncio.TimeoutError as error:
            reached = not isinstance(error, aiohttp.ConnectionTimeoutError)
            raise self._unanswered(f"no reply within {self._timeout:g} s", reached) from None
        except (aiohttp.NonHttpUrlClientError, ValueError) as error:  # cannot be sent at all
            said = f"{type(error).__name__}: {error}"
            said = said.replace(self._key, "[key]") if self._key else said
            raise BackendError(self._backend, said, _WRONG_PLACE) from None
        except aiohttp.ClientError as error:
            # The error's own cause chain may quote headers: it is not kept.
            reached = not isinstance(error, aiohttp.ClientConnectorError)
            raise self._unanswered(f"{type(error).__name__}: {error}", reached) from None

    def _unanswered(self, said: str, reached: bool) -> BackendError:
        """The error of a call without a reply; a server that it reached may have worked for it."""
        failed = failure(self._backend, None, said, secret=self._key)
        failed.charged = reached
        return failed

    def _open(self) -> ClientSession:
        import aiohttp

        connector = aiohttp.TCPConnector(
            limit=0,  # calls are paced where they are made
            ssl=_certificates() if self._url.startswith("https") else True,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_headers(self._key, self._url, os.environ),
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._timeout),
            # Looked up once: with `trust_env`, every call would wait for two threads that do so,
            # and an entry in ~/.netrc would stand against the key.
            proxy=_proxy(self._url),
        )


def _headers(key: str, url: str, environ: Mapping[str, str]) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if urlsplit(url).hostname == "api.openai.com":
        headers |= {header: environ[name] for name, header in _ACCOUNT.items() if name in environ}
    return headers


def _proxy(url: str) -> str | None:
    """Return the proxy that the surroundings name for an address.

    Raises:
        ConfigError: if it speaks something else than HTTP.
    """
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    kind = urlsplit(proxy).scheme
    if kind not in ("http", "https"):
        raise ConfigError(
            f"{parts.scheme}_proxy names a proxy of the kind {kind}, which cannot be asked here.",
            "Name an HTTP proxy, or set no_proxy to the hosts that are reached without one.",
        )
    return proxy


def _said(text: str) -> str:
    """Return what a server's error says: the message and code of its JSON, else the text."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return str(error)
    parts = [error.get(name) for name in ("message", "detail", "code")]
    return " ".join(str(part) for part in parts if part) or text.strip()


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Return the authorities that this machine trusts, the usual ones if it names none.

    Made once: it takes some 40 ms.
    """
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _require_library() -> None:
    try:
        import aiohttp  # noqa: F401
        import orjson  # noqa: F401
        import pybase64  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"openai: the package {error.name} is not installed.",
            'Run: pip install "aurelia-lmms-eval[openai]"',
        ) from error
