"""Providers and adapters of other packages, found as pip leaves them on the path."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from installing import Install, installing

from aurelia_plugin.calling.backend import Message, Prompt, Text
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.providers import BackendPool, provider_names
from aurelia_plugin.model_wrappers.sidecar.facts import adapter_facts, adapters

PROVIDER = """\
from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.model_wrappers.options import BackendOptions


class OPTIONS(BackendOptions):
    mark: str = "!"


class Backend:
    concurrency = 1

    def __init__(self, model, options):
        self.identity, self.options = f"lab:{model}", options

    async def __call__(self, prompt):
        return Reply(text=self.identity + self.options.mark)

    async def close(self): ...


def open_backend(model, options):
    return Backend(model, options)
"""

ADAPTER = """\
raise RuntimeError("an adapter is run in its own environment, not here")
SYSTEM = "Lab-1B"
CAPABILITIES = {"sees": ["frames"], "soundtrack": True, "clips": 2, "seconds": 9, "joint": "yes"}
def load(options): ...
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    yield from installing(tmp_path, monkeypatch)


def test_a_provider_of_another_package_is_used_like_a_packaged_one(install: Install) -> None:
    points = "[aurelia.providers]\nlab = lab_provider.backend\n"
    install("labby", points, {"lab_provider/__init__.py": "", "lab_provider/backend.py": PROVIDER})
    assert "lab" in provider_names()
    backend = BackendPool("lab:m-1?mark=?", {}).target
    prompt = Prompt((Message("user", (Text("q"),)),))
    assert asyncio.run(backend(prompt)).text == "lab:m-1?"
    with pytest.raises(ConfigError, match="This backend's options: mark"):
        BackendPool("lab:m-1?x=1", {})


def test_broken_ones_are_warnings_that_name_package_and_cause(
    install: Install, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    points = (
        "[aurelia.providers]\nraises = bad_one\ngone = not_installed_here\nempty = bad_two\n"
        "scripted = bad_two\n[aurelia.sidecars]\nlost = not_installed_here.adapter\n"
    )
    install("badly", points, {"bad_one.py": "1 / 0", "bad_two.py": ""})
    script = tmp_path / "r.yaml"
    script.write_text("[a]")
    for _ in range(2):
        BackendPool(f"scripted:{script}", {})
        assert adapters()
    said = [record.getMessage() for record in caplog.records]
    assert sorted(said) == [
        "aurelia.providers 'empty' is left out: badly: TypeError: bad_two has no OPTIONS and no "
        "open_backend",
        "aurelia.providers 'gone' is left out: badly: ModuleNotFoundError: No module named "
        "'not_installed_here'",
        "aurelia.providers 'raises' is left out: badly: ZeroDivisionError: division by zero",
        "aurelia.providers 'scripted' is left out: badly: the name is taken",
        "aurelia.sidecars 'lost' is left out: badly: ModuleNotFoundError: No module named "
        "'not_installed_here'",
    ]
    with pytest.raises(ConfigError, match="'raises' cannot be used: badly: ZeroDivisionError"):
        BackendPool("raises:m", {})
    with pytest.raises(ConfigError, match="no backend provider 'nobody'"):
        BackendPool("nobody:m", {})


@pytest.mark.parametrize("value", ["lab_adapters.one", "lab_adapters:PLACE"])
def test_an_adapter_of_another_package_is_found_and_not_run(install: Install, value: str) -> None:
    start = "from pathlib import Path\nPLACE = Path(__file__).parent / 'one.py'\n"
    files = {"lab_adapters/__init__.py": start, "lab_adapters/one.py": ADAPTER}
    install("labby", f"[aurelia.sidecars]\nlab = {value}\n", files)
    facts = adapter_facts("lab")
    assert facts.system == "Lab-1B"
    assert facts.path.name == "one.py"
    assert (facts.takes.video, facts.takes.sounds, facts.takes.sound_seconds) == ("images", 2, 9)


def _examples() -> list[str]:
    text = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_examples_of_the_documentation_run(install: Install, tmp_path: Path) -> None:
    own, provider, adapter = (
        next(e for e in _examples() if f"# {name}" in e)
        for name in ("mine.py", "lab/backend.py", "lab/adapter.py")
    )
    points = "[aurelia.providers]\nlab = lab.backend\n[aurelia.sidecars]\nlab7b = lab.adapter\n"
    made = (
        "\n\nclass LabBackend:\n    def __init__(self, model, frames):\n        self.n = frames\n"
    )
    files = {"lab/__init__.py": "", "lab/backend.py": provider + made, "lab/adapter.py": adapter}
    install("lab-package", points, files)
    assert getattr(BackendPool("lab:m?frames=8", {}).target, "n", None) == 8
    assert adapter_facts("lab7b").system == "Lab-7B"
    (tmp_path / "mine.py").write_text(own)
    backend = BackendPool(f"python:{tmp_path / 'mine.py'}:Counts?at_most=9", {}).target
    assert asyncio.run(backend(Prompt((Message("user", (Text("q"),)),)))).text == "Answer: 0"
    assert all(len(example.splitlines()) <= 18 for example in _examples())
