from __future__ import annotations

from typing import Any

import pytest

from aurelia_plugin.compare.audits.answer_kinds import gold_of
from aurelia_plugin.compare.audits.leaks import find_leak

QUESTION = "What can be heard?"


def leak(steps: str, target: str, question: str = QUESTION, **about: Any) -> str:
    column = about.pop("column", "geoiq")
    gold = gold_of(target, column=column, category="x", question=question, about=about)
    return find_leak(steps.split("\n"), gold, question).leak


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("Listen for an instrument.\nIs it loud?", "clean"),
        ("No sound is heard, yes, so look again.", "clean"),  # the words alone give nothing away
        ("Yes or no? Decide. Yes.", "clean"),
        ("The answer is yes.", "leak"),
        ("So the final answer: Yes", "leak"),
        ("The answer is no.", "clean"),
        ("The answer is not yet clear.", "clean"),
    ],
)
def test_yes_and_no_count_only_as_a_stated_answer(steps: str, expected: str) -> None:
    assert leak(steps, "yes", facts={"presence": "yes"}) == expected
    assert leak(steps, "A", options=["yes", "no"]) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("Count the instruments.", "clean"),
        ("1. Look.\n2. Listen.\n3. Count.", "clean"),  # numbers of a list
        ("Step 3: compare Audio 3 after 3 seconds, the 3rd time, at 0:03.", "clean"),
        ("There are three violins.", "leak"),
        ("3 violins are on the left.", "leak"),
        ("Two flutes and three violins.", "unclear"),
        ("Four violins.", "clean"),
        ("Answer: three", "leak"),
        ("Answer: two. There are three people.", "unclear"),
        ("There are three people.\nAnswer: two", "clean"),
    ],
)
def test_numbers(steps: str, expected: str) -> None:
    assert leak(steps, "three", facts={"number": "three"}) == expected


def test_one_as_a_pronoun_is_no_number() -> None:
    assert leak("Find the loud one and the one of the left.", "one") == "clean"
    assert leak("Exactly one bell rings.", "one") == "leak"


OPTIONS = ["The dog sings", "The cat flies", "Nothing happens"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("Look at the dog, then listen.", "clean"),
        ("It seems that the dog sings.", "leak"),
        ("Is it that the dog sings, or that the cat flies?", "unclear"),
        ("The cat flies.", "clean"),
        ("Option A fits the sound.", "leak"),
        ("Compare option A with option B.", "unclear"),
        ("A dog and A cat are seen.", "clean"),  # the article is no letter
        ("The answer is (A).", "leak"),
        ("The answer is B.", "clean"),
    ],
)
def test_options(steps: str, expected: str) -> None:
    assert leak(steps, "A", options=OPTIONS) == expected
    lines = "\n".join(f"{'ABC'[k]}. {text}" for k, text in enumerate(OPTIONS))
    assert leak(steps, "A", question=f"What?\n{lines}") == expected  # a task of others


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("Which region has this flag?", "clean"),
        ("The flag is that of Velnor.", "leak"),
        ("It could be Velnor or Polderia.", "unclear"),
        ("Velnorian songs are heard.", "clean"),
    ],
)
def test_names_of_a_closed_set(steps: str, expected: str) -> None:
    question = "Atlas: Velnor, Polderia. Which region is it?"
    assert leak(steps, "Velnor", question, facts={"region": "Velnor"}) == expected


def test_names_without_a_closed_set() -> None:
    assert leak("They eat pasta there.", "Pasta", references=["spaghetti"]) == "leak"
    assert leak("They eat spaghetti.", "Pasta", references=["spaghetti"]) == "leak"
    assert leak("They eat rice.", "Pasta", references=["spaghetti"]) == "clean"
    assert leak("It is pasta.", "Pasta", "Is it rice or pasta?") == "unclear"
    assert leak("The answer is pasta.", "Pasta", "Is it rice or pasta?") == "leak"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("Which colour? Which instrument?", "clean"),
        ("The shape is red.\nA flute plays.", "leak"),
        ("The shape is red.", "clean"),
        ("Is it red or blue? A flute plays.", "unclear"),
    ],
)
def test_free_text_with_facts(steps: str, expected: str) -> None:
    facts = {"colour": "red", "sound": "flute"}
    assert leak(steps, "You see red and hear a flute.", column="avsd", facts=facts) == expected


def test_free_text_without_facts() -> None:
    gold = "A kettle whistles while a woman chops carrots."
    assert leak("A kettle whistles.\nA woman chops carrots.", gold, column="captioning") == "leak"
    assert leak("A kettle whistles loudly; a dog.", gold, column="captioning") == "clean"
    assert leak("A kettle whistles and a woman sings.", gold, column="captioning") == "unclear"


def test_what_is_asked_for() -> None:
    def asked(target: str, category: str, **about: Any) -> str:
        return gold_of(
            target, column="geoiq", category=category, question="?", about=about
        ).answer_class

    assert asked("Asia", "Continent") == "continent"
    assert asked("Hindi", "Language") == "language"
    assert asked("flute", "Musical performances", facts={"sound": "flute"}) == "sound"
    assert asked("yes", "Miscellaneous") == "yes_no"
    assert asked("7", "Miscellaneous") == "number"
    assert asked("B", "Miscellaneous", options=["x", "y"]) == "option"
