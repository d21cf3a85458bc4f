from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from making import QUICK, Line, Made, Team, answers, beep, numbered, question, score, team, text_of
from media.conftest import MakeVideo, tone
from serviced import ServedBackend

from aurelia_plugin.calling.backend import Evidence, Prompt, Reply, Usage
from aurelia_plugin.calling.budget import Limits
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.errors import (
    AureliaError,
    BackendError,
    ConfigError,
    MediaError,
    StoreError,
    TransientError,
)
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.injection import Injector
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.base import Condition
from aurelia_plugin.running.conditions.packaged import Aurelia, Placebo, ZeroShot
from aurelia_plugin.running.pipeline import Answer, each
from aurelia_plugin.settings import MediaMode
from aurelia_plugin.traces.store import TraceStore

PROMPTS = PromptSet()


class Progress:
    """Counts what the pipeline reports."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def reasoned(self) -> None:
        self.events.append("reasoned")

    def answered(self) -> None:
        self.events.append("answered")


def unreadable(*numbers: int) -> Callable[[int], Question]:
    def make(number: int) -> Question:
        if number in numbers:
            raise MediaError("clip.mp4", "is missing")
        return numbered(number)

    return make


def echo(prompt: Prompt) -> str:
    return f"to {text_of(prompt).splitlines()[-1]}"


STEPS = Injector(PROMPTS, with_answers=False)


def aurelia(made: Team) -> Aurelia:
    return Aurelia(made.agents.trace, STEPS)


def placebo(made: Team) -> Placebo:
    return Placebo(made.agents.trace, STEPS, seed=0)


def pipeline(
    target: Any = echo, condition: Condition | None = None, media: MediaMode = "full", **how: Any
) -> Line:
    backend = target if isinstance(target, ScriptedBackend) else ScriptedBackend(target)
    return Line(backend, condition or ZeroShot(), media, **how)


def failing(*numbers: int) -> Callable[[Prompt], str]:
    def evaluate(prompt: Prompt) -> str:
        if any(f"Question {n}?" in text_of(prompt) for n in numbers):
            raise BackendError("agent", "is down", "Start it.")
        return '{"steps": ["Listen."]}'

    return evaluate


def test_answers_come_in_the_order_of_the_sources_whatever_ends_first() -> None:
    async def backwards(prompt: Prompt) -> str:
        number = int(text_of(prompt).split()[1][:-1])
        for _ in range(3 * (10 - number)):
            await asyncio.sleep(0)
        return str(number)

    assert answers(pipeline(backwards), [Made(n) for n in range(10)]) == [str(n) for n in range(10)]
    assert answers(pipeline(), []) == []


def test_zero_shot_asks_the_target_the_question_itself() -> None:
    target = ScriptedBackend(echo)
    line = pipeline(target)
    assert answers(line, [Made(3)]) == ["to Question 3?"]
    assert target.prompts == [numbered(3).prompt()]
    assert line.outcome.record()["n"] == 1
    assert line.outcome.record()["evidence"]["target"]["calls"] == 1


def test_the_target_gets_the_steps_before_its_question(tmp_path: Path) -> None:
    target = ScriptedBackend(echo)
    line = pipeline(target, aurelia(team(tmp_path)))
    progress = Progress()
    assert answers(line, [Made(1)], progress) == ["to Question 1?"]
    assert "1. Listen.\n" in text_of(target.prompts[0])
    assert progress.events == ["reasoned", "answered"]
    (kept,) = line.outcome.items
    assert (kept.steps, f"{kept.preface}\n\nQuestion 1?") == (
        ("Listen.",),
        text_of(target.prompts[0]),
    )
    record = line.outcome.record()
    assert (record["accepted"], record["mean_iterations"], record["failed"]) == (1, 1.0, 0)


def test_usage_is_handed_on() -> None:
    (found,) = asyncio.run(pipeline().run([Made(0)], Progress()))
    assert found.usage is not None
    assert found.usage.output_tokens == 3


@pytest.mark.parametrize(("policy", "text"), [("empty", ""), ("zero_shot", "to Question 1?")])
def test_a_question_whose_agents_failed(tmp_path: Path, policy: str, text: str) -> None:
    target = ScriptedBackend(echo)
    made = team(tmp_path, failing(1))
    line = pipeline(target, aurelia(made), on_agent_failure=policy)
    progress = Progress()
    assert answers(line, [Made(n) for n in range(3)], progress) == [
        "to Question 0?",
        text,
        "to Question 2?",
    ]
    record = line.outcome.record()
    assert (record["n"], record["agent_failures"], record["target_failures"]) == (3, 1, 0)
    assert record["unanswered"] == (policy == "empty")
    assert record["without_steps"] == 0, "a failure is not a question without steps"
    assert record["by_category"]["odd"]["agent_failures"] == 1
    assert record["by_category"]["even"]["agent_failures"] == 0
    assert record["problems"] == ["q/1: agent: is down\nStart it."]
    assert sum("1. Listen." in text_of(p) for p in target.prompts) == 2
    assert sorted(progress.events) == ["answered"] * 3 + ["reasoned"] * 3


def test_raise_ends_the_run_and_names_the_question(tmp_path: Path) -> None:
    line = pipeline(echo, aurelia(team(tmp_path, failing(1))), on_agent_failure="raise")
    with pytest.raises(AureliaError, match="q/1: agent: is down") as caught:
        answers(line, [Made(n) for n in range(3)])
    assert "on_agent_failure" in caught.value.fix


def test_agents_that_write_nothing_are_counted_and_the_target_is_asked(tmp_path: Path) -> None:
    line = pipeline(echo, aurelia(team(tmp_path, lambda prompt: "")))
    assert answers(line, [Made(0)]) == ["to Question 0?"]
    record = line.outcome.record()
    assert (record["without_steps"], record["unscored"], record["failed"]) == (1, 1, 0)


def _down(prompt: Prompt) -> str:
    if "Question 1?" in text_of(prompt):
        raise BackendError("target", "is down", "Start it.")
    return echo(prompt)


def test_a_failing_target_gives_an_empty_answer_and_is_counted() -> None:
    line = pipeline(_down)
    assert asyncio.run(line.run([Made(0), Made(1)], Progress()))[1] == Answer("", None)
    record = line.outcome.record()
    assert (record["target_failures"], record["unanswered"], record["failed"]) == (1, 1, 1)
    assert record["problems"] == ["q/1: target: is down\nStart it."]
    with pytest.raises(BackendError, match="is down"):
        answers(pipeline(_down, on_agent_failure="raise"), [Made(0), Made(1)])


def test_a_target_that_cannot_read_a_medium_is_counted() -> None:
    def listen(prompt: Prompt) -> str:
        raise MediaError("clip.mp4", "is cut")

    line = pipeline(listen)
    assert answers(line, [Made(0), Made(1)]) == ["", ""]
    assert line.outcome.record()["target_failures"] == 2


def test_the_target_is_retried() -> None:
    turns = iter([TransientError("t", "busy", "wait"), TransientError("t", "busy", "wait")])

    def busy(prompt: Prompt) -> str:
        for error in turns:
            raise error
        return "yes"

    line = pipeline(busy)
    assert answers(line, [Made(0)]) == ["yes"]
    assert line.outcome.record()["evidence"]["target"]["calls"] == 1


@pytest.mark.parametrize("make_arm", [None, aurelia, placebo])
def test_a_question_that_cannot_be_made_is_counted_and_does_not_end_the_run(
    tmp_path: Path, make_arm: Callable[[Team], Any] | None
) -> None:
    line = pipeline(echo, make_arm(team(tmp_path)) if make_arm else None)
    progress = Progress()
    sources = [Made(n, unreadable(1)) for n in range(4)]
    assert answers(line, sources, progress) == [
        "to Question 0?",
        "",
        "to Question 2?",
        "to Question 3?",
    ]
    record = line.outcome.record()
    assert (record["n"], record["target_failures"], record["unanswered"]) == (4, 1, 1)
    assert "clip.mp4: is missing" in record["problems"][0]
    assert progress.events.count("reasoned") == progress.events.count("answered") == 4


@pytest.mark.parametrize("error", [ConfigError("no", "fix"), StoreError("full", "fix")])
def test_what_concerns_the_whole_run_ends_it(tmp_path: Path, error: AureliaError) -> None:
    def wrong(prompt: Prompt) -> str:
        raise error

    for line in (pipeline(wrong), pipeline(echo, aurelia(team(tmp_path, wrong)))):
        with pytest.raises(type(error)) as caught:
            answers(line, [Made(n) for n in range(5)])
        assert caught.value is error


def test_a_window_of_questions_is_made_ahead_and_no_more_live(tmp_path: Path) -> None:
    living: weakref.WeakSet[Question] = weakref.WeakSet()
    made, most, at_once, held = 0, 0, 0, True

    def make(number: int) -> Question:
        nonlocal made
        made += 1
        asked = numbered(number)
        living.add(asked)
        return asked

    async def slow(prompt: Prompt) -> str:
        nonlocal most, at_once, held
        for _ in range(100):  # while the target is held, whatever may be made is made
            if not held:
                break
            await asyncio.sleep(0.001)
        at_once, held = max(at_once, made if held else 0), False
        gc.collect()
        most = max(most, len(living))
        return "yes"

    answers(pipeline(slow, aurelia(team(tmp_path)), window=3), [Made(n, make) for n in range(25)])
    assert (made, at_once) == (25, 3)
    assert most <= 4, "three under way, and one being made for whoever has just answered"


def test_agents_work_ahead_while_the_target_is_slow(tmp_path: Path) -> None:
    log: list[str] = []

    async def slow(prompt: Prompt) -> str:
        number = text_of(prompt).split("Question ")[1][0]
        log.append(f"target begins {number}")
        while number == "0" and not any(entry == "agents did 2" for entry in log):
            await asyncio.sleep(0)
        log.append(f"target ends {number}")
        return "yes"

    def evaluate(prompt: Prompt) -> str:
        return score(9)

    def summarize(prompt: Prompt) -> str:
        log.append(f"agents did {text_of(prompt).split('Question ')[1][0]}")
        return "A bell."

    arm = aurelia(team(tmp_path, summarizer=summarize, evaluator=evaluate))
    answers(pipeline(slow, arm, window=3), [Made(n) for n in range(4)])
    assert log.index("agents did 2") < log.index("target ends 0")


@pytest.mark.parametrize("where", ["target", "agent"])
def test_cancelling_leaves_no_task_behind(tmp_path: Path, where: str) -> None:
    async def cancel() -> tuple[set[Any], int]:
        begun = 0

        async def hang(prompt: Prompt) -> str:
            nonlocal begun
            begun += 1
            await asyncio.Event().wait()
            return ""

        made = team(tmp_path, hang) if where == "agent" else team(tmp_path)
        line = pipeline(hang, aurelia(made), window=3)
        running = asyncio.create_task(line.run([Made(n) for n in range(9)], Progress()))
        while begun < 3:
            await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return asyncio.all_tasks() - {asyncio.current_task()}, begun

    assert asyncio.run(cancel()) == (set(), 3)


def test_an_error_stops_the_agents_of_all_other_questions(tmp_path: Path) -> None:
    async def fail() -> set[Any]:
        others = 0

        async def reply(prompt: Prompt) -> str:
            nonlocal others
            if "Question 2?" in text_of(prompt):
                while others < 2:
                    await asyncio.sleep(0.001)
                raise ConfigError("no such model", "Name another.")
            others += 1
            await asyncio.Event().wait()
            return ""

        line = pipeline(echo, aurelia(team(tmp_path, reply)), window=3)
        with pytest.raises(ConfigError):
            await line.run([Made(n) for n in range(9)], Progress())
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(fail()) == set()


def test_the_placebo_borrows_steps_and_asks_every_question_once(tmp_path: Path) -> None:
    def reply(prompt: Prompt) -> str:
        number = text_of(prompt).split("Question ")[1][0]
        return f'{{"steps": ["step of {number}"]}}'

    target, progress = ScriptedBackend(echo), Progress()
    line = pipeline(target, placebo(team(tmp_path, reply)))
    assert answers(line, [Made(n) for n in range(5)], progress) == [
        f"to Question {n}?" for n in range(5)
    ]
    for prompt in target.prompts:
        text = text_of(prompt)
        assert text.split("step of ")[1][0] != text.split("Question ")[1][0]
    record = line.outcome.record()
    assert (record["n"], record["accepted"], record["agent_failures"]) == (5, 5, 0)
    assert progress.events == ["reasoned"] * 5 + ["answered"] * 5


def test_a_failed_donor_is_an_agent_failure(tmp_path: Path) -> None:
    line = pipeline(echo, placebo(team(tmp_path, failing(0))))
    assert answers(line, [Made(0), Made(1)]) == ["to Question 0?", ""]
    record = line.outcome.record()
    assert (record["agent_failures"], record["unanswered"]) == (1, 1)


def test_what_became_of_each_question_is_kept(tmp_path: Path) -> None:
    """By question: its content, its trace, what stood before it, what failed and what was lost."""

    async def deaf(prompt: Prompt) -> Reply:
        if "Question 2?" in text_of(prompt):
            raise BackendError("target", "is down", "Start it.")
        evidence = Evidence(dropped=("sound: not heard",))
        return Reply(text="x", usage=Usage(input_tokens=4, output_tokens=2), evidence=evidence)

    made = team(tmp_path, failing(1))
    line = pipeline(ScriptedBackend(deaf), aurelia(made))
    answers(line, [Made(n, unreadable(3)) for n in range(4)])
    first, second, third, fourth = sorted(line.outcome.items, key=lambda item: item.id)
    assert [item.id for item in (first, second, third, fourth)] == ["q/0", "q/1", "q/2", "q/3"]
    assert first.content == numbered(0).key
    assert first.steps == ("Listen.",)
    assert TraceStore(tmp_path).trace(str(first.trace)) is not None
    assert (first.usage.input_tokens, first.usage.output_tokens) == (4, 2)
    assert first.evidence.dropped == ("sound: not heard",)
    failures = [item.record()["failed"] for item in (first, second, third, fourth)]
    assert failures == [None, "agents", "target", "target"]
    assert fourth.content is None


def test_the_content_kept_is_that_before_media_are_taken_away(make_video: MakeVideo) -> None:
    medium = Media.file("video", make_video("a.mp4", sound=tone(1.0)))

    def make(number: int) -> Question:
        return question(f"Question {number}?", medium, id=f"q/{number}")

    kept = []
    for media in ("full", "muted", "text"):
        line = pipeline(media=media)
        answers(line, [Made(0, make)])
        kept.append(line.outcome.items[0].content)
    assert len(set(kept)) == 1


def test_the_placebos_steps_are_kept_as_they_were_put(tmp_path: Path) -> None:
    def reply(prompt: Prompt) -> str:
        number = text_of(prompt).split("Question ")[1][0]
        return f'{{"steps": ["step of {number}"], "answers": ["answer {number}"]}}'

    made = team(tmp_path, reply)
    line = pipeline(
        condition=Placebo(made.agents.trace, Injector(PROMPTS, with_answers=True), seed=0)
    )
    answers(line, [Made(0), Made(1)])
    steps = {item.id: item.steps for item in line.outcome.items}
    assert steps == {"q/0": ("step of 1 answer 1",), "q/1": ("step of 0 answer 0",)}


def test_the_placebo_of_one_question_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only one"):
        answers(pipeline(echo, placebo(team(tmp_path))), [Made(0)])


def test_swapped_sound_reaches_agents_and_target(tmp_path: Path, make_video: MakeVideo) -> None:
    files = [make_video(f"{n}.mp4", sound=tone(1.0, hertz=400.0 * (n + 1))) for n in range(3)]
    heard: list[bytes] = []

    def make(number: int) -> Question:
        return question(f"Question {number}?", Media.file("video", files[number]), id=f"q/{number}")

    def listen(prompt: Prompt) -> str:
        sound = waveform(prompt.clip.media[0])
        assert sound is not None
        heard.append(sound.samples.tobytes())
        return '{"steps": ["Listen."]}'

    line = pipeline(listen, aurelia(team(tmp_path, listen)), media="swapped")
    answers(line, [Made(n, make) for n in range(3)])
    waves = [waveform(Media.file("video", file)) for file in files]
    own = {wave.samples.tobytes() for wave in waves if wave is not None}
    assert set(heard) == own
    assert all(heard.count(sound) == 2 for sound in own), "once by the reasoner, once by the target"


def test_a_second_run_counts_into_the_same_record() -> None:
    line = pipeline()
    answers(line, [Made(0)])
    answers(line, [Made(1)])
    record = line.outcome.record()
    assert record["n"] == 2
    assert sorted(record["by_category"]) == ["even", "odd"]


def test_questions_are_made_one_at_a_time_off_the_event_loop() -> None:
    import threading

    inside, most, threads = 0, 0, set()

    def make(number: int) -> Question:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threads.add(threading.get_ident())
        asked = numbered(number)
        inside -= 1
        return asked

    answers(pipeline(), [Made(n, make) for n in range(20)])
    assert most == 1
    assert threading.get_ident() not in threads


def test_media_that_cannot_be_digested_are_the_questions_failure(tmp_path: Path) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF")

    def make(number: int) -> Question:
        asked = question("Who?", Media.file("audio", sound), beep(), id=f"q/{number}")
        sound.unlink()
        return asked

    line = pipeline(lambda prompt: Reply(text="yes"))
    assert answers(line, [Made(0, make)]) == [""]
    assert line.outcome.record()["target_failures"] == 1


def _poor(**limits: Any) -> Caller:
    return Caller(QUICK, limits=Limits(**limits), prices=Prices.packaged("1/1"))


@pytest.mark.parametrize(("policy", "text"), [("empty", ""), ("zero_shot", "to Question 1?")])
def test_a_question_whose_agents_the_budget_ended_is_counted_and_never_scored(
    tmp_path: Path, policy: str, text: str
) -> None:
    caller = _poor(calls=4)
    made = team(tmp_path, caller=caller)
    line = pipeline(echo, aurelia(made), on_agent_failure=policy, caller=caller, window=1)
    assert answers(line, [Made(n) for n in range(2)]) == ["to Question 0?", text]
    record = line.outcome.record()
    assert (record["accepted"], record["over_budget"], record["failed"]) == (1, 1, 0)
    assert record["unanswered"] == (policy == "empty")
    assert "q/1: max_calls=4 could be passed" in record["problems"][0]
    rich = pipeline(echo, aurelia(team(tmp_path)))
    assert answers(rich, [Made(n) for n in range(2)]) == ["to Question 0?", "to Question 1?"]
    assert rich.outcome.record()["accepted"] == 2


def test_the_budget_under_raise_ends_the_run(tmp_path: Path) -> None:
    made = team(tmp_path, caller=_poor(calls=4))
    with pytest.raises(AureliaError, match="max_calls=4"):
        answers(pipeline(echo, aurelia(made), on_agent_failure="raise"), [Made(0), Made(1)])


def test_a_target_behind_a_network_is_paid_from_the_same_budget(tmp_path: Path) -> None:
    caller = _poor(calls=6)  # the second question's caption is the first's: its score is there
    target = ServedBackend(echo)
    line = pipeline(target, aurelia(team(tmp_path, caller=caller)), caller=caller, window=1)
    assert answers(line, [Made(n) for n in range(3)]) == ["to Question 0?", "", ""]
    record = line.outcome.record()
    assert (record["target_over_budget"], record["over_budget"]) == (1, 1)
    assert (record["unanswered"], record["target_failures"]) == (2, 0)
    assert (caller.ledger.spent().calls, len(target.prompts)) == (6, 1)


def test_a_placebo_whose_donor_the_budget_ended_is_counted_so(tmp_path: Path) -> None:
    made = team(tmp_path, caller=_poor(calls=4))
    line = pipeline(echo, placebo(made), window=1)
    assert answers(line, [Made(0), Made(1)]) == ["", "to Question 1?"]
    record = line.outcome.record()
    assert (record["over_budget"], record["agent_failures"]) == (1, 0)


def test_usage_is_counted_by_column_for_the_target_too(tmp_path: Path) -> None:
    def make(number: int) -> Question:
        return question(f"Question {number}?", column="meme" if number else "avsd")

    line = pipeline(ServedBackend(echo), caller=_poor(tokens=10**6))
    answers(line, [Made(n, make) for n in range(3)])
    usage = line.outcome.record()["usage"]
    assert {name: row["calls"] for name, row in usage["by_column"].items()} == {
        "avsd": 1,
        "meme": 2,
    }
    assert usage["by_role"]["target"]["cost_usd"] == pytest.approx(
        (usage["total"]["input_tokens"] + usage["total"]["output_tokens"]) / 1e6
    )


def _number(source: Any) -> int:
    return int(source.id.removeprefix("q/"))


def _at_once(count: int, window: int, **how: Any) -> list[int]:
    """Work on sources; return how many were under way whenever one began."""
    under_way = 0
    seen = []

    async def work(source: Any) -> int:
        nonlocal under_way
        under_way += 1
        seen.append(under_way)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        under_way -= 1
        return _number(source) * 2

    sources = [Made(number) for number in range(count)]
    results = asyncio.run(each(sources, work, window, **how))
    assert results == [2 * number for number in range(count)]
    return seen


def test_a_window_widens_with_what_is_done_and_no_further() -> None:
    assert max(_at_once(60, 4)) == 4
    widened = _at_once(60, 4, widest=10)
    assert max(widened[:4]) == 4
    assert max(widened) == 10


def test_a_window_becomes_narrow_again_where_there_is_no_room() -> None:
    left = iter([True] * 12)
    seen = _at_once(80, 4, widest=10, room=lambda: next(left, False))
    assert max(seen) > 4
    assert max(seen[-20:]) == 4
    assert max(_at_once(60, 4, widest=10, room=lambda: False)) == 4


def test_an_error_in_a_window_that_has_widened_stops_all() -> None:
    ended = []

    async def work(source: Any) -> None:
        try:
            await asyncio.sleep(0 if _number(source) < 20 else 60)
            if _number(source) == 19:
                raise StoreError("full", "Make room.")
        finally:
            ended.append(source.id)

    sources = [Made(number) for number in range(60)]
    with pytest.raises(StoreError, match="full"):
        asyncio.run(each(sources, work, 4, widest=10))
    assert 20 <= len(ended) < 60
