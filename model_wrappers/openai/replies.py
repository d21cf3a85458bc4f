"""What an OpenAI-compatible server replied: an answer, a failure that may pass, or a refusal.

Servers and the proxies before them report failures in many places of a reply with HTTP status 200.
Forms of OpenAI, vLLM, SGLang, OpenRouter, Azure, DeepSeek, Zhipu and Mistral were read in their
documentation; a reason for the end that is not known counts as a failure when its words say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple, NoReturn

from aurelia_plugin.calling.backend import Usage
from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.errors import BackendError, TransientError
from aurelia_plugin.model_wrappers.services import failure

__all__ = ["Completion", "read_completion"]

Json = Mapping[str, object]

_WRONG_PLACE = "Check that base_url leads to a chat completions server."
_RUN_AGAIN = "Run again later: finished calls are kept."
_REFUSED = "The service does not answer this sample; leave it out or mark it."
_NO_ROOM = "Raise `room_for_thinking`: the model's thoughts count as reply."

_BROKEN_OFF = ("error", "abort", "cancel", "fail", "timeout", "time_limit", "interrupt", "resource")
"""Words of a `finish_reason` that is no end: the server broke the reply off."""
_WITHHELD = ("filter", "safety", "block", "prohibit", "sensitive", "recitation", "refus", "moderat")
_LENGTH = ("length", "max_tokens", "max_output_tokens", "model_context_window")
_PERMANENT = (
    "authenticat", "billing", "content_filter", "content_policy", "context length",
    "context_length", "does not exist", "invalid", "moderation", "not found", "not supported",
    "permission", "quota", "safety", "too long", "unauthorized", "unsupported",
)  # fmt: skip
"""Words of an error without a status that will come back on every attempt."""


class Completion(NamedTuple):
    """An answer.

    Attributes:
        text: all of it, thoughts included where the server leaves them in the text.
        model: the model that answered, as the server named it, or "".
        cut: whether the limit on its length was reached.
    """

    text: str
    model: str
    usage: Usage
    cut: bool


def read_completion(content: str, backend: str, *, secret: str) -> Completion:
    """Return the answer that a reply with HTTP status 200 holds.

    Args:
        content: the reply's body.
        backend: the backend's name, for messages.
        secret: taken out of the server's words.

    Raises:
        TransientError: if the server says that something went wrong that may pass, broke off, or
            sent something unreadable.
        BackendError: if it refuses, or there is no text in the reply.
    """
    return _Reader(backend, secret).read(_parsed(content, backend))


def _parsed(content: str, backend: str) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        start = " ".join(content.split())[:200]
        # Cut or garbled on its way, or the page of a proxy: the service may have worked for it.
        raise TransientError(
            backend, f"the reply is not JSON: {start!r}", _WRONG_PLACE, charged=True
        ) from None


class _Reader:
    def __init__(self, backend: str, secret: str) -> None:
        self._backend = backend
        self._secret = secret

    def read(self, body: object) -> Completion:
        if not isinstance(body, dict):
            raise BackendError(self._backend, "the reply is no completion", _WRONG_PLACE)
        self._check_error(body)
        choices = body.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            self._no_choice(body)
        self._check_error(choice)
        message = _mapping(choice.get("message"))
        finish = str(choice.get("finish_reason") or "").lower()
        text, refusal = _text(message)
        self._check_end(finish, refusal, message)
        cut = any(word in finish for word in _LENGTH)
        if not text.strip() or (cut and not without_thinking(text)):
            self._no_text(finish, cut, message)
        return Completion(text, str(body.get("model") or ""), _usage(body), cut)

    def _check_error(self, place: Json) -> None:
        """Raise the error that stands in a reply or in its choice."""
        error = place.get("error") or place.get("errors")
        if not error and (place.get("object") == "error" or place.get("type") == "error"):
            error = place
        words, status = _stated(error)
        if words or status is not None:
            self._fail(words or "error", status)

    def _fail(self, words: str, status: int | None) -> NoReturn:
        if status is None:
            if any(word in words.lower() for word in _PERMANENT):
                raise BackendError(
                    self._backend,
                    f"the server reports an error: {self._shown(words)}",
                    "Check the model's name and the options of this backend.",
                )
            raise TransientError(
                self._backend, f"the server reports an error: {self._shown(words)}", _RUN_AGAIN
            )
        said = f"{words} (in a reply of 200)"
        failed = failure(self._backend, status, said, secret=self._secret)
        if isinstance(failed, TransientError):
            failed.throttled = False  # the server itself took the request
        raise failed

    def _no_choice(self, body: Json) -> NoReturn:
        """Raise what a reply without a choice says of itself."""
        words, status = _stated(body)
        if status is not None:
            self._fail(words or "the reply has no choice", status)
        said = f": {self._shown(words)}" if words else ""
        raise BackendError(self._backend, f"the reply has no choice{said}", _WRONG_PLACE)

    def _check_end(self, finish: str, refusal: str, message: Json) -> None:
        if refusal or any(word in finish for word in _WITHHELD):
            said = self._shown(refusal or finish.replace("_", " "))
            raise BackendError(self._backend, f"the service refused: {said}", _REFUSED)
        if any(word in finish for word in _BROKEN_OFF):
            raise TransientError(
                self._backend,
                f"the server broke the reply off (finish reason {finish})",
                _RUN_AGAIN,
                charged=True,
            )

    def _no_text(self, finish: str, cut: bool, message: Json) -> NoReturn:
        why = f"the reply has no text (finish reason {finish or 'none'})"
        fix = "Ask for another form of answer, or leave this sample out."
        if cut or message.get("reasoning_content") or message.get("reasoning"):
            why, fix = f"{why}: it ended while the model was thinking", _NO_ROOM
        elif message.get("tool_calls") or message.get("function_call"):
            why += ": it only calls tools"
        raise BackendError(self._backend, why, fix, charged=True)

    def _shown(self, words: str) -> str:
        return (words.replace(self._secret, "[key]") if self._secret else words)[:500]


def _stated(error: object) -> tuple[str, int | None]:
    """Return an error's words and, where it has one, its HTTP status."""
    if isinstance(error, str):
        return error.strip(), None
    if isinstance(error, list):
        stated = [_stated(one) for one in error]
        status = next((status for _, status in stated if status is not None), None)
        return "; ".join(words for words, _ in stated if words), status
    if not isinstance(error, dict):
        return "", None
    inner = _mapping(error.get("error")) or _mapping(error.get("metadata"))
    inner_words, inner_status = _stated(inner) if inner else ("", None)
    status = _status(error.get(name) for name in ("status", "code", "status_code", "http_code"))
    fields = ("message", "msg", "detail", "error", "raw", "type", "code")
    values = (error.get(name) for name in fields)
    words = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    words += [inner_words] if inner_words else []
    return ": ".join(dict.fromkeys(words)), status if status is not None else inner_status


def _status(values: Iterable[object]) -> int | None:
    for value in values:
        number = str(value) if isinstance(value, int | str) else ""
        if number.isascii() and number.isdigit() and 400 <= int(number[:4]) <= 599:
            return int(number[:4])
    return None


def _text(message: Json) -> tuple[str, str]:
    """Return a message's text, its parts joined and thoughts left out, and the refusal in it."""
    refusal = message.get("refusal")
    refusals = [refusal] if isinstance(refusal, str) and refusal.strip() else []
    content = message.get("content")
    if isinstance(content, str):
        return content, "".join(refusals)
    texts = []
    for part in content if isinstance(content, list) else []:
        fields = _mapping(part)
        if isinstance(fields.get("refusal"), str):
            refusals.append(str(fields["refusal"]))
        elif fields.get("type", "text") in ("text", "output_text"):
            text = fields.get("text")
            texts.append(text if isinstance(text, str) else str(_mapping(text).get("value") or ""))
    return "".join(texts), " ".join(refusals)


def _usage(body: Json) -> Usage:
    usage = _mapping(body.get("usage"))
    return Usage(
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(_mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
    )


def _count(value: object) -> int:
    """Return a number of tokens; what is no such number is none, and never takes away."""
    return value if isinstance(value, int) and value > 0 else 0


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}
