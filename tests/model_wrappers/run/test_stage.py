"""What a run's settings become with the catalogue's rows."""

from __future__ import annotations

import pytest

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.catalogue import rows
from aurelia_plugin.model_wrappers.run.stage import require_able_evaluator, resolved


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


def test_agents_whose_rows_bring_different_prompts_are_an_error() -> None:
    with pytest.raises(ConfigError, match="reasoner: embedded, summarizer: none, evaluator: none"):
        _prompts(target="scripted:x.yaml", agents="scripted:y.yaml", reasoner="embedded")


def _lacking(sees: bool, hears: bool) -> str:
    return next(
        id_
        for id_, row in rows().items()
        if bool(row.sees) == sees and (row.hears.soundtrack or row.hears.clips != 0) == hears
    )


@pytest.mark.parametrize(("sees", "hears", "said"), [(True, False, "hear"), (False, True, "see")])
def test_an_evaluator_that_lacks_a_sense_is_refused_unless_asked_for(
    sees: bool, hears: bool, said: str
) -> None:
    lacking = _lacking(sees, hears)
    for given in (
        {"target": "embedded", "evaluator": lacking},
        {"target": "embedded", "agents": f"aurelia_{lacking}", "prompts": "default"},
        {"target": lacking},
    ):
        with pytest.raises(ConfigError, match=f"does not {said}") as caught:
            require_able_evaluator(resolved(given).settings)
        assert "blind_evaluator=accept" in caught.value.fix
        require_able_evaluator(resolved({**given, "blind_evaluator": "accept"}).settings)


def test_one_that_sees_and_hears_or_is_not_known_is_accepted() -> None:
    require_able_evaluator(resolved({"target": "embedded"}).settings)
    lacking = _lacking(True, False)
    require_able_evaluator(resolved({"target": lacking, "agents": "embedded"}).settings)
    require_able_evaluator(resolved({"target": lacking, "evaluator": "openai:m"}).settings)
