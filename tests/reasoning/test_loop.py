from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from making import Team, beep, question, score, steps, team, text_of

from aurelia_plugin.calling.backend import Message, Part, Prompt, Text
from aurelia_plugin.errors import BackendError, ConfigError, MediaError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.trace import Trace

ASKED = question("Who rings?", beep())


def _run(made: Team) -> Trace:
    return asyncio.run(made.agents.trace(ASKED))


def _reads(trace: Trace) -> list[tuple[str, int, str]]:
    return [(c.role, c.ask, c.read) for i in trace.iterations for c in i.calls]


def test_an_accepted_caption_ends_the_loop(tmp_path: Path) -> None:
    made = team(tmp_path, evaluator=[score(5), score(6), score(10)], threshold=6, max_iterations=5)
    trace = _run(made)
    assert (trace.stop, trace.best, [i.score for i in trace.iterations]) == ("accepted", 1, [5, 6])
    assert made.asked == (2, 2, 2), "a score equal to the threshold is accepted"


def test_exhausted_takes_the_best_and_not_the_last(tmp_path: Path) -> None:
    made = team(
        tmp_path,
        [steps("first"), steps("second"), steps("third")],
        evaluator=[score(3), score(5), score(5)],
    )
    trace = _run(made)
    assert (trace.stop, trace.best, trace.steps) == ("exhausted", 1, ("second",))


def test_without_any_score_the_first_steps_stand(tmp_path: Path) -> None:
    made = team(
        tmp_path,
        [steps("first"), steps("second")],
        evaluator=lambda prompt: "It fits quite well.",
        max_iterations=2,
    )
    trace = _run(made)
    assert (trace.stop, trace.best, trace.steps) == ("unscored", 0, ("first",))
    assert [i.score for i in trace.iterations] == [None, None]
    assert made.asked == (2, 2, 4)


def test_one_score_makes_it_exhausted(tmp_path: Path) -> None:
    trace = _run(team(tmp_path, evaluator=["?", "?", score(2)], max_iterations=2))
    assert (trace.stop, trace.best) == ("exhausted", 1)


def test_a_score_out_of_range_does_not_accept(tmp_path: Path) -> None:
    trace = _run(team(tmp_path, evaluator=lambda prompt: score(11), max_iterations=1))
    assert (trace.stop, trace.iterations[0].score) == ("unscored", None)


def test_an_unreadable_score_is_asked_for_once_more(tmp_path: Path) -> None:
    made = team(tmp_path, evaluator=["Quite well.", "8"], max_iterations=1)
    trace = _run(made)
    assert (trace.stop, trace.iterations[0].score) == ("accepted", 8)
    assert _reads(trace)[-2:] == [("evaluator", 0, "unreadable"), ("evaluator", 1, "text")]
    first, second = made.evaluator.prompts
    assert second.messages == (
        *first.messages,
        Message("assistant", (Text("Quite well."),)),
        Message(
            "user",
            (
                Text(
                    "That reply could not be read: it holds no whole-number score from 1 to 10. "
                    'Reply again, with JSON of the form {"score": 7}, and nothing else.'
                ),
            ),
        ),
    )
    assert (second.generation, second.sampling) == (first.generation, first.sampling)


def test_unreadable_steps_fall_back_to_lines_and_the_loop_goes_on(tmp_path: Path) -> None:
    made = team(tmp_path, ["No idea.", "1. Look.\n2. Listen. -> a bell"], max_iterations=1)
    trace = _run(made)
    assert (trace.stop, trace.steps, trace.step_answers) == (
        ("accepted", ("Look.", "Listen."), ("", "a bell"))
    )
    assert _reads(trace)[:2] == [("reasoner", 0, "unreadable"), ("reasoner", 1, "lines")]
    again = text_of(made.reasoner.prompts[1])
    assert again.endswith(
        "That reply could not be read: it holds no JSON object with steps. "
        "Reply again, with the JSON object only, and nothing else."
    )


def test_if_the_second_reply_is_empty_the_first_ones_lines_are_taken(tmp_path: Path) -> None:
    trace = _run(team(tmp_path, ["Look.", " "], max_iterations=1))
    assert trace.steps == ("Look.",)
    assert _reads(trace)[:2] == [("reasoner", 0, "lines"), ("reasoner", 1, "unreadable")]


def test_an_empty_reasoner_costs_its_iteration_and_no_more_calls(tmp_path: Path) -> None:
    made = team(tmp_path, ["", "", steps("Look.")], evaluator=[score(7)], max_iterations=2)
    trace = _run(made)
    assert (trace.stop, trace.best, trace.steps) == ("accepted", 1, ("Look.",))
    assert made.asked == (3, 1, 1)
    assert made.reasoner.prompts[2].messages == made.reasoner.prompts[0].messages


def test_an_agent_that_never_says_anything_is_unscored_not_failed(tmp_path: Path) -> None:
    made = team(tmp_path, lambda prompt: "", max_iterations=2)
    trace = _run(made)
    assert (trace.stop, trace.steps, made.asked) == ("unscored", (), (4, 0, 0))


def test_an_empty_caption_is_asked_for_once_more_and_not_scored(tmp_path: Path) -> None:
    made = team(tmp_path, summarizer=lambda prompt: "<think>hm</think>", max_iterations=1)
    trace = _run(made)
    assert (trace.stop, trace.iterations[0].caption, made.asked) == ("unscored", None, (1, 2, 0))


@pytest.mark.parametrize("role", ["reasoner", "summarizer", "evaluator"])
@pytest.mark.parametrize("error", [BackendError("b", "is down", "fix"), MediaError("x.mp4", "cut")])
def test_a_call_that_raises_fails_the_loop_and_keeps_what_was_finished(
    tmp_path: Path, role: str, error: Exception
) -> None:
    replies = {"reasoner": steps("Look."), "summarizer": "A bell.", "evaluator": score(2)}

    def script(name: str) -> Any:
        backend_calls: list[int] = []

        def reply(prompt: Any) -> str:
            backend_calls.append(1)
            if name == role and len(backend_calls) == 2:
                raise error
            return replies[name]

        return reply

    trace = _run(team(tmp_path, *map(script, replies)))
    assert (trace.stop, trace.error) == ("failed", str(error))
    assert (len(trace.iterations), trace.best, trace.steps) == (1, 0, ("Look.",))


def test_a_wrong_setting_is_not_a_failed_question(tmp_path: Path) -> None:
    def wrong(prompt: Any) -> str:
        raise ConfigError("no such model", "Name another.")

    with pytest.raises(ConfigError, match="no such model"):
        _run(team(tmp_path, wrong))


def test_feedback_goes_into_the_next_proposal(tmp_path: Path) -> None:
    made = team(
        tmp_path,
        [steps("Look.", answers=["dark"]), steps("Listen.")],
        evaluator=[score(4, "No drum is heard."), score(9)],
    )
    _run(made)
    first, second = map(text_of, made.reasoner.prompts)
    assert "scored" not in first
    for part in ("Who rings?", "1. Look.", "scored 4 out of 10", "No drum is heard."):
        assert part in second


def test_feedback_without_a_score_says_so(tmp_path: Path) -> None:
    made = team(tmp_path, evaluator=lambda prompt: "?", max_iterations=2)
    _run(made)
    assert "could not be scored" in text_of(made.reasoner.prompts[1])


def test_requests_that_hold_steps_have_shorter_forms_for_agents_whose_text_is_limited(
    tmp_path: Path,
) -> None:
    made = team(
        tmp_path,
        [steps("Look.", "Listen.", "Compare.", answers=["dark", "loud", "both"])] * 2,
        evaluator=[score(4), score(9)],
    )
    _run(made)
    first, better = (_forms(prompt) for prompt in made.reasoner.prompts)
    assert len(first) == 1, "nothing but the question: it cannot be shortened"
    notes = _forms(made.summarizer.prompts[0])
    for forms, fewest in ((notes, 1), (better[:-1], 1)):
        found = [sum(step in form for step in ("Look.", "Listen.", "Compare.")) for form in forms]
        assert found == list(range(3, fewest - 1, -1))
    assert ["loud" in form for form in notes] == [True, True, False]
    assert better[-1] == first[0], "the last form asks as if there were no steps yet"
    assert len(_forms(made.evaluator.prompts[0])) == 1


def _forms(prompt: Prompt) -> list[str]:
    (text,) = (part for part in prompt.parts() if isinstance(part, Text))
    return [text.text, *text.shorter]


def test_who_sees_what(tmp_path: Path) -> None:
    made = team(
        tmp_path,
        [steps("Look.", answers=["dark"], final="the bell")],
        summarizer=["A dark bell."],
        evaluator=[score(9)],
        seed=5,
    )
    _run(made)
    (reasoner,), (summarizer,), (evaluator,) = (
        made.reasoner.prompts,
        made.summarizer.prompts,
        made.evaluator.prompts,
    )
    assert reasoner.clip == evaluator.clip == ASKED.clip
    assert summarizer.clip.media == ()
    assert isinstance(reasoner.messages[0].parts[-1], Text), "media first, then the request"
    for part in ("Who rings?", "1. Look. -> dark", "the bell"):
        assert part in text_of(summarizer)
    assert "A dark bell." in text_of(evaluator)
    assert {p.generation.seed for p in (reasoner, summarizer, evaluator)} == {5}


_SOUNDS = beep(220), beep(880)


@pytest.mark.parametrize(
    "sounds",
    [
        _SOUNDS,
        (Text("Audio 1:"), _SOUNDS[0], Text("Audio 2: "), _SOUNDS[1]),
        (_SOUNDS[0], Text("Audio 2:"), _SOUNDS[1]),
        (Text("Sound:"), _SOUNDS[0]),
    ],
)
def test_agents_prompts_begin_as_the_targets_prompt_does(
    tmp_path: Path, clip_file: Path, sounds: tuple[Part, ...]
) -> None:
    """As far as the task only names media: engines have this beginning in their caches."""
    lead = (Media.file("video", clip_file), *sounds)
    asked = replace(ASKED, messages=(Message("user", (*lead, Text("Which fits?"))),))
    made = team(tmp_path, evaluator=[score(9)])
    asyncio.run(made.agents.trace(asked))
    for agent in (made.reasoner, made.evaluator):
        parts = agent.prompts[0].messages[0].parts
        assert parts[:-1] == lead == asked.prompt().messages[0].parts[: len(lead)]


@pytest.mark.parametrize("words", ["Which of these fits?", "Recorded in a hall of 1998:" * 2])
def test_media_among_the_tasks_words_are_named_by_number(
    tmp_path: Path, clip_file: Path, words: str
) -> None:
    """An agent sees no more of the task than its prompt shows."""
    video = Media.file("video", clip_file)
    parts = (Text(words), video, Text("Audio:"), *_SOUNDS)
    asked = replace(ASKED, messages=(Message("user", parts),))
    made = team(tmp_path, evaluator=[score(9)])
    asyncio.run(made.agents.trace(asked))
    shown = made.evaluator.prompts[0].messages[0].parts
    assert [p.text for p in shown[:-1] if isinstance(p, Text)] == (
        ["Video 1:", "Audio 1:", "Audio 2:"]
    )
    assert tuple(p for p in shown if isinstance(p, Media)) == (video, *_SOUNDS)
    alone = replace(ASKED, messages=(Message("user", (Text(words), video)),))
    other = team(tmp_path / "other", evaluator=[score(9)])
    asyncio.run(other.agents.trace(alone))
    assert other.reasoner.prompts[0].messages[0].parts[:-1] == (video,)


def test_the_paper_preset_in_the_loop(tmp_path: Path) -> None:
    made = team(
        tmp_path,
        ['{"Task_1": ["Look."], "Task_2": ["dark"], "Task_3": "bell"}'],
        evaluator=['{"score": 6}'],
        prompts=PromptSet("paper"),
    )
    trace = _run(made)
    assert (trace.stop, trace.steps, trace.step_answers) == ("accepted", ("Look.",), ("dark",))
    for backend in (made.reasoner, made.evaluator):
        sampling = backend.prompts[0].sampling
        assert sampling is not None
        assert (sampling.kind, sampling.frames) == ("keyframes", 5)
    assert made.summarizer.prompts[0].sampling is None


def test_lines_are_a_style_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "preset.yaml").write_text("evaluator: {reply: lines}\n")
    made = team(
        tmp_path / "traces",
        ["", "Look. -> dark"],
        evaluator=["rather good", "7"],
        prompts=PromptSet("default", str(folder)),
    )
    trace = _run(made)
    assert (trace.steps, trace.step_answers) == (("Look.",), ("dark",))
    assert "it is empty. Reply again, with one step per line" in text_of(made.reasoner.prompts[1])
    assert "with the number only" in text_of(made.evaluator.prompts[1])


def test_a_trace_records_what_it_was_made_from(tmp_path: Path) -> None:
    made = team(tmp_path, evaluator=[score(9, "fine")], seed=3, threshold=7)
    trace = _run(made)
    assert trace.roles == {"reasoner": "r-1", "summarizer": "s-1", "evaluator": "e-1"}
    assert (trace.threshold, trace.max_iterations, trace.seed) == (7, 3, 3)
    assert trace.key == made.agents.plan.trace_key(ASKED)
    assert (trace.question_key, trace.question) == (ASKED.key, "Who rings?")
    assert [c.model for c in trace.iterations[0].calls] == ["r-1", "s-1", "e-1"]
    assert trace.iterations[0].calls[0].usage.input_tokens > 0


def test_one_model_may_play_every_part(tmp_path: Path) -> None:
    def reply(prompt: Any) -> str:
        text = text_of(prompt)
        if "caption" not in text:
            return steps("Look.")
        return score(8) if "judge" in text else "A bell."

    made = team(tmp_path, reply, reply, reply)
    assert _run(made).stop == "accepted"
