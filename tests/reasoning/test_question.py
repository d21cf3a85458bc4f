from __future__ import annotations

from pathlib import Path

from making import beep, question

from aurelia_plugin.calling.backend import Generation, Message, Text
from aurelia_plugin.media.clip import Clip, Media
from aurelia_plugin.reasoning.question import Question, labelled

LOW, HIGH = beep(220), beep(880)


def _asked(*messages: Message) -> Question:
    return Question("q", messages, Generation())


def test_media_between_texts_are_named_in_the_text_and_leading_ones_are_not() -> None:
    asked = _asked(
        Message("user", (LOW, Text("Is"), HIGH, Text("louder than"), LOW, Text("this?"), HIGH))
    )
    assert asked.text == "Is\n[audio 2]\nlouder than\n[audio 3]\nthis?"
    assert question("Plain?", LOW).text == "Plain?"


def test_labels_count_each_kind(clip_file: Path) -> None:
    assert labelled(Clip((LOW, Media.file("video", clip_file), HIGH))) == (
        ("audio 1", "video 1", "audio 2")
    )


def test_the_key_is_clip_and_text_and_nothing_else() -> None:
    asked = question("Who?", LOW)
    other = Question("other id", asked.messages, Generation(temperature=1.0), "c", {"a": 1})
    assert other.key == asked.key
    assert question("Who?", HIGH).key != asked.key
    assert question("What?", LOW).key != asked.key


def test_the_same_file_elsewhere_is_the_same_question(clip_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip_file.read_bytes())
    first, second = (question("Who?", Media.file("video", p)) for p in (clip_file, copy))
    assert first.key == second.key


def test_a_preface_goes_before_the_last_text_of_the_task() -> None:
    system = Message("system", (Text("Be brief."),))
    asked = _asked(system, Message("user", (LOW, Text("Which?"), HIGH, Text("Answer A or B."))))
    prefaced = asked.with_preface("Steps")
    assert prefaced.messages == (
        system,
        Message("user", (LOW, Text("Which?"), HIGH, Text("Steps\n\nAnswer A or B."))),
    )
    assert asked.messages[1].parts[-1] == Text("Answer A or B."), "the question itself stays"


def test_a_preface_goes_to_the_last_user_message_with_text() -> None:
    talk = (Message("user", (Text("Hi"),)), Message("assistant", (Text("Hello"),)))
    sound = Message("user", (LOW,))
    assert _asked(*talk, sound).with_preface("Steps").messages == (
        Message("user", (Text("Steps\n\nHi"),)),
        talk[1],
        sound,
    )
    assert _asked(sound).with_preface("Steps").messages == (
        sound,
        Message("user", (Text("Steps"),)),
    )


def test_media_are_changed_in_their_places_or_dropped() -> None:
    asked = _asked(Message("user", (LOW, Text("or"), HIGH, Text("?"))))
    swapped = asked.with_media(lambda clip: Clip(clip.media[::-1]))
    assert swapped.messages[0].parts == (HIGH, Text("or"), LOW, Text("?"))
    bare = asked.with_media(Clip.without_media)
    assert bare.messages[0].parts == (Text("or"), Text("?"))
    assert bare.text == "or\n?"


def test_a_preface_has_ever_shorter_forms_for_models_whose_text_is_limited() -> None:
    posed = question("What rings?").with_preface("1. a\n2. b", ["1. a"])
    text = posed.messages[-1].parts[-1]
    assert isinstance(text, Text)
    assert text.text == "1. a\n2. b\n\nWhat rings?"
    assert text.shorter == ("1. a\n\nWhat rings?", "What rings?")
    single = question("What rings?").with_preface("1. a", []).messages[-1].parts[-1]
    assert isinstance(single, Text)
    assert single.shorter == ("What rings?",), "a single step can go, too"
    plain = question("What rings?").with_preface("Think.").messages[-1].parts[-1]
    assert isinstance(plain, Text)
    assert plain.shorter == ()
