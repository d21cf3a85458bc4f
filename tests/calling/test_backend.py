from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from making import beep, question

from aurelia_plugin.calling.backend import (
    Backend,
    Generation,
    Message,
    Prompt,
    Reply,
    Sampling,
    Text,
    Usage,
    cut_at,
)
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend

PROMPT = Prompt((Message("user", (beep(), Text("Who?"))),))


@pytest.mark.parametrize(
    "change",
    [
        {"messages": (Message("user", (beep(), Text("Who!"))),)},
        {"messages": (Message("user", (Text("Who?"), beep())),)},
        {"messages": (Message("user", (beep(880), Text("Who?"))),)},
        {"messages": (Message("system", (beep(), Text("Who?"))),)},
        {"messages": (Message("user", (beep(),)), Message("user", (Text("Who?"),)))},
        {"sampling": Sampling("uniform", 5)},
        {"schema": {"type": "object"}},
    ]
    + [
        {"generation": replace(Generation(), **{name: value})}  # type: ignore[arg-type]
        for name, value in {
            "max_new_tokens": 1,
            "temperature": 0.5,
            "top_p": 0.5,
            "top_k": 3,
            "num_beams": 2,
            "until": ("a",),
            "seed": 1,
        }.items()
    ],
    ids=lambda change: str(change)[:60],
)
def test_all_that_can_change_a_reply_moves_the_digest(change: dict[str, Any]) -> None:
    assert replace(PROMPT, **change).digest() != PROMPT.digest()


def test_equal_prompts_have_equal_digests() -> None:
    again = Prompt((Message("user", (beep(), Text("Who?"))),))
    assert again.digest() == PROMPT.digest()
    assert PROMPT.clip.media == (beep(),)


def test_asking_again_goes_on_with_the_conversation() -> None:
    again = question().prompt().asking_again("hm", "Say it again.")
    assert [m.role for m in again.messages] == ["user", "assistant", "user"]
    assert again.messages[:1] == question().messages
    assert again.generation == question().generation


@pytest.mark.parametrize(
    ("text", "until", "left"),
    [
        ("a\n\nb", ("\n\n",), "a"),
        ("abc", ("c", "b"), "a"),
        ("abc", (), "abc"),
        ("abc", ("", "x"), "abc"),
        ("abc", ("a",), ""),
    ],
)
def test_a_reply_ends_at_the_first_stop(text: str, until: tuple[str, ...], left: str) -> None:
    assert cut_at(text, until) == left


def test_usage_adds_up() -> None:
    assert Usage(input_tokens=1, output_tokens=2) + Usage(input_tokens=3) == (
        Usage(input_tokens=4, output_tokens=2)
    )


def test_a_reply_can_be_stored_whatever_it_says() -> None:
    reply = Reply(text="cut emoji \ud83d")
    assert reply.text == "cut emoji ?"
    assert Reply.model_validate_json(reply.model_dump_json()) == reply


def test_a_script_is_a_backend() -> None:
    assert isinstance(ScriptedBackend([]), Backend)
    assert not isinstance(len, Backend)
