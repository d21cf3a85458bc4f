"""The client on real sockets: what each way of failing is called, and who is told the account."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aurelia_plugin.errors import BackendError, ConfigError, TransientError
from aurelia_plugin.model_wrappers.openai.client import OpenAIClient, _headers, _said

_SECRET = "sk-not-to-be-seen"
_REQUEST = b'{"model": "m", "messages": []}'


@contextmanager
def _saying(reply: bytes, heard: list[bytes] | None = None) -> Iterator[str]:
    """Yield the address of a server that answers everything with these bytes, and hangs up.

    Args:
        heard: gets what the server is sent.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    sent = connection.recv(65536)
                    if heard is not None:
                        heard.append(sent)
                    connection.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        listening.shutdown(socket.SHUT_RDWR)


def _failure(url: str, timeout: float = 5.0, key: str = _SECRET) -> BackendError:
    with pytest.raises(BackendError) as caught:
        asyncio.run(OpenAIClient("b", key, url, timeout)(_REQUEST))
    assert _SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
    return caught.value


def _reply(status: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


def test_a_call_that_reached_nobody_is_not_charged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = _failure(f"http://127.0.0.1:{port}/v1")
    assert isinstance(error, TransientError)
    assert not error.charged


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"no HTTP at all\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_a_reply_that_breaks_off_may_pass_and_is_charged(reply: bytes) -> None:
    with _saying(reply) as url:
        error = _failure(url)
    assert isinstance(error, TransientError)
    assert error.charged


def test_a_page_that_is_no_completion_says_where_to_look() -> None:
    with _saying(_reply("200 OK", "<html>Hello</html>")) as url:
        assert "base_url" in str(_failure(url))


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9/v1", "ftp://127.0.0.1/v1", "http://", "http://[::1/v1"]
)
def test_an_address_that_cannot_be_asked_is_refused_at_once(url: str) -> None:
    error = _failure(url)
    assert not isinstance(error, TransientError)
    assert "base_url" in str(error)


def test_a_key_that_cannot_be_sent_is_refused_without_showing_it() -> None:
    with _saying(_reply("200 OK", "{}")) as url:
        error = _failure(url, key=f"{_SECRET}\nHost: elsewhere")
    assert not isinstance(error, TransientError)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": {"message": "no such model", "code": "404"}}', "no such model 404"),
        ('{"object": "error", "message": "too long", "code": 400}', "too long 400"),
        ('{"detail": "Not Found"}', "Not Found"),
        ('{"error": "busy"}', "busy"),
        ("upstream is down", "upstream is down"),
        ('{"unknown": 1}', '{"unknown": 1}'),
        ("[" * 100_000, "[" * 100_000),
        ("", ""),
        ("null", "None"),
    ],
)
def test_what_servers_say_is_found_in_their_forms(body: str, said: str) -> None:
    assert _said(body) == said


@pytest.mark.parametrize(
    ("status", "transient"),
    [
        ("400 Bad Request", False),
        ("404 Not Found", False),
        ("429 Too Many", True),
        ("502 Bad", True),
    ],
)
def test_a_status_without_words_is_named(status: str, transient: bool) -> None:
    with _saying(_reply(status, "", "Retry-After: 7")) as url:
        error = _failure(url)
    assert isinstance(error, TransientError) is transient
    assert status[:3] in str(error)
    if status.startswith("429"):
        assert isinstance(error, TransientError)
        assert error.retry_after == 7


def test_openai_alone_is_told_which_account_pays() -> None:
    environ = {"OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "project"}
    ours = _headers("k", "https://api.openai.com/v1/chat/completions", environ)
    assert (ours["OpenAI-Organization"], ours["OpenAI-Project"]) == ("org", "project")
    assert ours["Authorization"] == "Bearer k"
    for url in ("http://127.0.0.1/v1", "https://api.openai.com.evil.example/v1"):
        assert set(_headers("", url, environ)) == {"Content-Type", "Accept"}


_ANSWER = _reply(
    "200 OK", '{"choices": [{"message": {"content": "B"}, "finish_reason": "stop"}], "model": "m"}'
)


def _reply_of(url: str) -> str:
    return asyncio.run(OpenAIClient("b", _SECRET, url, 5.0)(_REQUEST)).text


def test_a_proxy_is_asked_as_the_surroundings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    with _saying(_ANSWER, heard) as proxy, _saying(_ANSWER) as server:
        host = proxy.removeprefix("http://").removesuffix("/v1")
        monkeypatch.setenv("http_proxy", f"http://me:secret@{host}")
        assert _reply_of("http://model.invalid/v1") == "B"
        head = heard[0].decode()
        assert head.startswith("POST http://model.invalid/v1/chat/completions HTTP/1.1")
        assert f"Proxy-Authorization: Basic {base64.b64encode(b'me:secret').decode()}" in head
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert _reply_of(server) == "B"
    assert len(heard) == 1


def test_a_proxy_that_cannot_be_asked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"socks5://me:{_SECRET}@127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"http_proxy names .* socks5[\s\S]*no_proxy") as caught:
        _reply_of("http://model.invalid/v1")
    assert _SECRET not in str(caught.value)


def test_other_peoples_passwords_stay_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password other-secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heard: list[bytes] = []
    with _saying(_ANSWER, heard) as url:
        assert _reply_of(url) == "B"
    assert f"Authorization: Bearer {_SECRET}" in heard[0].decode()
