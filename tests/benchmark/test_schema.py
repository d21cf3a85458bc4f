"""Items and manifests."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS, Item, read_items, write_items
from aurelia_plugin.benchmark.synthetic.atlas import ATLAS, ATTRIBUTES
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY
from aurelia_plugin.errors import ConfigError

_FIELDS: dict[str, object] = {
    "id": "dm-1",
    "column": "dm_match",
    "category": "Dance performances",
    "question": "Which sound\u2028fits?",
    "options": ["Audio 1", "Audio 2"],
    "answer": "B",
    "audios": ["a/1.wav", "a/2.wav"],
    "video": "v/1.mp4",
    "source": {"dataset": "user", "id": "1"},
}


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    items = [Item.model_validate(_FIELDS), Item.model_validate(_FIELDS | {"id": "dm-2"})]
    path = tmp_path / "m.jsonl"
    write_items(path, items)
    assert list(read_items(path)) == items
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.jsonl"]
    assert len(path.read_text().splitlines()) == 2


def test_what_only_some_sources_have_is_left_out_where_it_is_not() -> None:
    plain = Item.model_validate(_FIELDS).model_dump(mode="json")
    assert "question_type" not in plain
    assert plain["source"] == _FIELDS["source"]
    source = {"dataset": "user", "id": "1", "licence": "MIT"}
    full = Item.model_validate(_FIELDS | {"source": source, "question_type": "Audio Counting"})
    assert full.model_dump(mode="json")["source"] == source
    assert Item.model_validate_json(full.model_dump_json()) == full


def test_an_items_media_and_cluster() -> None:
    item = Item.model_validate(_FIELDS)
    assert item.media == ("v/1.mp4", "a/1.wav", "a/2.wav")
    assert item.cluster == "v/1.mp4"
    silent = Item.model_validate(_FIELDS | {"video": None, "audios": []})
    assert silent.cluster == "dm-1"


@pytest.mark.parametrize(
    "change",
    [
        {"column": "dance"},
        {"category": "Dance"},
        {"answer": "C"},
        {"answer": "Audio 2"},
        {"colour": "red"},
        {"reasoning_steps": ["Look."], "step_answers": ["Yes.", "No."]},
        {"needs": ["smell"]},
        {"video": "../v/1.mp4"},
        {"audios": ["/a/1.wav", "a/2.wav"]},
    ],
)
def test_what_is_not_an_item(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Item.model_validate(_FIELDS | change)


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    good = Item.model_validate(_FIELDS).model_dump_json()
    path.write_text(f"{good}\n\n{{}}\n")
    with pytest.raises(ConfigError, match=r"m\.jsonl:3.*\nCorrect line 3"):
        list(read_items(path))
    with pytest.raises(ConfigError, match="Name a manifest"):
        list(read_items(tmp_path / "none.jsonl"))


def test_the_atlas_needs_both_flag_and_melody() -> None:
    assert len(ATLAS) == 25
    for attribute in ("name", *ATTRIBUTES):
        for region in ATLAS:
            same = [r for r in ATLAS if getattr(r, attribute) == getattr(region, attribute)]
            assert attribute == "continent" or same == [region]
            assert not [r for r in same if r != region and r.flag == region.flag]
            assert not [r for r in same if r != region and r.melody == region.melody]
    assert len(COLUMNS) == 7
    assert len(CATEGORIES) == 17


def test_no_phrase_stands_for_two_values() -> None:
    for attribute, words in VOCABULARY.items():
        phrases = [phrase for wordings in words.values() for phrase in wordings]
        assert len(phrases) == len(set(phrases)), attribute
