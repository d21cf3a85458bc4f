"""MUSIC-AVQA's answers: the closed set, and accuracy per type and modality."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.results import item_results
from aurelia_plugin.benchmark.scoring.labels import (
    LABELS,
    QUESTION_TYPES,
    canonical_label,
    question_type,
)
from aurelia_plugin.benchmark.sources.music_avqa import read

_DATA = Path(__file__).resolve().parents[1] / "data" / "music_avqa_test_update_sample.json"


def test_the_closed_set() -> None:
    labels = [label for kinds in LABELS.values() for label in kinds if label != "ten"]
    assert len(labels) == len(set(labels)) == 41
    assert len([label for label in labels if canonical_label(label) is not None]) == 41
    for row in json.loads(_DATA.read_text()):
        assert canonical_label(row["anser"]) == row["anser"]
    assert canonical_label("Three") == canonical_label("3") == "three"
    assert canonical_label("a banana") is None


def test_metrics_do_not_contain_one_another() -> None:
    names = {kind.metric for kind in QUESTION_TYPES}
    names |= {kind.modality_metric for kind in QUESTION_TYPES}
    assert len(names) == 9 + 3
    names |= {"score", "accuracy", "unparsed", "by_video", "judged", "judge_failures", "rouge_l"}
    names |= {"bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider", "meteor", "spice"}
    assert not [(a, b) for a in names for b in names if a != b and a in b]


_QUESTIONS = {
    "number": "How many instruments are sounding in the video?",
    "presence": "Is the violin in the video always playing?",
    "scene": "Where is the performance?",
    "place": "Where is the loudest instrument?",
}


def _asked(answer: str) -> str:
    """Return a question to which the answer is one."""
    kinds = (kind for kind, labels in LABELS.items() if canonical_label(answer) in labels)
    return _QUESTIONS.get(next(kinds, ""), "Which instrument makes the sound first?")


def _item(answer: str, **more: object) -> Item:
    return Item.model_validate(
        {
            "id": "m",
            "column": "music_avqa",
            "category": "Musical performances",
            "question": _asked(answer),
            "answer": answer,
            "source": {"dataset": "test", "id": "1"},
            **more,
        }
    )


@pytest.mark.parametrize(
    ("gold", "reply", "right"),
    [
        ("two", "There are 2 instruments: a violin and a piano.", True),
        ("two", "Answer: Two.", True),
        ("two", "two or three", False),
        ("more than ten", "Answer: more than ten", True),
        ("more than ten", "Answer: ten", False),
        ("acoustic guitar", "The acoustic_guitar", True),
        ("acoustic_guitar", "a guitar", True),
        ("electric_bass", "the bass guitar", True),
        ("acoustic_guitar", "the bass guitar", False),
        ("violin", "Answer: violins", True),
        ("violin", "Answer: violin and cello", False),
        ("simultaneously", "They start at the same time.", True),
        ("simultaneously", "Answer: left", False),
        ("middle", "in the centre", True),
        ("yes", "Yes, the violin is.", True),
        ("yes", "No.", False),
        ("indoor", "It was filmed indoors", True),
        ("zero", "Answer: \u0660", True),
        ("a voice", "Answer: a voice", True),
    ],
)
def test_replies(gold: str, reply: str, right: bool) -> None:
    assert item_results(_item(gold), reply)["accuracy"] == float(right)


def test_per_type_and_modality_equal_a_plain_count() -> None:
    """The reference's figures: right answers over questions, per type, modality and overall."""
    items = [draft.item for draft in read(_DATA, "test").drafts]
    labels = sorted({item.answer for item in items})
    rng = random.Random(3)
    replies = [rng.choice([item.answer, rng.choice(labels)]) for item in items]
    counted: dict[str, list[bool]] = defaultdict(list)
    for row, reply in zip(json.loads(_DATA.read_text()), replies, strict=True):
        modality, name = json.loads(row["type"])
        for group in (modality, f"{modality} {name}", "all"):
            counted[group].append(row["anser"].replace("_", " ") == reply)
    reported: dict[str, list[float]] = defaultdict(list)
    for item, reply in zip(items, replies, strict=True):
        results = item_results(item, f"Answer: {reply}")
        kind = question_type(item.question_type)
        assert kind is not None
        reported[kind.modality].append(results[kind.modality_metric])
        reported[item.question_type or ""].append(results[kind.metric])
        reported["all"].append(results["accuracy"])
    assert len(counted) == len(reported) == 9 + 3 + 1
    for group, right in counted.items():
        assert sum(reported[group]) / len(right) == pytest.approx(sum(right) / len(right), abs=1e-6)
    assert 0.3 < sum(counted["all"]) / 54 < 0.8
