"""The questions: right, balanced, in need of both media, and fit for training."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest

from aurelia_plugin.benchmark.data.items import COLUMNS
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.benchmark.synthetic import HELD_OUT, Sample, held_out, make
from aurelia_plugin.benchmark.synthetic.build import samples
from aurelia_plugin.benchmark.synthetic.columns import FAMILIES
from aurelia_plugin.errors import ConfigError

from . import oracle

_CLOSED = ("music_avqa", "compositional", "geoiq", "meme")
_FREE = ("avsd", "captioning")


def _many(column: str, turns: int = 60) -> list[Sample]:
    return list(samples(column, 11, turns * len(FAMILIES[column])))


@pytest.mark.parametrize("column", _CLOSED)
def test_gold_follows_from_picture_and_sound(column: str) -> None:
    for sample in _many(column):
        told = oracle.answer(sample.item, sample.family, sample.scene, sample.scene)
        assert told == sample.item.answer, sample


@pytest.mark.parametrize("column", _FREE)
def test_facts_follow_from_picture_and_sound(column: str) -> None:
    for sample in _many(column):
        assert oracle.facts(sample.item, sample.scene, sample.scene) == sample.item.facts


def test_the_right_candidate_has_the_beat() -> None:
    for sample in _many("dm_match"):
        assert oracle.match(sample.scene, sample.candidates) == sample.item.answer
        assert not sample.scene.sounds


@pytest.mark.parametrize("column", COLUMNS)
def test_gold_answers_and_references_score_one(column: str) -> None:
    for sample in _many(column, 20):
        for reply in (sample.item.answer, *sample.item.references):
            scores = score_item(sample.item, f"Answer: {reply}")
            assert scores["accuracy"] == scores["score"] == 1.0, (reply, sample.item)


@pytest.mark.parametrize("column", _CLOSED)
def test_one_medium_leaves_the_answer_open(column: str) -> None:
    """With the other medium taken from elsewhere, valid answers differ from the gold one."""
    by_family = defaultdict(list)
    for sample in _many(column, 40):
        by_family[sample.family].append(sample)
    for family, group in by_family.items():
        media = group[0].item.needs
        for sample in group[:12]:
            item, scene = sample.item, sample.scene
            told_by_sound = {oracle.answer(item, family, scene, other.scene) for other in group}
            told_by_picture = {oracle.answer(item, family, other.scene, scene) for other in group}
            assert (len(told_by_sound) > 1) == ("sound" in media), (family, told_by_sound)
            assert (len(told_by_picture) > 1) == ("picture" in media), (family, told_by_picture)


@pytest.mark.parametrize("column", [*_CLOSED, "dm_match"])
def test_answers_are_balanced(column: str) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in _many(column):
        kind = f"{len(sample.item.options or ())} options"
        counts[sample.family if sample.item.options is None else kind][sample.item.answer] += 1
    for family, counter in counts.items():
        values = counter.values()
        limit = 8 if column == "geoiq" else 0.1 * max(values) + 2
        assert max(values) - min(values) <= limit, (family, counter)
        assert len(counter) > 1


@pytest.mark.parametrize("column", ["compositional", "meme", "dm_match"])
def test_letters_are_balanced_in_a_default_sized_column(column: str) -> None:
    letters = Counter(s.item.answer for s in samples(column, 0, 30))
    assert max(letters.values()) <= 13
    assert min(letters["A"], letters["B"], letters["C"]) >= 5


@pytest.mark.parametrize("column", ["compositional", "meme", "dm_match"])
def test_letters_are_drawn_and_do_not_follow_from_the_turn(column: str) -> None:
    """The letter before, and that of another seed, say nothing of a letter."""
    by_seed = []
    for seed in (3, 4):
        found: dict[str, list[int]] = defaultdict(list)
        for sample in samples(column, seed, 100 * len(FAMILIES[column])):
            found[sample.family].append(sample.item.letters.index(sample.item.answer))
        by_seed.append(found)
        for family, letters in found.items():
            count = max(letters) + 1
            steps = Counter((b - a) % count for a, b in pairwise(letters))
            assert len(steps) == count, family
            assert max(steps.values()) < 60, (family, steps)
            for block in range(0, len(letters) - count, count):
                assert sorted(letters[block : block + count]) == list(range(count)), family
    first, second = ([n for letters in found.values() for n in letters] for found in by_seed)
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 0.5 * len(first)


@pytest.mark.parametrize("column", ["compositional", "meme"])
def test_no_meaning_keeps_to_one_letter(column: str) -> None:
    letters = defaultdict(set)
    for sample in _many(column):
        assert sample.item.options is not None
        gold = sample.item.options[sample.item.letters.index(sample.item.answer)]
        if sample.family in ("order_of_two", "landing_and_sound", "haste", "size_and_pitch"):
            letters[gold].add(sample.item.answer)
    assert all(len(seen) >= 3 for seen in letters.values())


@pytest.mark.parametrize("column", COLUMNS)
def test_steps_have_answers_and_do_not_tell_the_gold_answer(column: str) -> None:
    for sample in _many(column, 20):
        item = sample.item
        assert item.reasoning_steps
        assert item.step_answers
        assert 1 <= len(item.reasoning_steps) == len(item.step_answers) <= 5
        gold = item.answer
        if item.options is not None:
            gold = item.options[item.letters.index(item.answer)]
        if gold not in ("left", "right", "middle"):
            assert not any(gold.lower() in step.lower().split() for step in item.reasoning_steps)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_seed_gives_the_same_samples_and_another_seed_others(column: str) -> None:
    first, again = list(samples(column, 5, 9)), list(samples(column, 5, 9))
    assert first == again
    assert len({sample.scene for sample in first}) == 9
    assert [s.scene for s in samples(column, 6, 9)] != [s.scene for s in first]


@pytest.mark.parametrize("column", COLUMNS)
def test_training_samples_avoid_what_is_held_out(column: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        sample = make(column, rng, allow=lambda scene: not held_out(scene))
        for scene in (sample.scene, *sample.candidates):
            assert HELD_OUT.isdisjoint(scene.combinations)
    assert any(held_out(s.scene) or any(map(held_out, s.candidates)) for s in _many(column, 30))


def test_every_value_remains_when_the_held_out_pairs_are_gone() -> None:
    assert len(HELD_OUT) == 5 + 4 + 5
    for side in (1, 2):
        assert len({(pair.kind, pair[side]) for pair in HELD_OUT}) <= len(HELD_OUT)
        counts = Counter((pair.kind, pair[side]) for pair in HELD_OUT)
        assert max(counts.values()) == 1


def test_errors_name_the_fix() -> None:
    with pytest.raises(ConfigError, match="Use one of music_avqa"):
        make("music", np.random.default_rng(0))
    with pytest.raises(ConfigError, match="Allow more"):
        make("meme", np.random.default_rng(0), allow=lambda _: False)
