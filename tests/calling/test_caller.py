from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import SimpleNamespace

import pytest
from making import QUICK, question
from serviced import ServedBackend

from aurelia_plugin.calling.backend import Prompt, Reply
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.errors import BackendError, ConfigError, MediaError, TransientError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.redaction import keep_secret

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
    return asyncio.run(Caller(retry).answer(backend, PROMPT))


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

        task = asyncio.create_task(Caller(QUICK).answer(ScriptedBackend(forever), PROMPT))
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
    assert all(7.5 <= _waits(_busy(7.5), policy) <= 7.5 * 1.1 for _ in range(30))
    assert all(0 <= _waits(_busy(), policy, attempt) <= 4.0 for attempt in range(1, 30))
    assert _waits(_busy(0.0), QUICK) == 0.0


def test_the_wait_is_really_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    _ask(_backend(_busy(11.0), _busy(), "yes"))
    first, second = slept
    assert 11.0 <= first <= 12.0
    assert second == 0.0


def _served(caller: Caller, *backends: ServedBackend, calls: int) -> None:
    async def ask() -> None:
        await asyncio.gather(*(caller.answer(b, PROMPT) for b in backends for _ in range(calls)))

    asyncio.run(ask())


def test_all_that_ask_one_service_keep_to_one_limit() -> None:
    under_way = most = 0

    async def reply(prompt: Prompt) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return "a"

    agent, target = ServedBackend(reply, identity="agent"), ServedBackend(reply, identity="target")
    caller = Caller(QUICK)
    agent._most, target._most = 3, 9
    _served(caller, agent, target, calls=10)
    assert most == 3
    elsewhere = ServedBackend(reply, model="m-2", most=2)
    _served(caller, agent, elsewhere, calls=10)
    assert most == 5


def test_a_storm_of_refusals_is_waited_out_and_slows_the_calls() -> None:
    refusals = 40

    async def reply(prompt: Prompt) -> str:
        nonlocal refusals
        await asyncio.sleep(0)
        if refusals:
            refusals -= 1
            raise TransientError("svc", "too many", "Wait.", throttled=True)
        return "a"

    caller, backend = Caller(QUICK), ServedBackend(reply, most=8)
    _served(caller, backend, calls=8)  # more refusals than QUICK has attempts
    assert len(backend.prompts) == 48
    assert caller.pacer(backend).limit < 8.0


def test_a_service_that_only_refuses_is_given_up_after_the_patience() -> None:
    def refuse(prompt: Prompt) -> str:
        raise TransientError("svc", "quota", "Wait.", throttled=True)

    backend = ServedBackend(refuse)
    caller = Caller(RetryPolicy(3, 0.01, 0.01, patience=0.1))
    for attempts in (2, 1):  # who asks after it was given up fails at once
        before = len(backend.prompts)
        with pytest.raises(TransientError, match="quota"):
            asyncio.run(caller.answer(backend, PROMPT))
        assert len(backend.prompts) - before >= attempts
    assert len(backend.prompts) - before == 1


def test_a_wait_beyond_the_patience_is_not_waited() -> None:
    def refuse(prompt: Prompt) -> str:
        raise TransientError("svc", "quota", "Wait.", throttled=True, retry_after=86_400.0)

    with pytest.raises(TransientError, match="quota"):
        asyncio.run(asyncio.wait_for(Caller().answer(ServedBackend(refuse), PROMPT), 5))


async def _hang(prompt: Prompt) -> str:
    await asyncio.Event().wait()
    return ""


def test_a_call_that_takes_too_long_is_ended_and_repeated() -> None:
    ended = 0

    async def slow(prompt: Prompt) -> str:
        nonlocal ended
        try:
            return await _hang(prompt)
        finally:
            ended += 1

    with pytest.raises(TransientError, match=r"no reply within 0\.02 s\nRaise `call_timeout`"):
        asyncio.run(Caller(QUICK).answer(ServedBackend(slow, timeout=0.02), PROMPT))
    assert ended == 3
    with pytest.raises(TransientError, match=r"within 0\.01 s"):
        asyncio.run(Caller(QUICK, timeout=0.01).answer(ServedBackend(slow), PROMPT))


def test_waiting_for_a_turn_is_not_part_of_a_calls_time() -> None:
    async def reply(prompt: Prompt) -> str:
        await asyncio.sleep(0.02)
        return "a"

    _served(Caller(QUICK, timeout=0.5), ServedBackend(reply, most=1), calls=40)


def test_a_key_that_a_service_repeats_is_taken_out_of_reply_and_error() -> None:
    secret = keep_secret("sk-0123456789")

    def fail(prompt: Prompt) -> str:
        raise RuntimeError(f"bad header: Bearer {secret}")

    assert _ask(ScriptedBackend([f"your key is {secret}"])).text == "your key is [key]"
    with pytest.raises(BackendError) as caught:
        _ask(ScriptedBackend(fail))
    assert secret not in str(caught.value)
    assert "Bearer [key]" in str(caught.value)


class _Readied(ServedBackend):
    """Notes when requests are made ready and when they are sent."""

    def __init__(self, *outcomes: str | BaseException, most: int = 2) -> None:
        super().__init__(most=most)
        self.ready = self.sent = 0
        self.held: list[int] = []
        self.outcomes = list(outcomes)

    async def prepare(self, prompt: Prompt) -> Callable[[], Awaitable[Reply]]:
        self.ready += 1

        async def send() -> Reply:
            self.held.append(self.ready - self.sent)
            await asyncio.sleep(0.001)
            self.sent += 1
            outcome = self.outcomes.pop(0) if self.outcomes else "a"
            if isinstance(outcome, BaseException):
                raise outcome
            return Reply(text=outcome, model="m")

        return send


def test_requests_are_ready_before_their_turn_and_not_too_many_of_them() -> None:
    backend = _Readied(most=2)
    _served(Caller(QUICK), backend, calls=20)
    assert backend.ready == backend.sent == 20
    # Two under way and, at most, two that wait; how many do depends on Python's event loop.
    assert 2 < max(backend.held) <= 4


def test_a_repeated_call_is_made_ready_again() -> None:
    backend = _Readied(_busy(), "yes")
    assert asyncio.run(Caller(QUICK).answer(backend, PROMPT)).text == "yes"
    assert (backend.ready, backend.sent) == (2, 2)


def test_what_cannot_be_made_ready_is_not_sent() -> None:
    class Cut(_Readied):
        async def prepare(self, prompt: Prompt) -> Callable[[], Awaitable[Reply]]:
            raise MediaError("a.mp4", "cut")

    backend = Cut()
    with pytest.raises(MediaError, match="cut"):
        asyncio.run(Caller(QUICK).answer(backend, PROMPT))
    assert backend.sent == 0
