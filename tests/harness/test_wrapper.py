"""The lmms-eval model seen from the harness's side."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lmms_eval.api.instance import Instance
from making import text_of

from aurelia_plugin.calling.backend import Prompt
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers import aurelia as module
from aurelia_plugin.model_wrappers import catalogue
from aurelia_plugin.model_wrappers.aurelia import Aurelia
from aurelia_plugin.model_wrappers.harness.instances import read_generation, read_request
from aurelia_plugin.model_wrappers.one_by_one import OneByOne
from aurelia_plugin.model_wrappers.run import run as run_module
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend


def instance(doc_id: int, *, padding: bool = False, **arguments: Any) -> Instance:
    def messages(doc: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [{"type": "text", "text": doc["question"]}]}]

    given = ("context", messages, {"max_new_tokens": 4, "until": ["\n\n"]}, doc_id, "t", "test")
    metadata = {"task": "t", "doc_id": doc_id, "repeats": 1}
    if padding:
        metadata["__padding_only__"] = True
    return Instance("generate_until", arguments.get("arguments", given), 0, metadata)


def model(tmp_path: Path, target: Any, **settings: Any) -> Aurelia:
    made = Aurelia(target=target, traces=str(tmp_path), **{"condition": "none", **settings})
    made.task_dict["t"] = {"test": [{"question": f"Number {index}?"} for index in range(20)]}
    return made


def echo(prompt: Prompt) -> str:
    return text_of(prompt)


def test_answers_come_in_the_order_of_the_requests(tmp_path: Path) -> None:
    async def slow_for_even(prompt: Prompt) -> str:
        number = int(text_of(prompt).split()[1].rstrip("?"))
        await asyncio.sleep(0.02 if number % 2 == 0 else 0)
        return str(number)

    order = [5, 2, 9, 0, 4]
    answers = model(tmp_path, ScriptedBackend(slow_for_even)).generate_until(
        [instance(index) for index in order]
    )
    assert [answer.text for answer in answers] == [str(index) for index in order]
    assert all(answer.token_counts.output_tokens == 1 for answer in answers)


def test_padding_is_not_asked(tmp_path: Path) -> None:
    target = ScriptedBackend(echo)
    answers = model(tmp_path, target).generate_until([instance(1), instance(1, padding=True)])
    assert [answer.text for answer in answers] == ["Number 1?", ""]
    assert len(target.prompts) == 1


def test_equal_greedy_requests_are_asked_and_reasoned_about_once(tmp_path: Path) -> None:
    reasoner = ScriptedBackend(lambda prompt: '{"steps": ["Look."], "answers": ["x"]}')
    target = ScriptedBackend(echo)
    wrapped = model(
        tmp_path,
        target,
        condition="aurelia",
        reasoner=reasoner,
        summarizer=ScriptedBackend(lambda prompt: "A caption."),
        evaluator=ScriptedBackend(lambda prompt: '{"score": 9}'),
    )
    one = instance(3)
    texts = [result.text for result in wrapped.generate_until([one, one, one])]
    assert len(set(texts)) == 1
    assert len(reasoner.prompts) == 1
    assert len(target.prompts) == 1


def test_it_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    wrapped = model(tmp_path, ScriptedBackend(echo))

    async def server() -> str:
        return str(wrapped.generate_until([instance(7)])[0].text)

    assert asyncio.run(server()) == "Number 7?"


def test_what_is_not_offered_says_what_to_use(tmp_path: Path) -> None:
    wrapped = model(tmp_path, ScriptedBackend(echo))
    with pytest.raises(NotImplementedError, match="generate_until"):
        wrapped.loglikelihood([])
    with pytest.raises(NotImplementedError, match="generate_until"):
        wrapped.generate_until_multi_round([])


def test_requests_in_another_form_are_refused() -> None:
    simple: tuple[object, ...] = ("context", {}, lambda doc: [], 0, "t", "test")
    with pytest.raises(ConfigError, match="another form"):
        read_request(instance(0, arguments=simple))


def test_generation_settings_are_read_and_the_rest_is_reported() -> None:
    given = {"max_new_tokens": 7, "until": ["\n\n", "###"], "temperature": 0.5, "do_sample": True}
    generation, unread = read_generation({**given, "image_aspect_ratio": "x"}, seed=3)
    assert (generation.max_new_tokens, generation.until, generation.seed) == (7, ("###",), 3)
    assert generation.temperature == 0.5
    assert unread == {"image_aspect_ratio"}


@pytest.mark.parametrize(
    ("settings", "temperature"),
    [
        ({}, 0.0),
        ({"temperature": 0}, 0.0),
        ({"temperature": 0.7}, 0.7),
        ({"temperature": 0.7, "do_sample": False}, 0.0),
        ({"do_sample": True}, 1.0),
    ],
)
def test_sampling_is_on_only_when_the_task_says_so(
    settings: dict[str, Any], temperature: float
) -> None:
    assert read_generation(settings, 0)[0].temperature == temperature


@pytest.mark.parametrize(
    "name", ["temperature", "top_p", "top_k", "num_beams", "max_new_tokens", "max_gen_toks"]
)
@pytest.mark.parametrize("value", [float("nan"), float("-inf"), "warm", [0.5], {"a": 1}, 10**400])
def test_a_setting_that_is_no_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        read_generation({"do_sample": True, name: value}, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"treshold": 3}, "treshold"),
        ({"threshold": 11}, "threshold"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"condition": "zero"}, "condition"),
        ({"target": "no_such_model"}, "no_such_model"),
        ({"target": "nowhere:model"}, "nowhere"),
        ({"prompts": "no/such/folder"}, "no/such/folder"),
        ({"condition": "precomputed"}, "precomputed"),
        ({"config_digest": "x0"}, "config_digest"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(
    tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        Aurelia(**{"target": "embedded", "traces": str(tmp_path), **settings})
    assert caught.value.fix == str(caught.value).splitlines()[-1]


def test_without_target_the_fix_names_both_ways() -> None:
    with pytest.raises(ConfigError, match="No target") as caught:
        Aurelia()
    assert "aurelia_embedded" in caught.value.fix


def test_each_catalogue_row_has_a_class_of_its_own() -> None:
    assert module.Aurelia_embedded.default_target == "embedded"
    assert module.Aurelia_embedded is module.Aurelia_embedded
    assert issubclass(module.Aurelia_embedded, Aurelia)
    with pytest.raises(AttributeError):
        _ = module.Something


def test_the_harness_default_batch_size_does_not_override_the_catalogue(tmp_path: Path) -> None:
    def size(target: str = "embedded", **flags: Any) -> int:
        made = Aurelia(target=target, traces=str(tmp_path), condition="none", **flags)
        target_: Any = made.run.target
        return int(target_.options.batch_size)

    default = size()
    assert default > 1
    assert size(batch_size=1) == default  # what the harness passes when no flag is given
    assert size(batch_size="3") == 3
    assert size("embedded?batch_size=2", batch_size="3") == 2


def test_a_changed_settings_file_is_noticed_by_its_digest(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    (prompts / "cot.jinja").write_text("Think.")
    settings: dict[str, Any] = {
        "target": ScriptedBackend(echo),
        "traces": str(tmp_path / "traces"),
        "condition": "cot",
        "prompts": str(prompts),
    }
    digest = Aurelia(**settings).run.config_digest
    assert digest is not None
    Aurelia(**settings, config_digest=digest)
    (prompts / "cot.jinja").write_text("Think again.")
    with pytest.raises(ConfigError, match="does not match"):
        Aurelia(**settings, config_digest=digest)


def test_cot_keeps_the_answer_form_last(tmp_path: Path) -> None:
    target = ScriptedBackend(echo)
    model(tmp_path, target, condition="cot").generate_until([instance(4)])
    text = text_of(target.prompts[0])
    assert "step by step" in text
    assert text.endswith("Number 4?")


def test_clean_without_a_question_writes_no_record(tmp_path: Path) -> None:
    model(tmp_path, ScriptedBackend(echo)).clean()
    assert not list((tmp_path / "runs").iterdir())


def test_the_record_says_what_was_run(tmp_path: Path) -> None:
    wrapped = model(tmp_path, ScriptedBackend(echo), seed=5)
    wrapped.generate_until([instance(0), instance(1)])
    wrapped.clean()
    (path,) = (tmp_path / "runs").glob("*_none.json")
    record = SimpleNamespace(**json.loads(path.read_text()))
    assert record.condition == "none"
    assert record.n == 2
    assert record.settings["seed"] == 5
    assert record.by_category["t"]["n"] == 2
    assert record.prompts["cot.jinja"]
    assert record.target == "scripted"
    items = [json.loads(line) for line in path.with_suffix(".items.jsonl").open()]
    assert [item["id"].rpartition("/")[2] for item in items] == ["0", "1"]
    assert all(item["content"] and item["failed"] is None for item in items)


def test_the_catalogue_decides_whether_sounds_are_asked_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(clips: int | None) -> object:
        own = catalogue.row("embedded")
        changed = own.model_copy(update={"hears": catalogue.Hears(soundtrack=True, clips=clips)})
        monkeypatch.setattr(run_module, "row", lambda _: changed)
        made = Aurelia(target="embedded", traces=str(tmp_path), condition="none")
        return made.run._adapted()

    assert isinstance(asked(1), OneByOne)
    assert not isinstance(asked(None), OneByOne)
