from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aurelia_plugin.calling.backend import Backend, Message, Preparing, Prompt, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.providers import BackendPool

PROMPT = Prompt((Message("user", (Text("What?"),)),))

ECHO = """\
class Echo:
    def __init__(self, times: int = 1, loud: bool = False, mark="."):
        self.times, self.loud, self.mark = times, loud, mark

    async def __call__(self, prompt):
        text = "".join(part.text for part in prompt.parts()) * self.times + self.mark
        return text.upper() if self.loud else text
"""

WHOLE = """\
from dataclasses import dataclass

from aurelia_plugin.calling.backend import Evidence, Reply, Usage


@dataclass
class Whole:
    name: str = "w"
    closed = False
    concurrency = 3

    @property
    def identity(self):
        return f"whole {self.name}"

    async def __call__(self, prompt):
        return Reply(text=self.name, usage=Usage(input_tokens=2), evidence=Evidence(clips=1))

    async def close(self):
        type(self).closed = True


class Named:
    def __init__(self):
        self.identity = "by itself"

    async def prepare(self, prompt):
        return lambda: self(prompt)

    async def __call__(self, prompt):
        return "said"


class NotAsync:
    def __call__(self, prompt):
        return "x"


class Nothing:
    pass


class Raises:
    def __init__(self):
        raise OSError("no such GPU")

    async def __call__(self, prompt): ...


function = 3
"""


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(ECHO)
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.py"
    path.write_text(WHOLE)
    return path


def _target(spec: str, **more: object) -> Backend:
    return BackendPool(spec, more).target


def _text(backend: Backend) -> str:
    return asyncio.run(Caller().answer(backend, PROMPT)).text


def test_a_class_with_a_call_is_a_backend_and_options_are_what_it_annotates(echo: Path) -> None:
    backend = _target(f"python:{echo}:Echo?times=2&loud=true", mark="!")
    assert isinstance(backend, Backend)
    assert not isinstance(backend, Preparing)
    assert _text(backend) == "WHAT?WHAT?!"
    assert backend.concurrency == 1
    asyncio.run(backend.close())


def test_the_identity_holds_the_files_content_and_the_options(echo: Path) -> None:
    spec = f"python:{echo}:Echo"
    first = _target(spec).identity
    assert first.startswith("python:own.py:Echo@")
    assert _target(spec).identity == first
    assert _target(f"{spec}?times=2").identity != first
    echo.write_text(ECHO.replace('"."', '"?"'))
    changed = _target(spec)
    assert changed.identity != first
    assert _text(changed) == "What??"


def test_what_a_class_brings_of_the_protocol_is_used(whole: Path) -> None:
    backend = _target(f"python:{whole}:Whole?name=x")
    assert backend.identity.endswith(" whole x")
    assert backend.concurrency == 3
    reply = asyncio.run(backend(PROMPT))
    assert (reply.text, reply.usage.input_tokens, reply.evidence.clips) == ("x", 2, 1)
    asyncio.run(backend.close())
    assert type(backend).closed  # type: ignore[attr-defined]
    named = _target(f"python:{whole}:Named")
    assert named.identity.endswith(" by itself")
    assert isinstance(named, Preparing)
    assert _text(named) == "said"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nowhere.py:Echo", "there is no file nowhere.py"),
        ("{whole}", "there is no file|names no class"),
        ("{whole}:", "names no class|there is no file"),
        ("{whole}:Missing", "no class 'Missing'[^$]*Whole, Named, NotAsync, Nothing"),
        ("{whole}:function", "no class 'function'"),
        ("{whole}:Nothing", "is no backend: it has no `async def __call__"),
        ("{whole}:NotAsync", "is no backend"),
        ("{whole}:Raises", "cannot be made: OSError: no such GPU"),
        ("{whole}:Whole?size=3", "takes no option size[^$]*name"),
        ("{echo}:Echo?times=many", "times='many': Input should be a valid integer"),
        ("{broken}:Echo", "cannot be run: ModuleNotFoundError: No module named 'not_there'"),
    ],
)
def test_what_is_wrong_is_said(
    spec: str, words: str, echo: Path, whole: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import not_there")
    with pytest.raises(ConfigError, match=words):
        _target("python:" + spec.format(echo=echo, whole=whole, broken=broken))
