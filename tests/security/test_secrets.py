"""Keys are in no error, log, trace, result or process list."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_servers import Answer, Request, completion, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.errors import AureliaError, BackendError, ConfigError
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.services import key_from
from aurelia_plugin.redaction import (
    environment_without_secrets,
    is_secret_name,
    keep_secret,
    without_secrets,
)
from aurelia_plugin.spec import BackendSpec

KEY = "k3y-of-a-service-0123456789"
PROMPT = Prompt((Message("user", (Text("What?"),)),), Generation(max_new_tokens=4))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("api_key=abc,x=1", "api_key=[key],x=1"),
        ("api_key='a b', x", "api_key=[key], x"),
        ("OPENAI_API_KEY=abc", "OPENAI_API_KEY=[key]"),
        ('{"access_token": "abc"}', '{"access_token": [key]}'),
        ("Authorization: Bearer abc.def", "Authorization: [key]"),
        ("openai:m?password=x&y=2", "openai:m?password=[key]&y=2"),
        ("sk-proj-0123456789abcdef", "[key]"),
        ("X-Api-Key: abc", "X-Api-Key: [key]"),
        ("AWS_SECRET_KEY=abc", "AWS_SECRET_KEY=[key]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [key]"),
        (r"{\"token\": \"a b\", \"x\": 1}", r"{\"token\": [key], \"x\": 1}"),
        ('{"token": "cut off he', '{"token": [key] off he'),
        ("https://me:pa55@host/v1", "https://me:[key]@host/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("ghp_" + "a1" * 18, "[key]"),
        ("key AIza" + "x" * 35, "key [key]"),
        ("max_new_tokens=64,key_env=MY_KEY", "max_new_tokens=64,key_env=MY_KEY"),
        ("Write options as ?key=value&key=value.", "Write options as ?key=value&key=value."),
        ("task-1: risk-free", "task-1: risk-free"),
        ("keys come from OPENAI_API_KEY, or none", "keys come from OPENAI_API_KEY, or none"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


_PIECES = st.sampled_from(
    ["ha-", "key=", "api_key=", "token", "token ", "token='", 'token="', "'", '"', "\\", "{",
     "}", " ", "\n", ":", "=", "@", "://a:", "sk-", "AIza", "hf_", "bearer ", "-", "_", "a", "é"]
)  # fmt: skip


def _seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        without_secrets(text)
        best = min(best, time.process_time() - begun)
    return best


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_PIECES, min_size=1, max_size=5),
    st.lists(_PIECES, max_size=3),
    st.lists(_PIECES, max_size=3),
)
def test_the_time_grows_with_the_length_and_not_faster(
    repeated: list[str], first: list[str], last: list[str]
) -> None:
    """The exponent of growth over texts of 20,000 and 160,000 characters."""
    unit, head, tail = "".join(repeated), "".join(first), "".join(last)

    def text(size: int) -> str:
        return head + unit * (size // len(unit)) + tail

    small, large = _seconds(text(20_000)), _seconds(text(160_000))
    assert math.log(max(large, 1e-3) / max(small, 1e-3)) / math.log(8) < 1.5


def test_a_secret_is_known_by_the_variable_that_it_was_read_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that says nothing, a second variable with the same value, a hub token used as key."""
    monkeypatch.setattr("aurelia_plugin.redaction._read_from", set())
    monkeypatch.setenv("MY_LAB", f" {KEY}\n")
    monkeypatch.setenv("HF_TOKEN", "hf-short")
    assert key_from(["MY_LAB"], "svc") == KEY
    assert without_secrets(f"sent {KEY}") == "sent [key]"
    environment = {"MY_LAB": "new", "COPY": f"x={KEY}", "HF_TOKEN": "t", "PATH": "/bin", "A": "b"}
    left = environment_without_secrets(environment, keep=("HF_TOKEN",))
    assert left == {"HF_TOKEN": "t", "PATH": "/bin", "A": "b"}
    key_from(["HF_TOKEN"], "svc")
    assert "HF_TOKEN" not in environment_without_secrets(environment, keep=("HF_TOKEN",))


def test_every_error_of_ours_is_without_secrets_and_stays_so_when_it_travels() -> None:
    keep_secret(KEY)
    for error in (
        AureliaError(f"bad: {KEY}", "fix"),
        BackendError("svc", f"bad: {KEY}", "fix", charged=True),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert KEY not in f"{error} {error.what} {copy} {copy.what}"
    assert copy.charged
    assert is_secret_name("api_key")
    assert not is_secret_name("max_new_tokens")


@pytest.mark.parametrize("spec", [f"openai:m?api_key={KEY}", f"gemini:m?token={KEY}"])
def test_a_key_in_a_spec_is_refused_unseen(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "x")
    with pytest.raises(ConfigError) as caught:
        BackendPool(spec, {})
    assert KEY not in str(caught.value)
    assert "environment only" in caught.value.fix
    assert caught.value.__cause__ is None
    with pytest.raises(ConfigError) as twice:
        BackendSpec.parse(f"{spec}&{spec.partition('?')[2]}")
    assert KEY not in str(twice.value)


def _chatty(request: Request) -> Answer:
    """A service that repeats the key wherever it can."""
    sent = request.headers.get("authorization", "")
    if b"fail" in request.content:
        return Answer({"error": {"message": f"bad key {sent}", "code": sent}}, 401)
    return completion(f"Answer: you sent {sent}", model=f"m-1 {sent}")


def test_a_service_that_repeats_the_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    with serving(_chatty) as server:
        backend = OpenAIBackend("m-1", OpenAIOptions(base_url=f"{server.url}/v1"))
        caller = Caller(RetryPolicy(1))
        reply = asyncio.run(caller.answer(backend, PROMPT))
        failing = Prompt((Message("user", (Text("fail"),)),), Generation())
        with pytest.raises(BackendError) as caught:
            asyncio.run(caller.answer(backend, failing))
    assert KEY in server.requests[0].headers["authorization"]
    assert KEY not in reply.model_dump_json()
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text


def test_a_run_leaves_no_key_behind(tmp_path: Path) -> None:
    """The whole harness, with agents and target at a service that repeats the key."""
    with serving(_chatty) as server:
        spec = f"openai:m-1?base_url={server.url}/v1"
        command = [
            sys.executable, "-m", "lmms_eval", "--model", "aurelia",
            "--model_args", f"target={spec},traces={tmp_path / 'traces'},max_iterations=1",
            "--tasks", "avreasonbench_mini_meme", "--limit", "1",
            "--output_path", str(tmp_path / "out"), "--log_samples", "--verbosity", "DEBUG",
        ]  # fmt: skip
        environment = {**os.environ, "OPENAI_API_KEY": KEY, "AVREASONBENCH_MINI_ITEMS": "2"}
        run = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while not server.requests and run.poll() is None:
            time.sleep(0.05)
        titles = [
            path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()
        ]
        said, _ = run.communicate()
    assert server.requests, said[-3000:]
    assert KEY not in said
    assert not any(KEY.encode() in title for title in titles)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.match("traces/traces/*/*.json") for path in files)
    assert any(path.match("*_samples_*.jsonl") for path in files)
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path
    record = json.loads(next(tmp_path.glob("traces/runs/*.json")).read_text())
    assert record["usage"]["by_role"]["target"]["calls"] == 1
