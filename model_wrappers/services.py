"""What backends behind a network share: keys, limits, errors without secrets, and watchfulness."""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import os
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from loguru import logger

from aurelia_plugin.calling.prices import is_version_of
from aurelia_plugin.errors import BackendError, ConfigError, TransientError
from aurelia_plugin.redaction import keep_secret, without_secrets

__all__ = ["Shared", "Watch", "failure", "key_from", "retry_delay", "retry_seconds"]


# 408 timeout, 409 conflict, 425 too early, 429 too many requests; 5xx is the server's own trouble.
_PASSING = frozenset({408, 409, 425, 429})
_NEVER_PASSES = ("insufficient_quota", "billing_hard_limit")
_LONGEST_MESSAGE = 500

ClientT = TypeVar("ClientT")


def key_from(names: Sequence[str], backend: str, *, needed: bool = True) -> str:
    """Return the secret in the first of these environment variables that is set, or "".

    Raises:
        ConfigError: if none is set and the service needs one.
    """
    variable = next((name for name in names if os.environ.get(name)), None)
    key = os.environ[variable].strip() if variable else ""
    if needed and not key:
        raise ConfigError(
            f"{backend} needs a key, and none of these environment variables is set: "
            f"{', '.join(names)}.",
            f"Set {names[0]} in the environment; a key never goes into a spec.",
        )
    return keep_secret(key, variable)


def failure(
    backend: str,
    status: int | None,
    message: str,
    *,
    secret: str,
    headers: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> BackendError:
    """Return the error of a call that failed; the secret is taken out of the service's words.

    Args:
        status: the HTTP status; None when no reply came (a timeout, a dropped connection): the
            service may have worked all the same.
    """
    text = (message.replace(secret, "[key]") if secret else message)[:_LONGEST_MESSAGE]
    if status is None:
        return TransientError(
            backend,
            text,
            "Check that the service can be reached; `timeout` is an option.",
            charged=True,
        )
    what = f"HTTP {status}: {text}"
    passing = status in _PASSING or status >= 500
    if passing and not any(word in message for word in _NEVER_PASSES):
        asked = retry_seconds(headers or {}) or retry_after
        return TransientError(
            backend,
            what,
            "Lower `concurrency`, or run again later: finished calls are kept.",
            retry_after=asked,
            # 503 is also what a proxy says whose server is down.
            throttled=status == 429 or (status == 503 and asked is not None),
        )
    if status in (401, 403):
        return BackendError(backend, what, "Check the key in the environment and what it may use.")
    return BackendError(backend, what, "Check the model's name and the options of this backend.")


def retry_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long a service asks to wait: `Retry-After` in seconds or as a date."""
    asked = headers.get("retry-after") or headers.get("Retry-After")
    if not asked:
        return None
    try:
        return _wait(float(asked))
    except ValueError:
        pass
    try:
        return _wait(email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _wait(seconds: float) -> float | None:
    return max(0.0, seconds) if math.isfinite(seconds) else None


def retry_delay(details: object) -> float | None:
    """Return the seconds that Google's error details ask to wait (`retryDelay`: "12s")."""
    found = re.search(r"'retryDelay': '(\d{1,9}(?:\.\d*)?)s'", str(details))
    return float(found[1]) if found else None


@dataclass(frozen=True)
class _Held(Generic[ClientT]):
    client: ClientT
    until_the_end: AsyncGenerator[None, None]


class Shared(Generic[ClientT]):
    """A client for each event loop, open from its first call until the loop ends or `close`.

    Opening one costs some 40 ms (its TLS context), and its connections stay alive between calls.
    A connection belongs to the event loop in which it was opened, and the harness runs each batch
    in a loop of its own: nothing may be left over from one to the next. The client is held by an
    asynchronous generator, for `asyncio.run` ends those of its loop while the loop still runs.

    Args:
        make: opens a client.
        end: closes it.
    """

    def __init__(
        self, make: Callable[[], ClientT], end: Callable[[ClientT], Awaitable[None]]
    ) -> None:
        self._make = make
        self._end = end
        self._held: dict[asyncio.AbstractEventLoop, _Held[ClientT]] = {}

    async def __call__(self) -> ClientT:
        """Return the running loop's client."""
        loop = asyncio.get_running_loop()
        held = self._held.get(loop)
        if held is None:
            # A loop that was closed without its end being run: its connections are lost with it.
            self._held = {one: held for one, held in self._held.items() if not one.is_closed()}
            held = self._held[loop] = _Held(self._make(), self._holding())
            await held.until_the_end.asend(None)
        return held.client

    async def close(self) -> None:
        """Close the running loop's client."""
        held = self._held.get(asyncio.get_running_loop())
        if held is not None:
            await held.until_the_end.aclose()

    async def _holding(self) -> AsyncGenerator[None, None]:
        loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            await self._end(self._held.pop(loop).client)


class Watch:
    """Says once what a user should know about a service's replies.

    Args:
        backend: the backend's name, for messages.
        asked: the model that was asked for.
    """

    def __init__(self, backend: str, asked: str) -> None:
        self._backend = backend
        self._asked = asked
        self._said: set[str] = set()

    def served(self, model: str) -> str:
        """Return the name of the model that answered; another than the one asked for is news.

        A dated or numbered version of the model asked for is that model.
        """
        name = without_secrets(model.removeprefix("models/")) or self._asked
        if not is_version_of(name, self._asked):
            self._say(
                f"served {name}",
                f"asked for {self._asked}, and the service answered with {name}: report that name",
            )
        return name

    def read(self, text: str, schema: Mapping[str, object] | None) -> None:
        """Notice a reply that is not JSON although a schema was sent with the request."""
        if schema is None:
            return
        try:
            json.loads(text)
        except ValueError:
            self._say("schema", "a JSON schema was asked for, and the service ignores it")

    def cut(self) -> None:
        """Notice a reply that ended at the limit on its length."""
        self._say("cut", "a reply ended at max_new_tokens; there may be more of these")

    def _say(self, topic: str, message: str) -> None:
        if topic not in self._said:
            self._said.add(topic)
            logger.warning("{}: {}", self._backend, message)
