from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace

import pytest
from making import QUICK, question

from aurelia_plugin.backend import Prompt, Reply
from aurelia_plugin.calls import RetryPolicy, answer
from aurelia_plugin.errors import BackendError, ConfigError, MediaError, TransientError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend

PROMPT = question().prompt()


def _backend(*outcomes: str | BaseException) -> ScriptedBackend:
    turns: Iterable[str | BaseException] = iter(outcomes)

    def reply(prompt: Prompt) -> str:
        outcome = next(iter(turns))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return ScriptedBackend(reply, identity="svc")


def _busy(retry_after: float | None = None) -> TransientError:
    return TransientError("svc", "busy", "Wait.", retry_after=retry_after)


def _ask(backend: ScriptedBackend, retry: RetryPolicy = QUICK) -> Reply:
    return asyncio.run(answer(backend, PROMPT, retry))


def test_passing_failures_are_retried() -> None:
    backend = _backend(_busy(), _busy(), "yes")
    assert _ask(backend).text == "yes"
    assert len(backend.prompts) == 3


def test_retries_end_and_the_last_failure_is_raised() -> None:
    last = _busy()
    backend = _backend(_busy(), _busy(), last, "too late")
    with pytest.raises(TransientError) as caught:
        _ask(backend)
    assert caught.value is last
    assert len(backend.prompts) == 3


@pytest.mark.parametrize(
    "error",
    [BackendError("svc", "no", "fix"), ConfigError("no", "fix"), MediaError("a.mp4", "cut")],
)
def test_our_own_errors_pass_as_they_are_and_at_once(error: Exception) -> None:
    backend = _backend(error, "too late")
    with pytest.raises(type(error)) as caught:
        _ask(backend)
    assert caught.value is error
    assert len(backend.prompts) == 1


def test_any_other_error_becomes_a_backend_error_once() -> None:
    backend = _backend(RuntimeError("out of memory"), "too late")
    with pytest.raises(BackendError, match=r"svc: RuntimeError: out of memory\n") as caught:
        _ask(backend)
    assert type(caught.value) is BackendError
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert len(backend.prompts) == 1


def test_cancelling_is_not_a_failure() -> None:
    async def cancelled() -> None:
        async def forever(prompt: Prompt) -> str:
            await asyncio.Event().wait()
            return ""

        task = asyncio.create_task(answer(ScriptedBackend(forever), PROMPT, QUICK))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


def _waits(error: BaseException, policy: RetryPolicy, attempt: int = 3) -> float:
    outcome = SimpleNamespace(exception=lambda: error)
    return policy.wait(SimpleNamespace(outcome=outcome, attempt_number=attempt))  # type: ignore


def test_the_service_decides_how_long_to_wait_if_it_says_so() -> None:
    policy = RetryPolicy(first_wait=1.0, longest_wait=4.0)
    assert _waits(_busy(7.5), policy) == 7.5
    assert all(0 <= _waits(_busy(), policy, attempt) <= 4.0 for attempt in range(1, 30))
    assert _waits(_busy(0.0), QUICK) == 0.0


def test_the_wait_is_really_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    _ask(_backend(_busy(11.0), _busy(), "yes"))
    assert slept == [11.0, 0.0]
