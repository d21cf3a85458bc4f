from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from making import question

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Text, Usage
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend, ScriptedOptions, open_backend


def _ask(backend: ScriptedBackend, text: str = "Who rings?") -> str:
    return asyncio.run(backend(question(text).prompt())).text


def test_texts_are_served_in_turn_and_then_it_ends() -> None:
    backend = ScriptedBackend(["a", "b"], identity="mine")
    assert [_ask(backend), _ask(backend)] == ["a", "b"]
    with pytest.raises(ConfigError, match="mine: no rule fits, and all 2 texts are served"):
        _ask(backend)


def test_the_first_rule_that_fits_goes_before_texts() -> None:
    backend = ScriptedBackend(
        ["text", {"contains": "rings", "reply": "a bell"}, {"contains": "Who", "error": "tired"}]
    )
    assert _ask(backend, "Who rings?") == "a bell"
    assert _ask(backend, "What?") == "text"
    with pytest.raises(BackendError, match="tired"):
        _ask(backend, "Who?")
    assert _ask(ScriptedBackend([{"reply": "always"}])) == "always"


def test_a_callable_may_give_text_a_reply_or_wait() -> None:
    async def later(prompt: Prompt) -> str:
        await asyncio.sleep(0)
        return "later"

    made = Reply(text="made", usage=Usage(output_tokens=9), model="m")
    assert _ask(ScriptedBackend(lambda prompt: "now")) == "now"
    assert _ask(ScriptedBackend(later)) == "later"
    assert asyncio.run(ScriptedBackend(lambda p: made)(question().prompt())) is made


def test_it_keeps_what_was_asked_and_counts_words() -> None:
    backend = ScriptedBackend(["one two three"], identity="mine")
    prompt = question("Who rings?").prompt()
    reply = asyncio.run(backend(prompt))
    assert backend.prompts == [prompt]
    assert (reply.usage, reply.model) == (Usage(input_tokens=2, output_tokens=3), "mine")


def test_it_ends_where_the_task_says() -> None:
    prompt = Prompt((Message("user", (Text("Who?"),)),), Generation(until=("\n",)))
    assert asyncio.run(ScriptedBackend(["a\nb"])(prompt)).text == "a"


def _file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "replies.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_is_named_by_its_content(tmp_path: Path) -> None:
    options = ScriptedOptions()
    backend = open_backend(_file(tmp_path, "- ä\n- {contains: rings, reply: a bell}\n"), options)
    assert (_ask(backend), _ask(backend, "What?")) == ("a bell", "ä")
    other = open_backend(_file(tmp_path, "- b\n"), options)
    assert other.identity != backend.identity
    assert str(tmp_path) not in backend.identity


@pytest.mark.parametrize(
    "text",
    [
        "a: b",
        "- [a]",
        "- {contains: a}",
        "- {reply: a, error: b}",
        "- {replies: a}",
        "- {reply: 3}",
        "- 3",
        "a: [",
        "",
        "\x00",
    ],
)
def test_what_is_no_script_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"replies\.yaml"):
        open_backend(_file(tmp_path, text), ScriptedOptions())


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"scripted:.*none\.yaml"):
        open_backend(str(tmp_path / "none.yaml"), ScriptedOptions())


def test_equal_entries_are_not_shared_between_callers() -> None:
    async def ask(backend: ScriptedBackend) -> list[Any]:
        return await asyncio.gather(*(backend(question().prompt()) for _ in range(50)))

    replies = asyncio.run(ask(ScriptedBackend([str(n) for n in range(50)])))
    assert [reply.text for reply in replies] == [str(n) for n in range(50)]
