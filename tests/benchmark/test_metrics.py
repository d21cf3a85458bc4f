"""Scores of replies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-untyped]

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.benchmark.scoring.metrics import rouge_l


def _item(**changes: object) -> Item:
    fields: dict[str, object] = {
        "id": "x",
        "column": "captioning",
        "category": "Miscellaneous",
        "question": "What?",
        "answer": "A red star and a bell.",
        "source": Source(dataset="test", id="1"),
    }
    return Item.model_validate(fields | changes)


def test_rouge_is_that_of_the_caption_evaluation() -> None:
    references = ["the red star is bouncing while the bell plays", "a bell plays"]
    stripped = ["red star is bouncing while bell plays", "bell plays"]
    expected, _ = Rouge().compute_score({0: stripped}, {0: ["red star and bell plays"]})
    assert rouge_l("A red star, and a bell plays.", references) == pytest.approx(expected, abs=1e-9)


def test_rouge_by_hand() -> None:
    # LCS 2, precision 2/2, recall 2/4: (1 + 1.44) * 1 * 0.5 / (0.5 + 1.44).
    assert rouge_l("red star", ["red star slides slowly"]) == pytest.approx(1.22 / 1.94)
    assert rouge_l("red star", ["red star"]) == pytest.approx(1.0)
    assert rouge_l("", ["red star"]) == rouge_l("red", ["..."]) == rouge_l("red", []) == 0.0


def test_facts_share_and_contradiction() -> None:
    item = _item(facts={"colour": "red", "shape": "star", "sound": "bell", "motion": "still"})
    full = score_item(item, "A red star is still while a bell rings.")
    assert (full["score"], full["accuracy"], full["unparsed"]) == (1.0, 1.0, 0.0)
    half = score_item(item, "A red star.")
    assert (half["score"], half["accuracy"]) == (0.5, 0.0)
    both = score_item(item, "A red or blue star is still while a bell rings.")
    assert (both["score"], both["accuracy"]) == (0.75, 0.0)
    assert score_item(item, "Hello there.")["unparsed"] == 1.0


def test_options_and_labels() -> None:
    choice = _item(column="meme", options=("one", "two"), answer="B")
    assert score_item(choice, "B") == {"score": 1.0, "accuracy": 1.0, "unparsed": 0.0}
    assert score_item(choice, "A") == {"score": 0.0, "accuracy": 0.0, "unparsed": 0.0}
    assert score_item(choice, "A or B") == {"score": 0.0, "accuracy": 0.0, "unparsed": 1.0}
    label = _item(column="music_avqa", answer="two", facts={"number": "two"})
    assert score_item(label, "Answer: 2")["accuracy"] == 1.0
    assert score_item(label, "Answer: 3")["accuracy"] == 0.0


def test_without_a_closed_set_the_references_count() -> None:
    item = _item(column="geoiq", answer="New Delhi", references=("Delhi",))
    assert score_item(item, "Answer: Delhi.")["accuracy"] == 1.0
    assert score_item(item, "Answer: the new delhi")["accuracy"] == 1.0
    assert score_item(item, "Answer: Agra")["accuracy"] == 0.0
    caption = _item(references=("a red star",))
    assert score_item(caption, "red star")["accuracy"] == 1.0
    assert 0.0 < score_item(caption, "red square")["score"] < 1.0


@pytest.mark.parametrize(
    "item",
    [
        _item(),
        _item(facts={"colour": "red"}),
        _item(column="meme", options=("one", "two"), answer="A"),
        _item(column="geoiq", answer="torl", facts={"currency": "torl"}),
        _item(column="geoiq", answer="torl"),
    ],
)
def test_an_empty_reply_is_unparsed_and_wrong(item: Item) -> None:
    for reply in ("", " \n", "<think>red, A, torl</think>"):
        scores = score_item(item, reply)
        assert (scores["score"], scores["accuracy"], scores["unparsed"]) == (0.0, 0.0, 1.0)


def test_threads_agree() -> None:
    item = _item(facts={"colour": "red", "sound": "bell"})
    replies = ["red bell", "blue bell", "red", ""] * 50
    alone = [score_item(item, reply) for reply in replies]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda reply: score_item(item, reply), replies)) == alone
