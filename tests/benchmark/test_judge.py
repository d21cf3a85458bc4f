"""The optional judge: off by default, counted when it fails, never mixed with matching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lmms_eval")

from lmms_eval.evaluator import simple_evaluate
from lmms_eval.llm_judge import ProviderFactory, Response, ServerInterface

from aurelia_plugin.benchmark import judging
from aurelia_plugin.benchmark.judging import chosen_judge
from aurelia_plugin.benchmark.results import item_results
from aurelia_plugin.benchmark.scoring.verdicts import read_verdict
from aurelia_plugin.errors import ConfigError

from .handmade import ITEMS, make_home
from .stub import Stub, manager

_GEO = next(item for item in ITEMS if item.id == "g-2")
_CHOICE = next(item for item in ITEMS if item.id == "o-1")


class _Fake(ServerInterface):  # type: ignore[misc]
    reply: Callable[[str], Response] = staticmethod(lambda prompt: Response("yes", "fake"))
    available = True

    def is_available(self) -> bool:
        return self.available

    def evaluate(self, request: Any) -> Response:
        return type(self).reply(request.messages[0]["content"])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Fake]]:
    judging._judge.cache_clear()
    monkeypatch.setitem(ProviderFactory._provider_classes, "fake", _Fake)
    monkeypatch.setenv("AVREASONBENCH_JUDGE", "judge-1")
    monkeypatch.setenv("API_TYPE", "fake")
    yield _Fake
    judging._judge.cache_clear()


@pytest.mark.parametrize("value", ["", "off", "0", "none"])
def test_off_by_default(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVREASONBENCH_JUDGE", value)
    assert chosen_judge() is None
    assert not {"judge", "judged", "judge_failures"} & item_results(_GEO, "noodles").keys()


def test_a_verdict_stands_beside_the_match(
    fake: type[_Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def reply(prompt: str) -> Response:
        asked.append(prompt)
        return Response("Yes.", "fake")

    monkeypatch.setattr(fake, "reply", staticmethod(reply))
    results = item_results(_GEO, "Let me think.\nAnswer: long noodles")
    assert (results["judged"], results["judge_failures"], results["score"]) == (1.0, 0.0, 0.0)
    assert results["judge"]["model"] == "judge-1"
    assert len(results["judge"]["prompt_sha256"]) == 64
    assert "Right answers: Pasta; spaghetti\nReply: long noodles\n" in asked[0]
    assert "judge" not in item_results(_CHOICE, "B")
    assert len(asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Response("0, see rule 1", "fake"),
        Response("", "fake"),
        Response("yes and no", "fake"),
        Response("yes", "fake", success=False, error_message="quota"),
        RuntimeError("no connection"),
    ],
)
def test_failures_are_counted_and_never_scored(
    reply: Any, fake: type[_Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(prompt: str) -> Response:
        if isinstance(reply, Exception):
            raise reply
        return reply

    monkeypatch.setattr(fake, "reply", staticmethod(answer))
    results = item_results(_GEO, "Answer: pasta")
    assert results["judge_failures"] == 1.0
    assert "judged" not in results
    assert results["judge"]["problem"]
    assert results["score"] == 1.0


def test_an_empty_reply_is_wrong_without_asking(fake: type[_Fake]) -> None:
    assert item_results(_GEO, "<think>pasta</think>")["judged"] == 0.0


@pytest.mark.parametrize(
    ("reply", "right"),
    [("yes", True), (" No. ", False), ("**YES**", True), ("maybe", None), ("yes, but", None)],
)
def test_only_one_word_is_a_verdict(reply: str, right: bool | None) -> None:
    assert read_verdict(reply) is right


def test_what_cannot_judge_is_an_error_with_the_fix(
    fake: type[_Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "available", False)
    with pytest.raises(ConfigError, match=r"no key.*\n.*unset AVREASONBENCH_JUDGE"):
        chosen_judge()
    monkeypatch.setenv("API_TYPE", "nothing")
    with pytest.raises(ConfigError, match="Unknown API type"):
        chosen_judge()


def test_under_the_harness(
    fake: type[_Fake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [item for item in ITEMS if item.column == "geoiq"]
    monkeypatch.setenv("AVREASONBENCH_HOME", str(make_home(tmp_path, items)))
    verdicts = {"Which continent is the maker from?": "no", "Which food": "hm"}

    def reply(prompt: str) -> Response:
        return Response(next(v for text, v in verdicts.items() if text in prompt), "fake")

    monkeypatch.setattr(fake, "reply", staticmethod(reply))
    task = "avreasonbench_geoiq"
    results = simple_evaluate(
        model=Stub(lambda doc: f"Answer: {doc['answer']}"),
        tasks=[task],
        task_manager=manager(),
        bootstrap_iters=0,
        log_samples=True,
    )
    row = results["results"][task]
    assert (row["score,none"], row["judged,none"], row["judge_failures,none"]) == (1.0, 0.0, 0.5)
    assert [sample["judge"]["reply"] for sample in results["samples"][task]] == ["no", "hm"]
    judging._judge.cache_clear()
    monkeypatch.setattr(fake, "available", False)
    with pytest.raises(ConfigError, match="unset AVREASONBENCH_JUDGE"):
        manager().load_task_or_group([task])
