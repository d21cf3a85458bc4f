"""The wrapper under lmms-eval itself, with tasks that know nothing of this plugin."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager
from making import score, steps, text_of
from media.conftest import MakeSound, MakeVideo, tone

from aurelia_plugin.calling.backend import Prompt, Text
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.model_wrappers.aurelia import Aurelia
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.registration import tasks_path

FLAGS = ("apply_chat_template", "cache_requests", "num_fewshot", "system_instruction")
TASKS = Path(__file__).parent / "tasks"
KINDS = {
    "array": "a",
    "decoder": "b",
    "wav": "c",
    "webm_sound": "d",
    "webm_video": "e",
    "image_and_sound": "f",
    "text": "g",
}


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    make_sound: MakeSound,
    make_video: MakeVideo,
) -> Callable[..., dict[str, Any]]:
    make_sound("tone.wav", tone(1.0))
    make_sound("tone.webm", tone(1.0, 48_000), codec="libopus", rate=48_000)
    make_video(
        "clip.webm",
        sound=tone(2.0, 48_000),
        codec="libvpx",
        sound_codec="libopus",
        sound_rate=48_000,
    )
    monkeypatch.setenv("ANY_MEDIA", str(tmp_path))
    monkeypatch.chdir(TASKS)

    def evaluate(target: ScriptedBackend, **settings: Any) -> dict[str, Any]:
        limit = settings.pop("limit", None)
        task = settings.pop("task", "any_media")
        flags = {key: settings.pop(key) for key in FLAGS if key in settings}
        model = Aurelia(target=target, traces=str(tmp_path / "traces"), **settings)
        manager = TaskManager(include_path=str(TASKS), include_defaults=False)
        results = simple_evaluate(
            model=model,
            tasks=[task],
            task_manager=manager,
            limit=limit,
            log_samples=True,
            **flags,
        )
        (record,) = (tmp_path / "traces" / "runs").glob("*.json")
        return {"results": results, "record": json.loads(record.read_text())}

    return evaluate


def kind_of(prompt: Prompt) -> str:
    return text_of(prompt).rpartition("What is in this ")[2].partition("?")[0]


def answering(prompt: Prompt) -> str:
    return KINDS[kind_of(prompt)]


def test_every_form_of_medium_reaches_the_target_as_what_it_is(run: Any) -> None:
    target = ScriptedBackend(answering)
    done = run(target, condition="none")
    assert done["results"]["results"]["any_media"]["score,none"] == 1.0
    kinds = {kind_of(p): [medium.kind for medium in p.clip.media] for p in target.prompts}
    assert kinds == {
        "array": ["audio"],
        "decoder": ["audio"],
        "wav": ["audio"],
        "webm_sound": ["audio"],
        "webm_video": ["video"],
        "image_and_sound": ["image", "audio"],
        "text": [],
    }
    for prompt in target.prompts:
        for medium in prompt.clip.audios + prompt.clip.videos:
            sound = waveform(medium)
            assert sound is not None
            assert np.abs(sound.samples).max() > 0.1


def test_condition_none_makes_no_agent_call(run: Any) -> None:
    done = run(ScriptedBackend(answering), condition="none")
    assert done["record"]["calls"] == {"reasoner": 0, "summarizer": 0, "evaluator": 0}
    assert done["record"]["n"] == len(KINDS)
    assert done["record"]["accepted"] == 0


def team(prompt: Prompt) -> str:
    text = text_of(prompt)
    if '"steps"' in text:
        return steps(f"Listen to the {kind_of_question(text)}.", answers=["It rings."])
    if "Turn the notes" in text:
        return f"A {kind_of_question(text)} rings."
    if "whole number from 1" in text:
        return score(8)
    return answering(prompt)


def kind_of_question(text: str) -> str:
    return text.partition("What is in this ")[2].partition("?")[0]


def test_the_whole_path_with_one_model_in_every_role(run: Any) -> None:
    target = ScriptedBackend(team)
    done = run(target, condition="aurelia")
    assert done["results"]["results"]["any_media"]["score,none"] == 1.0
    assert done["record"]["calls"] == {"reasoner": 7, "summarizer": 7, "evaluator": 7}
    assert done["record"]["accepted"] == 7
    assert done["record"]["mean_iterations"] == 1.0
    answered = [p for p in target.prompts if "Before answering" in text_of(p)]
    assert len(answered) == 7
    for prompt in answered:
        text = text_of(prompt)
        assert f"1. Listen to the {kind_of(prompt)}." in text
        assert "It rings." not in text  # r* is the steps without their answers
        assert text.rstrip().endswith("?")  # the task's own words stay last


def test_a_second_run_on_the_same_traces_asks_nobody_unless_answers_are_to_be_fresh(
    run: Any, tmp_path: Path
) -> None:
    first = run(ScriptedBackend(team), condition="aurelia")
    for record in (tmp_path / "traces" / "runs").iterdir():
        record.unlink()
    again = ScriptedBackend(team)
    second = run(again, condition="aurelia")
    assert second["record"]["calls"] == {"reasoner": 0, "summarizer": 0, "evaluator": 0}
    assert again.prompts == []
    assert second["record"]["answers_reused"] == 7
    assert answers(second) == answers(first)
    for record in (tmp_path / "traces" / "runs").iterdir():
        record.unlink()
    third = run(again, condition="aurelia", answers="fresh")
    assert third["record"]["calls"] == {"reasoner": 0, "summarizer": 0, "evaluator": 0}
    assert len(again.prompts) == 7
    assert answers(third) == answers(first)


def answers(done: dict[str, Any]) -> list[str]:
    return [sample["filtered_resps"][0] for sample in done["results"]["samples"]["any_media"]]


def test_a_failing_target_gives_empty_answers_that_are_counted(run: Any) -> None:
    def failing(prompt: Prompt) -> str:
        if kind_of(prompt) == "wav":
            raise RuntimeError("out of memory")
        return answering(prompt)

    done = run(ScriptedBackend(failing), condition="none")
    record = done["record"]
    assert (record["failed"], record["target_failures"], record["unanswered"]) == (1, 1, 1)
    assert "out of memory" in record["problems"][0]
    assert answers(done)[list(KINDS).index("wav")] == ""


def test_a_missing_file_fails_its_question_and_no_other(run: Any, tmp_path: Path) -> None:
    (tmp_path / "tone.webm").unlink()
    done = run(ScriptedBackend(answering), condition="none")
    assert done["record"]["target_failures"] == 1
    assert "tone.webm" in done["record"]["problems"][0]
    assert done["results"]["results"]["any_media"]["score,none"] == pytest.approx(6 / 7)


def test_the_placebo_lends_every_question_the_steps_of_another(run: Any) -> None:
    target = ScriptedBackend(team)
    done = run(target, condition="placebo")
    assert done["record"]["calls"]["reasoner"] == 7
    lent = {}
    for prompt in target.prompts:
        if "Before answering" in text_of(prompt):
            lent[kind_of(prompt)] = text_of(prompt).partition("Listen to the ")[2].partition(".")[0]
    assert set(lent) == set(lent.values()) == set(KINDS)
    assert all(kind != other for kind, other in lent.items())


def test_a_placebo_of_one_question_is_an_error(run: Any) -> None:
    with pytest.raises(ConfigError, match="only one"):
        run(ScriptedBackend(team), condition="placebo", limit=1)


@pytest.mark.parametrize(("mode", "left"), [("text", 0), ("muted", 7), ("blanked", 7)])
def test_media_modes_hold_for_the_target(run: Any, mode: str, left: int) -> None:
    target = ScriptedBackend(answering)
    run(target, condition="none", media=mode)
    media = [medium for prompt in target.prompts for medium in prompt.clip.media]
    assert len(media) == left
    if mode == "muted":
        sounds = [waveform(medium) for medium in media if medium.kind != "image"]
        assert all(sound is not None and not sound.samples.any() for sound in sounds)
    if mode == "blanked":
        assert all(medium.blanked for medium in media if medium.kind != "audio")


def test_swapped_sound_comes_from_another_clip(run: Any) -> None:
    target = ScriptedBackend(answering)
    run(target, condition="none", media="swapped")
    for prompt in target.prompts:
        for medium in prompt.clip.media:
            assert medium.kind == "image" or medium.sound is not None


def test_cache_requests_is_refused_with_the_reason(run: Any) -> None:
    with pytest.raises(ConfigError, match="--cache_requests is on") as caught:
        run(ScriptedBackend(answering), condition="none", cache_requests=True)
    assert str(caught.value).splitlines()[-1].startswith("Run without --cache_requests")


def spoken(target: ScriptedBackend) -> list[list[tuple[str, str]]]:
    return [
        [
            (message.role, "".join(part.text for part in message.parts if isinstance(part, Text)))
            for message in prompt.messages
        ]
        for prompt in target.prompts
    ]


@pytest.mark.parametrize("task", ["any_media", "any_media_sampled"])
def test_a_system_instruction_is_the_first_message_of_every_question(run: Any, task: str) -> None:
    target = ScriptedBackend(answering)
    run(target, condition="none", task=task, system_instruction="Answer with one letter.")
    assert spoken(target) == [
        [("system", "Answer with one letter."), ("user", f"What is in this {kind}?")]
        for kind in KINDS
    ]


def test_a_description_is_no_system_instruction(run: Any) -> None:
    target = ScriptedBackend(answering)
    run(target, condition="none", task="any_media_sampled")
    assert spoken(target) == [[("user", f"What is in this {kind}?")] for kind in KINDS]


def test_a_chat_template_for_texts_is_refused(run: Any) -> None:
    target = ScriptedBackend(answering)
    with pytest.raises(ConfigError, match="--apply_chat_template") as refused:
        run(target, condition="none", apply_chat_template=True)
    assert refused.value.fix == "Run without --apply_chat_template."
    assert target.prompts == []


def test_agents_and_traces_know_the_system_instruction(run: Any, tmp_path: Path) -> None:
    target = ScriptedBackend(team)
    run(target, condition="aurelia", system_instruction="Answer with one letter.")
    asked = [text_of(prompt) for prompt in target.prompts if '"steps"' in text_of(prompt)]
    assert len(asked) == 7
    assert all("Answer with one letter." in text for text in asked)


def test_examples_without_their_clips_are_refused(run: Any) -> None:
    target = ScriptedBackend(answering)
    with pytest.raises(ConfigError, match=r"num_fewshot=2.*without their clips"):
        run(target, condition="none", task="any_media_sampled", num_fewshot=2)
    assert target.prompts == []


def test_the_packaged_tasks_refuse_examples_with_the_reason(tmp_path: Path) -> None:
    model = Aurelia(target=ScriptedBackend(answering), condition="none", traces=str(tmp_path))
    with pytest.raises(ConfigError, match="--num_fewshot 1") as refused:
        simple_evaluate(
            model=model,
            tasks=["avreasonbench_mini_avsd"],
            task_manager=TaskManager(include_path=str(tasks_path()), include_defaults=False),
            limit=1,
            num_fewshot=1,
        )
    assert refused.value.fix == "Run without --num_fewshot."
