"""What servers put into HTTP 200: answers, failures that may pass, and refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aurelia_plugin.calling.backend import Usage
from aurelia_plugin.errors import BackendError, TransientError
from aurelia_plugin.model_wrappers.openai.replies import Completion, read_completion


def _read(body: Any) -> Completion:
    content = body if isinstance(body, str) else json.dumps(body)
    return read_completion(content, "svc", secret="s3cret-of-the-service")


def _said(content: Any = "Answer: A", finish: Any = "stop", **message: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **message}
    return {"model": "m", "choices": [{"message": message, "finish_reason": finish}]}


@pytest.mark.parametrize(
    "body",
    [
        _said(),
        _said(finish=None),
        _said(finish="eos_token"),
        {**_said(), "error": None},
        {**_said(), "error": {}},
        _said([{"text": "Answer: A"}, {"type": "image_url"}]),
        _said([{"type": "text", "text": "Answer: "}, {"type": "output_text", "text": "A"}]),
        _said([{"type": "thinking", "thinking": [{"type": "text", "text": "B?"}]},
               {"type": "text", "text": "Answer: A"}]),
        _said([{"type": "text", "text": {"value": "Answer: A", "annotations": []}}]),
        _said(reasoning_content="B? No.", tool_calls=[]),
    ],
)  # fmt: skip
def test_an_answer_is_read_wherever_its_text_stands(body: Any) -> None:
    assert _read(body).text == "Answer: A"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (_said("half of it", "abort"), "broke the reply off"),
        (_said("", "aborted"), "broke the reply off"),
        (_said("B", "error"), "broke the reply off"),
        (_said("B", "ERROR"), "broke the reply off"),
        (_said("B", "network_error"), "broke the reply off"),
        (_said("B", "cancelled"), "broke the reply off"),
        (_said("B", "insufficient_system_resource"), "broke the reply off"),
        ({"choices": [{"error": {"code": 502, "message": "died"}, "finish_reason": "error",
                       "message": {"content": "B"}}]}, "HTTP 502: died"),
        ({"error": {"message": "upstream rate limited", "code": 429}}, "upstream rate limited"),
        ({"error": {"message": "gone", "code": "503"}, "choices": None}, "HTTP 503: gone"),
        ({"error": "overloaded"}, "overloaded"),
        ({"error": {"type": "overloaded_error", "message": "busy"}}, "busy: overloaded_error"),
        ({"error": {"message": "", "metadata": {"raw": "no capacity"}}}, "no capacity"),
        ({"type": "error", "error": {"message": "busy"}}, "busy"),
        ({"object": "error", "message": "engine dead", "code": 500}, "HTTP 500: engine dead"),
        ({"errors": [{"message": "a"}, {"message": "b", "code": 504}], "success": False}, "a; b"),
        ({"code": 529, "msg": "come back"}, "HTTP 529: come back"),
        ({**_said("B"), "error": {"message": "timed out"}}, "timed out"),
        ("<html>502 Bad gateway</html>", "not JSON: '<html>502"),
        ('data: {"choices": []}', "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)  # fmt: skip
def test_what_may_pass_is_tried_again_with_the_servers_words(body: Any, words: str) -> None:
    with pytest.raises(TransientError) as caught:
        _read(body)
    assert words in caught.value.what
    assert not caught.value.throttled


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (_said(""), "no text (finish reason stop)"),
        (_said(" \n"), "no text"),
        (_said([]), "no text"),
        (_said(None, "length", reasoning_content="hmm"), "was thinking"),
        (_said("<think>B? no", "length"), "was thinking"),
        (_said(None, "tool_calls", tool_calls=[{"id": "1"}]), "only calls tools"),
        (_said("B", "content_filter"), "refused: content filter"),
        (_said("B", "SAFETY"), "refused: safety"),
        (_said("B", "sensitive"), "refused: sensitive"),
        (_said(None, refusal="I can't."), "refused: I can't."),
        (_said([{"type": "refusal", "refusal": "No."}]), "refused: No."),
        ({"choices": None}, "no choice"),
        ({"choices": [None]}, "no choice"),
        ({"choices": {}}, "no choice"),
        ({"detail": "Not here"}, "no choice: Not here"),
        ({"error": {"code": 400, "message": "context length"}}, "HTTP 400: context length"),
        ({"error": {"message": "key s3cret-of-the-service is invalid"}}, "key [key] is invalid"),
        ({"error": {"code": 401, "message": "s3cret-of-the-service"}}, "HTTP 401: [key]"),
        ({"error": {"code": "insufficient_quota", "message": "pay"}}, "pay: insufficient_quota"),
        ([1], "no completion"),
        ("null", "no completion"),
    ],
)
def test_what_will_not_pass_is_a_failure_at_once(body: Any, words: str) -> None:
    with pytest.raises(BackendError) as caught:
        _read(body)
    assert words in caught.value.what
    assert not isinstance(caught.value, TransientError)


def test_a_cut_answer_is_an_answer_and_is_marked() -> None:
    cut = _read(_said("<think>B?</think>Answer: A beca", "length"))
    assert cut.cut
    assert cut.text.endswith("beca")
    assert not _read(_said()).cut


def test_what_the_service_found_again_is_counted() -> None:
    usage = {
        "prompt_tokens": 2000,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    }
    assert _read({**_said(), "usage": usage}).usage.cached_tokens == 1920
    assert _read({**_said(), "usage": {**usage, "prompt_tokens_details": None}}).usage == Usage(
        input_tokens=2000, output_tokens=5
    )
