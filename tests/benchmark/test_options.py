"""The letters of options: those that the source gives, or none."""

from __future__ import annotations

from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from aurelia_plugin.benchmark.importing.options import letter_of, read_options


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ({"B": "dog", "A": "cat"}, ("cat", "dog")),
        ({"b": "dog", "a": "cat"}, ("cat", "dog")),
        ({"Option B": "dog", "Option A": "cat"}, ("cat", "dog")),
        ({"2": "dog", "1": "cat"}, ("cat", "dog")),
        ({"1": "dog", "0": "cat"}, ("cat", "dog")),
        ({"A": None, "B": "dog"}, ("", "dog")),
        ({"A": "cat", "D": "dog"}, ("cat", "", "", "dog")),
        ("{'B': 'dog', 'A': 'cat'}", ("cat", "dog")),
        ('{"B": "dog", "A": "cat"}', ("cat", "dog")),
        (["B. dog", "A. cat"], ("cat", "dog")),
        (["(B) dog", "(A) cat"], ("cat", "dog")),
        (["B) dog", "A) cat"], ("cat", "dog")),
        (["b: dog", "a: cat"], ("cat", "dog")),
        (["B - dog", "A - cat"], ("cat", "dog")),
        (["\uff08B\uff09\u72d7", "\uff08A\uff09\u732b"], ("\u732b", "\u72d7")),
        (["A. cat", "C. dog"], ("cat", "", "dog")),
        (["", "B. dog", "C. cat"], ("", "dog", "cat")),
        ("B. dog\nA. cat", ("cat", "dog")),
        ("A. cat\n\nB. dog", ("cat", "dog")),
        ("A. cat|B. dog", ("cat", "dog")),
        (["cat", "", "dog"], ("cat", "", "dog")),
        (["cat", None, "dog", None], ("cat", "", "dog")),
        ("cat||dog|", ("cat", "", "dog")),
        ("['cat', None, 'dog']", ("cat", "", "dog")),
        ('["cat", null, "dog"]', ("cat", "", "dog")),
        (["1. cat", "2. dog"], ("cat", "dog")),
        (["1: 2", "2: 1"], ("1: 2", "2: 1")),
        (["cat", "A. dog"], ("cat", "A. dog")),
        (["I. Newton", "A. Einstein"], ("I. Newton", "A. Einstein")),
        (["A", "B"], ("A", "B")),
        ([3, 2.5, True], ("3", "2.5", "True")),
        (None, ()),
        ("", ()),
        ([], ()),
        ({}, ()),
        ("[cat", ("[cat",)),
    ],
)
def test_an_option_keeps_its_letter_or_its_place(value: JsonValue, texts: tuple[str, ...]) -> None:
    assert read_options(value).texts == texts


@pytest.mark.parametrize(
    "value",
    [
        [["cat"], "dog"],
        [{"label": "A", "text": "cat"}],
        {"A": ["cat"]},
        {"first": "cat", "second": "dog"},
        {"A": "cat", "a": "dog"},
        {"A": "cat", "1": "dog"},
        {"x": "cat", "y": "dog"},
        {"0": "cat", "99": "dog"},
        ["x"] * 27,
        7,
        True,
    ],
)
def test_what_cannot_be_told_is_refused(value: JsonValue) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_options(value)


@pytest.mark.parametrize(
    ("value", "answer", "letter"),
    [
        ({"B": "dog", "A": "cat"}, "B", "B"),
        ({"B": "dog", "A": "cat"}, "(b)", "B"),
        ({"B": "dog", "A": "cat"}, "B. dog", "B"),
        ({"B": "dog", "A": "cat"}, "dog", "B"),
        ({"2": "dog", "1": "cat"}, "2", "B"),
        ({"1": "dog", "0": "cat"}, "1", "B"),
        ({"2": "dog", "1": "cat"}, "B", "B"),
        (["cat", "", "dog"], "C", "C"),
        (["3", "2", "1"], "2", "B"),
        (["I. Newton", "A. Einstein"], "I. Newton", "A"),
        (["cat", "dog"], "C", None),
        ("1)", "1", None),
        (["A. cat", "B."], "B", None),
        (["cat", "dog"], "2", None),
        (["cat", "dog"], "a dog, I think", None),
    ],
)
def test_an_answer_by_label_or_text(value: JsonValue, answer: str, letter: str | None) -> None:
    assert letter_of(answer, read_options(value)) == letter


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (["B", "A", "C"], "A"),
        (["cat", "cat"], "cat"),
        ({"B": "dog", "A": "cat"}, "B. cat"),
        (["cat", "A. dog"], "A"),
        (["cat", "A. dog"], "B"),
        (["I. Newton", "A. Einstein"], "A"),
        (["2. dog", "1. cat"], "B"),
        ("cat\n\ndog\nbird", "C"),
    ],
)
def test_two_readings_that_differ_are_refused(value: JsonValue, answer: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        letter_of(answer, read_options(value))


_words = st.lists(st.text("bcdfgh", min_size=2, max_size=6), min_size=2, max_size=8, unique=True)
_FORMS = ("{}. {}", "({}) {}", "{}) {}", "{}: {}")


@given(_words, st.randoms(use_true_random=False), st.sampled_from(_FORMS), st.booleans())
def test_the_order_of_lettered_options_does_not_matter(
    words: list[str], random: object, form: str, as_object: bool
) -> None:
    pairs = list(zip(ascii_uppercase, words, strict=False))
    random.shuffle(pairs)  # type: ignore[attr-defined]
    value: JsonValue = dict(pairs) if as_object else [form.format(*pair) for pair in pairs]
    options = read_options(value)
    assert options.texts == tuple(words)
    for letter, word in pairs:
        assert letter_of(letter, options) == letter_of(word, options) == letter


@given(st.lists(st.sampled_from(["", "xx", "yy", "zz"]), max_size=8))
def test_places_of_plain_options_never_move(texts: list[str]) -> None:
    found = read_options(list(texts)).texts
    assert found == tuple(texts)[: len(found)]
    assert not any(texts[len(found) :])
