"""Laws of reading: over the corpus of replies, and over replies that are made up.

READING_EXAMPLES sets the number of examples of each law (default 50).
"""

from __future__ import annotations

import math
import os
import string
import time
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replies import Row, corpus

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.reading import as_choice, read_item
from aurelia_plugin.benchmark.scoring.metrics import Question, read
from aurelia_plugin.calling.thinking import spoken
from aurelia_plugin.reasoning.parsing import read_verdict

_LAW = settings(
    max_examples=int(os.environ.get("READING_EXAMPLES", "50")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
_TEXTS = (
    *("a kettle whistling", "a door slamming", "a crowd cheering", "a phone ringing"),
    *("rain on glass", "an owl hooting", "a truck reversing", "someone coughing", "dry leaves"),
)
# {x} and {y} are letters, {t} is the text of {x}.
_FORMS = (
    *(
        "{x}",
        "({x})",
        "{x}.",
        "{x}) {t}",
        "**{x}**",
        "Answer: {x}",
        "Answer: ({x}) {t}",
        "Answer: {t}",
    ),
    *(
        "The answer is {x}.",
        "I would go with {x} here.",
        "My pick is {x}.",
        "So: {x}",
        "Option {x}",
    ),
    *("It isn't {y}, it is {x}.", "Answer: {x} (not {y})", "{x} rather than {y}", "{x} > {y}"),
    *("{x}. Option {y} was tempting.", "not {y} but {x}", "Either {x} or {y}", "{x}/{y}"),
    *("\\boxed{{{x}}}", "<answer>{x}</answer>", '{{"answer": "{x}"}}', "{x} instead of {y}."),
    *("Answer: {y}\nWait, no.\nAnswer: {x}", "{y} is wrong. {x} is right.", "{t}", "not {x}"),
    *("The sound in the clip is loud.", "A sound can be heard.", "I hear nothing of the kind."),
    *("That leaves {x}.", "Everything points to {x}", "the correct option is {x}", "{x}\n{x}\n{x}"),
    *(
        "I choose {x} over {y}.",
        "It can't be {y}, so {x}",
        "{y}: no\n{x}: yes",
        "answer {x}, not {y}",
    ),
)
_EXPLANATIONS = (
    *(
        "The picture is bright and the music is slow.",
        "I hope this is helpful!",
        "Nothing else fits.",
    ),
    *("This answer is certain because everything in the scene agrees.", "The evidence is strong."),
    *("It is clearly audible from the first second to the last.", "Note that the clip is short."),
    *("The reasoning behind it is simple: it is what people in the scene react to.", "Thank you."),
    *("Let me know if you want more details.", "The volume rises steadily, as one would expect."),
)
_THOUGHTS = (
    *(
        "<think>{}</think>",
        "<thinking>{}</thinking>",
        "<reasoning>{}</reasoning>\n",
        "[THINK]{}[/THINK]",
    ),
    *(
        "<analysis>{}</analysis>",
        "<thought>{}</thought>",
        "<context>{}</context>",
        "◁think▷{}◁/think▷",
    ),
    *(
        "{}</think>",
        "<|channel>thought\n{}<channel|>",
        "<THINK>{}</Think>",
        "<think>a <think>{}</think>",
    ),
    *(
        "<seed:think>{}</seed:think>",
        "<|START_THINKING|>{}<|END_THINKING|>",
        "<think>{}</thinking>",
    ),
)
_MARKED = ("<", "\u25c1", "[THINK")
_rows = st.sampled_from([row for row in corpus() if not any(mark in row.reply for mark in _MARKED)])
_read_rows = st.sampled_from(
    [
        row
        for row in corpus()
        if row.reading is not None
        and row.question.form == "option"
        and not row.reply.lstrip().startswith(("{", "[", "```"))
        and "im_start" not in row.reply
    ]
)
_explanations = st.lists(st.sampled_from(_EXPLANATIONS), min_size=1, max_size=3).map(" ".join)


@st.composite
def _made(draw: st.DrawFn) -> tuple[Callable[[Sequence[str]], str], dict[str, str]]:
    """Draw a reply as a function of the letters, and options with the letters from A on."""
    count = draw(st.integers(2, len(_TEXTS)))
    texts = draw(st.permutations(_TEXTS))[:count]
    first = draw(st.integers(0, count - 1))
    second = draw(st.integers(0, count - 1).filter(lambda place: place != first))
    form = draw(st.sampled_from(_FORMS))
    ending = draw(st.sampled_from(["", *(f"\n\n{one}" for one in _EXPLANATIONS)]))

    def reply(letters: Sequence[str]) -> str:
        made = form.format(x=letters[first], y=letters[second], t=texts[first])
        return f"{made}{ending}"

    return reply, dict(zip(string.ascii_uppercase, texts, strict=False))


@_LAW
@given(_made(), st.randoms(use_true_random=False))
def test_permuting_the_letters_permutes_what_is_read(
    made: tuple[Callable[[Sequence[str]], str], dict[str, str]], random: object
) -> None:
    reply, options = made
    letters = list(options)
    moved = list(letters)
    random.shuffle(moved)  # type: ignore[attr-defined]
    to = dict(zip(letters, moved, strict=True))
    relabelled = {to[letter]: text for letter, text in options.items()}
    before = as_choice(reply(letters), options).value
    after = as_choice(reply(moved), relabelled).value
    assert after == (to[before] if before is not None else None)


@_LAW
@given(_read_rows, _explanations)
def test_an_explanation_that_names_no_other_option_changes_nothing(row: Row, more: str) -> None:
    said = spoken(row.reply).text
    assert read(row.question, f"{said}\n\n{more}").value == row.reading


@_LAW
@given(_rows, st.data())
def test_the_reading_does_not_change_with_the_gold(row: Row, data: st.DataObject) -> None:
    columns = {"option": "meme", "label": "music_avqa", "name": "geoiq", "sentence": "captioning"}
    options = row.question.options
    answers = list(options) or ["yes", "no", "three", "violin", "left", "Peru", row.reading or "x"]

    def item(answer: str) -> Item:
        return Item(
            id="x",
            column=columns[row.question.form],
            category="Miscellaneous",
            question=row.question.text,
            options=tuple(options.values()) or None,
            answer=answer,
            source=Source(dataset="test", id="x"),
        )

    golds = st.sampled_from(answers)
    first, second = data.draw(golds), data.draw(golds)
    assert read_item(item(first), row.reply) == read_item(item(second), row.reply)


@_LAW
@given(_rows, st.sampled_from(_THOUGHTS), st.sampled_from(corpus()))
def test_thinking_never_changes_what_is_read(row: Row, mark: str, thought: Row) -> None:
    if any(sign in thought.reply for sign in "<◁[|"):
        return
    said = spoken(f"{mark.format(thought.reply)}{row.reply}")
    assert not said.unclosed
    assert read(row.question, said.text) == read(row.question, row.reply)


@_LAW
@given(
    _rows, st.sampled_from(["<think>", "<reasoning>", "[THINK]", "◁think▷", "<|channel>thought\n"])
)
def test_thinking_that_does_not_end_is_no_answer(row: Row, mark: str) -> None:
    assert spoken(f"{mark}{row.reply}").unclosed
    assert spoken(f"{row.reply}{mark}it may be").unclosed


_OPTIONS: Mapping[str, str] = dict(zip("ABCD", _TEXTS, strict=False))
_UNITS = (
    "ha-ha-",
    "A ",
    "(B) ",
    "B or C, ",
    "a door slamming. ",
    "Answer: B\n",
    "<think>",
    "</think>",
)


@pytest.mark.parametrize(
    "unit",
    [*_UNITS, "<think>x</think>", "{", '{"', '{"a" ', "[{", '{"score": ', "not ", "**", "one "],
)
def test_time_grows_linearly(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = math.inf
        for _ in range(2):
            start = time.process_time()
            said = spoken(text)
            read(Question("option", "What?", options=_OPTIONS), said.text)
            read(Question("name", "Which country?"), said.text)
            read_verdict(text)
            best = min(best, time.process_time() - start)
        return best

    seconds(1000)
    small, large = seconds(128_000), seconds(1_024_000)
    assert math.log(large / small) / math.log(8) < 1.3, (small, large)
