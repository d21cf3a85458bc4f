"""Answer extraction: a table of replies as models write them, and properties."""

from __future__ import annotations

import string
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.reading import as_choice, as_line, as_name, as_sentence, score_item
from aurelia_plugin.benchmark.scoring.closed_sets import read_label, stated_values
from aurelia_plugin.benchmark.scoring.grammar.deciding import Reading
from aurelia_plugin.benchmark.scoring.grammar.text import normalise
from aurelia_plugin.benchmark.scoring.labels import attribute_set
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY

_EVENTS = (
    "The flash comes first, then the sound.",
    "The sound comes first, then the flash.",
    "The flash and the sound come at the same moment.",
)
_AUDIOS = ("Audio 1", "Audio 2", "Audio 3", "Audio 4")
_NAMES = ("Flute", "Organ", "Guitar", "Bell")
_SHUFFLED = ("the third audio", "the first audio", "the fourth audio", "the second audio")


def _option(reply: str, options: Sequence[str]) -> Reading:
    return as_choice(reply, dict(zip(string.ascii_uppercase, options, strict=False)))


def _label(reply: str, attribute: str) -> str | None:
    return read_label(reply, attribute_set(attribute, VOCABULARY[attribute])).value


@pytest.mark.parametrize(
    ("reply", "options", "letter"),
    [
        ("B", _EVENTS, "B"),
        ("b", _EVENTS, "B"),
        (" (B) ", _EVENTS, "B"),
        ("B.", _EVENTS, "B"),
        ("[B]", _EVENTS, "B"),
        ("**B**", _EVENTS, "B"),
        ("A", _EVENTS, "A"),
        ("a)", _EVENTS, "A"),
        ("A.", _EVENTS, "A"),
        ("Answer: B", _EVENTS, "B"),
        ("answer: b", _EVENTS, "B"),
        ("ANSWER : (C)", _EVENTS, "C"),
        ("**Answer:** C", _EVENTS, "C"),
        ("**Answer: C**", _EVENTS, "C"),
        ("### Answer: `A`", _EVENTS, "A"),
        ("Final answer: B", _EVENTS, "B"),
        ("The answer is B.", _EVENTS, "B"),
        ("The correct answer is: (B)", _EVENTS, "B"),
        ("Answer:\nB", _EVENTS, "B"),
        ("Answer: $\\boxed{B}$", _EVENTS, "B"),
        ("Answer\uff1aB", _EVENTS, "B"),
        ("Option B", _EVENTS, "B"),
        ("option b", _EVENTS, "B"),
        ("I choose option (C).", _EVENTS, "C"),
        ("B) The sound comes first, then the flash.", _EVENTS, "B"),
        ("B. The sound comes first, then the flash.", _EVENTS, "B"),
        ("Answer: B, because the beep is earlier.", _EVENTS, "B"),
        ("Answer: A - the flash is first", _EVENTS, "A"),
        ("The sound comes first, then the flash.", _EVENTS, "B"),
        ("I think the sound comes first, then the flash!", _EVENTS, "B"),
        ("A flash is seen. Answer: C", _EVENTS, "C"),
        ("Answer: A\nWait, I was wrong.\nAnswer: B", _EVENTS, "B"),
        ("<think>It may be A or C.</think>B", _EVENTS, "B"),
        ("<think>A</think>\n\nAnswer: B", _EVENTS, "B"),
        ("it may be A</think> B", _EVENTS, "B"),
        ("The letter is 'C'", _EVENTS, "C"),
        ("A is wrong, B is wrong", _EVENTS, "C"),
        ("Answer: A or B", _EVENTS, None),
        ("Answer: A and C", _EVENTS, None),
        ("Answer: (A) (B)", _EVENTS, None),
        ("Answer: B) The flash comes first, then the sound.", _EVENTS, None),
        ("Answer: E", _EVENTS, None),
        ("Answer: D", _EVENTS, None),
        ("Answer: ", _EVENTS, None),
        ("", _EVENTS, None),
        ("   \n", _EVENTS, None),
        ("...", _EVENTS, None),
        ("I cannot tell.", _EVENTS, None),
        ("A flash appears on the screen.", _EVENTS, None),
        ("I don't know", _EVENTS, None),
        ("Answer: none of them", _EVENTS, None),
        ("<think>Answer: B", _EVENTS, None),
        ("Audio 2", _AUDIOS, "B"),
        ("audio2", _AUDIOS, "B"),
        ("Audio two", _AUDIOS, "B"),
        ("the second audio", _AUDIOS, "B"),
        ("Answer: the 3rd audio clip", _AUDIOS, "C"),
        ("Audio #4", _AUDIOS, "D"),
        ("audio_1", _AUDIOS, "A"),
        ("Answer: Audio clip 3", _AUDIOS, "C"),
        ("Answer: 2", _AUDIOS, "B"),
        ("Answer: B (Audio 2)", _AUDIOS, "B"),
        ("Answer: B. Audio 2", _AUDIOS, "B"),
        ("Answer: the fourth one", _AUDIOS, "D"),
        ("Answer: Audio ٢", _AUDIOS, "B"),
        ("Answer: B (Audio 3)", _AUDIOS, None),
        ("Audio 1 and Audio 2 are both close", _AUDIOS, None),
        ("Answer: Audio 5", _AUDIOS, None),
        ("guitar", _NAMES, "C"),
        ("It is the guitar.", _NAMES, "C"),
        ("Answer: The Organ", _NAMES, "B"),
        ("Answer: C. Guitar", _NAMES, "C"),
        ("Answer: flute or bell", _NAMES, None),
        ("Answer: D. Guitar", _NAMES, None),
        ("Answer: drum", _NAMES, None),
        ("Audio 3", _SHUFFLED, "A"),
        ("the third audio", _SHUFFLED, "A"),
        ("Answer: The first audio.", _SHUFFLED, "B"),
        ("Answer: 4", _SHUFFLED, "C"),
        ("D. the second audio", _SHUFFLED, "D"),
        ("A. the first audio", _SHUFFLED, None),
        ("I am sorry, but I cannot listen to audio.", _SHUFFLED, None),
        ("As a language model I am unable to answer.", _NAMES, None),
        ("\u56de\u7b54: B", _NAMES, "B"),
        ("Answer: \uff22", _NAMES, "B"),
        ("La respuesta es (C)", _NAMES, "C"),
        ("<thinking>A? B?</thinking>\n\n(D)", _NAMES, "D"),
    ],
)
def test_options(reply: str, options: tuple[str, ...], letter: str | None) -> None:
    assert _option(reply, options).value == letter, _option(reply, options)


@pytest.mark.parametrize(
    ("reply", "attribute", "label"),
    [
        ("three", "number", "three"),
        ("Answer: 3", "number", "three"),
        ("Answer: ３", "number", "three"),  # noqa: RUF001
        ("Answer: ३", "number", "three"),
        ("There are 2 instruments sounding.", "number", "two"),
        ("Answer: None", "number", "zero"),
        ("Answer: two or three", "number", None),
        ("Answer: seven", "number", "seven"),
        ("Answer: 12", "number", "twelve"),
        ("Yes.", "presence", "yes"),
        ("No, it is not sounding.", "presence", "no"),
        ("Answer: **yes**", "presence", "yes"),
        ("Yes and no", "presence", None),
        ("I know nothing", "presence", None),
        ("on the left", "place", "left"),
        ("Answer: the center", "place", "middle"),
        ("Answer: centre", "place", "middle"),
        ("left or right", "place", None),
        ("The Drums", "sound", "drum"),
        ("_bell_", "sound", "bell"),
        ("Answer: the bells.", "sound", "bell"),
        ("guitarist", "sound", None),
        ("Answer: Torl", "currency", "torl"),
        ("not the torl but the mirk", "currency", "mirk"),
        ("It lies on Pelagia.", "continent", "Pelagia"),
        ("", "continent", None),
    ],
)
def test_labels(reply: str, attribute: str, label: str | None) -> None:
    assert _label(reply, attribute) == label


@pytest.mark.parametrize(
    ("reply", "attribute", "values"),
    [
        ("A red star bounces.", "motion", {"bouncing"}),
        ("It is still.", "motion", {"still"}),
        ("The shape does not move.", "motion", {"still"}),
        ("It slides back and forth", "motion", {"sliding"}),
        ("It is red, no, blue", "colour", {"blue"}),
        ("It is not red", "colour", set()),
        ("The sound starts first.", "order", {"sound first"}),
        ("The movement comes before the bell.", "order", {"picture first"}),
        ("They start together.", "order", {"together"}),
        ("both at the same time", "order", {"together"}),
        ("A bell begins first", "order", {"sound first"}),
        ("The melody moves upwards", "pitch", set()),
        ("The melody is going up", "pitch", {"rising"}),
        ("Red here. Answer: a blue one", "colour", {"blue"}),
        ("nothing", "colour", set()),
    ],
)
def test_stated_values(reply: str, attribute: str, values: set[str]) -> None:
    sentence = as_sentence(reply).value or ""
    assert stated_values(sentence, VOCABULARY[attribute]) == values


def test_an_unmarked_phrase_is_the_whole_reply() -> None:
    assert as_name("The  New_Delhi!").value == "new delhi"
    assert as_name("?!").value is None


_FACTS: tuple[tuple[str, str, bool], ...] = (
    ("Answer: Asia", "Asia", True),
    ("The continent is Asia.", "Asia", True),
    ("It is most likely in asia", "Asia", True),
    ("Asia, Europe", "Asia", False),
    ("Asia or Europe", "Asia", False),
    ("It is not Asia", "Asia", False),
    ("It isn't Asia", "Asia", False),
    ("Eurasia", "Asia", False),
    ("", "Asia", False),
    ("Trinidad and Tobago", "Trinidad and Tobago", True),
    ("Answer: it comes from Trinidad and Tobago", "Trinidad and Tobago", True),
    ("<think>Europe</think> Asia", "Asia", True),
)


@pytest.mark.parametrize(("reply", "gold", "right"), _FACTS)
def test_short_open_answers(reply: str, gold: str, right: bool) -> None:
    item = Item(
        id="g",
        column="geoiq",
        category="Continent",
        question="?",
        answer=gold,
        source=Source(dataset="test", id="g"),
    )
    assert score_item(item, reply)["accuracy"] == float(right)


@given(st.text())
def test_extraction_never_raises_and_never_invents(reply: str) -> None:
    assert _option(reply, _EVENTS).value in {None, "A", "B", "C"}
    assert _option(reply, _AUDIOS).value in {None, "A", "B", "C", "D"}
    assert _option(reply, _SHUFFLED).value in {None, "A", "B", "C", "D"}
    number = _label(reply, "number")
    assert number is None or number in VOCABULARY["number"] or normalise(number).isdigit()
    line = as_line(reply)
    assert line is None or line == line.strip()


@given(st.text())
@example("A²")  # an article and a number, once the number is no longer raised
@example("¼")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(
    letter=st.sampled_from("ABCD"),
    thought=st.text(alphabet=string.ascii_letters + " .\n"),
    form=st.sampled_from(["{}", "({})", "{}.", "option {}", "**{}**", "{}) {}"]),
)
def test_the_last_answer_line_decides(letter: str, thought: str, form: str) -> None:
    text = _AUDIOS[ord(letter) - ord("A")]
    reply = f"<think>{thought} Answer: A</think>Answer: D\n\nAnswer: {form.format(letter, text)}"
    assert _option(reply, _AUDIOS).value == letter


@given(st.sets(st.sampled_from("ABCD"), min_size=2), st.sampled_from([" ", ", ", " or ", " and "]))
def test_different_letters_are_never_parsed(letters: set[str], joint: str) -> None:
    line = joint.join(f"({letter})" for letter in sorted(letters))
    assert _option(f"Answer: {line}", _NAMES).value is None
