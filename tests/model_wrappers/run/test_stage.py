"""What a run's settings become with the catalogue's rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.catalogue import Row, rows
from aurelia_plugin.model_wrappers.run.run import Run
from aurelia_plugin.model_wrappers.run.stage import require_able_evaluator, resolved
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend


def _prompts(**given: object) -> str | None:
    return resolved(given).settings.prompts


@pytest.mark.parametrize("agents", ["embedded", "aurelia_embedded", "embedded?max_frames=8"])
def test_agents_named_by_a_catalogue_id_bring_its_prompts(agents: str) -> None:
    assert _prompts(target="scripted:x.yaml", agents=agents) == "embedded"
    assert _prompts(target="scripted:x.yaml", agents=agents, prompts="paper") == "paper"


def test_agents_that_are_no_rows_bring_none() -> None:
    assert _prompts(target="scripted:x.yaml", agents="scripted:y.yaml") is None
    assert _prompts(target="scripted:x.yaml") is None
    assert _prompts(target="scripted:x.yaml", reasoner="an identity: with ? and = anything") is None


def test_the_targets_row_goes_first() -> None:
    assert _prompts(target="embedded", agents="scripted:y.yaml") == "embedded"
    assert _prompts(target="embedded") == "embedded"


def test_a_target_with_little_room_brings_its_prompts_only_as_its_own_agent() -> None:
    assert _prompts(target="crema") == "short"
    assert _prompts(target="crema", prompts="default") == "default"
    assert _prompts(target="crema", agents="scripted:y.yaml") is None
    assert _prompts(target="scripted:x.yaml", agents="crema") == "short"


@pytest.mark.parametrize("known", [r for r in rows().values() if r.backend], ids=lambda r: r.id)
def test_a_row_with_no_more_than_2048_tokens_is_asked_shortly(known: Row) -> None:
    little = known.context is not None and known.context <= 2048
    assert (known.prompts == "short") == little


def test_agents_whose_rows_bring_different_prompts_are_an_error() -> None:
    with pytest.raises(ConfigError, match="reasoner: embedded, summarizer: none, evaluator: none"):
        _prompts(target="scripted:x.yaml", agents="scripted:y.yaml", reasoner="embedded")


def _row(lacking: tuple[str, ...]) -> Row:
    return next(row for row in rows().values() if row.takes.lacking == lacking)


@pytest.mark.parametrize("lacks", ["picture", "sound"])
def test_an_evaluator_that_lacks_a_sense_is_refused_unless_asked_for(lacks: str) -> None:
    row = _row((lacks,))
    settings = resolved({"target": "embedded", "evaluator": row.id, "prompts": "default"}).settings
    with pytest.raises(ConfigError, match=f"takes no {lacks}") as caught:
        require_able_evaluator(settings, row.takes)
    assert "blind_evaluator=accept" in caught.value.fix
    accepted = settings.model_copy(update={"blind_evaluator": "accept"})
    require_able_evaluator(accepted, row.takes)


def test_one_that_sees_and_hears_or_is_not_known_is_accepted() -> None:
    settings = resolved({"target": "embedded"}).settings
    require_able_evaluator(settings, rows()["embedded"].takes)
    require_able_evaluator(settings, None)


class Deaf(ScriptedBackend):
    """A backend that says of itself that it takes no sound."""

    takes = Capabilities(soundtrack="none", sounds=0)


def test_a_run_asks_the_backend_of_its_own_evaluator(tmp_path: Path) -> None:
    deaf = Deaf(lambda prompt: "9", identity="deaf")
    able = ScriptedBackend(lambda prompt: "9", identity="able")
    with pytest.raises(ConfigError, match="takes no sound"):
        Run({"target": deaf, "traces": str(tmp_path)})
    with pytest.raises(ConfigError, match="takes no sound"):
        Run({"target": able, "evaluator": deaf, "traces": str(tmp_path)})
    Run({"target": deaf, "evaluator": able, "traces": str(tmp_path)})
    Run({"target": deaf, "traces": str(tmp_path), "condition": "none"})
    Run({"target": deaf, "traces": str(tmp_path), "blind_evaluator": "accept"})
