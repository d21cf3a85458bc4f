from __future__ import annotations

import asyncio
from typing import Any

import pytest
from making import beep, text_of

from aurelia_plugin.benchmark.reading import as_choice
from aurelia_plugin.calling.backend import Evidence, Message, Part, Prompt, Reply, Text
from aurelia_plugin.model_wrappers.one_by_one import OneByOne
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend

OPTIONS = {"A": "Audio 1", "B": "Audio 2", "C": "Audio 3", "D": "Audio 4"}
SOUNDS = [beep(200.0 * number) for number in range(1, 5)]


def question(text: str = "Which fits?\nA. Audio 1\nB. Audio 2\nC. Audio 3\nD. Audio 4") -> Prompt:
    parts: list[Part] = []
    for number, sound in enumerate(SOUNDS, 1):
        parts += [Text(f"Audio {number}:"), sound]
    return Prompt((Message("user", (*parts, Text(text))),))


def ask(target: ScriptedBackend, clips: int, prompt: Prompt) -> Reply:
    return asyncio.run(OneByOne(target, clips)(prompt))


def rating(**by_sound: str) -> ScriptedBackend:
    def answer(prompt: Prompt) -> Reply:
        (heard,) = prompt.clip.audios
        number = SOUNDS.index(heard) + 1
        assert f"only audio {number} is given" in text_of(prompt)
        evidence = Evidence(frames=8, clips=1, sound_seconds=0.5)
        return Reply(text=by_sound.get(f"s{number}", "2"), evidence=evidence, model="m")

    return ScriptedBackend(answer)


def test_the_highest_rating_is_the_answer() -> None:
    target = rating(s3="Answer: 9")
    reply = ask(target, 1, question())
    assert as_choice(reply.text, OPTIONS).value == "C"
    assert len(target.prompts) == 4
    assert (reply.evidence.clips, reply.evidence.frames) == (4, 8)
    assert reply.evidence.sound_seconds == 2.0
    assert "one by one" in reply.evidence.dropped[-1]


@pytest.mark.parametrize("text", ["", "maybe", "between 3 and 7", "11", "0", "7.5"])
def test_a_reply_without_one_number_rates_nothing(text: str) -> None:
    target = rating(s1=text, s2=text, s3=text, s4=text)
    assert as_choice(ask(target, 1, question()).text, OPTIONS).value is None


def test_ties_favour_no_position() -> None:
    target = rating(s1="8", s2="8", s3="8", s4="8")
    chosen = [ask(target, 1, question(f"{k}: Audio 1 Audio 2 Audio 3 Audio 4?")).text
              for k in range(80)]  # fmt: skip
    assert chosen[0] == ask(target, 1, question("0: Audio 1 Audio 2 Audio 3 Audio 4?")).text
    counts = [chosen.count(f"Answer: {option}") for option in OPTIONS.values()]
    assert sum(counts) == 80
    assert min(counts) >= 8


@pytest.mark.parametrize(
    ("clips", "prompt"),
    [
        (4, question()),  # it takes them all
        (0, question()),  # it takes none: the backend says what it drops
        (1, Prompt((Message("user", (*SOUNDS, Text("Hm?"))),))),  # no choice among them
        (1, Prompt((Message("user", (SOUNDS[0], Text("Audio 1?"))),))),
    ],
)
def test_everything_else_goes_through_unchanged(clips: int, prompt: Any) -> None:
    target = ScriptedBackend(lambda asked: "as asked")
    assert ask(target, clips, prompt).text == "as asked"
    assert target.prompts == [prompt]
