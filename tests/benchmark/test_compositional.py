"""Made clips: what they show and sound, measured in the media; who may be joined; the task."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.benchmark.data.checking import check_folder
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.benchmark.sources.compositional.captioned import event_of
from aurelia_plugin.benchmark.sources.compositional.drawing import MadeClips, read
from aurelia_plugin.benchmark.sources.compositional.events import Event, Events, read_events
from aurelia_plugin.benchmark.sources.compositional.questions import KINDS
from aurelia_plugin.benchmark.sources.music_avqa import Question
from aurelia_plugin.benchmark.sources.selection import shipped_ids
from aurelia_plugin.benchmark.sources.sole_instruments import sole_instruments
from aurelia_plugin.cli import main
from aurelia_plugin.errors import ConfigError

from .standins import Clip, labels_csv, make_clips, measured, music_rows

_UPDATE = Path(__file__).resolve().parents[1] / "data" / "music_avqa_test_update_sample.json"

_CLIPS = {
    "dogs/rex.mp4": Clip((220, 20, 20), 440),
    "dogs/fido.mp4": Clip((220, 200, 20), 620),
    "train.mp4": Clip((20, 200, 40), 1000),
    "bell.mp4": Clip((30, 40, 220), 1700),
}
_LABELS = {
    "dogs/rex.mp4": "a dog",
    "dogs/fido.mp4": "a dog",
    "train.mp4": "a train",
    "bell.mp4": "a bell",
}


def _build(to: Path, *more: str) -> int:
    return main(["data", "build", "compositional", "--to", str(to), *more])


def _items(folder: Path) -> list[Item]:
    return list(read_items(folder / MANIFEST))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    (folder / "dogs").mkdir()
    make_clips(folder, _CLIPS)
    (folder / "labels.csv").write_text(labels_csv(list(_LABELS.items())))
    return folder


@pytest.fixture(scope="module")
def built(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every arrangement of every kind once."""
    folder = tmp_path_factory.mktemp("built")
    ids = folder / "ids.txt"
    others = itertools.cycle(("train.mp4", "bell.mp4"))
    rows = [
        f"{name}|{arrangement}|dogs/rex.mp4|{next(others)}"
        for name, kind in KINDS.items()
        for arrangement in kind.options
    ]
    ids.write_text("".join(f"{row}{'|dogs/fido.mp4' * ('alone' in row)}\n" for row in rows))
    arguments = ["--annotations", str(clips / "labels.csv"), "--media", str(clips)]
    assert _build(folder, *arguments, "--ids", str(ids)) == 0
    return folder


def _true_option(item: Item, path: Path) -> str:
    """Return the option that the clip itself bears out: by its colours and tones alone."""
    (left, right), (left_after, right_after) = measured(path, _CLIPS).thirds
    before, after = measured(path, _CLIPS).heard

    def named(names: frozenset[str]) -> str:
        (label,) = {_LABELS[name] for name in names}
        return label

    if item.question_type == "swap":
        assert left == right == left_after == right_after
        assert before == after
        return f"seen: {_LABELS[left]}; heard: {named(before)}"
    if item.question_type == "binding":
        assert before == after
        place = "left" if {left} == before else "right"
        assert {left, right} > before
        return f"{named(before)}, on the {place}"
    if left != right:
        assert before == after == frozenset({left, right})
        return f"{_LABELS[left]} and {_LABELS[right]}, both at the same time"
    assert (before, after) == (frozenset({left}), frozenset({left_after}))
    if _LABELS[left] == _LABELS[left_after]:
        return "only one of them"
    return f"{_LABELS[left]} followed by {_LABELS[left_after]}"


def test_the_clips_show_and_sound_what_the_answers_say(built: Path) -> None:
    items = _items(built)
    assert Counter(item.question_type for item in items) == {"order": 4, "swap": 4, "binding": 4}
    for item in items:
        assert item.options is not None
        assert item.video is not None
        gold = item.options[item.letters.index(item.answer)]
        true = _true_option(item, built / item.video)
        assert gold.startswith(true), (item.source.id, gold, true)
    assert check_folder(built).good


def test_a_build_repeats_itself_byte_for_byte(built: Path, clips: Path, tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(item.source.id for item in _items(built)[2:4]) + "\n")
    arguments = ["--annotations", str(clips / "labels.csv"), "--ids", str(ids)]
    assert _build(tmp_path / "again", *arguments, "--media", str(clips)) == 0
    assert _items(tmp_path / "again") == _items(built)[2:4]
    for item in _items(tmp_path / "again"):
        assert item.video is not None
        assert (tmp_path / "again" / item.video).read_bytes() == (built / item.video).read_bytes()


def test_a_build_goes_on_and_says_what_cannot_be_used(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "clips"
    make_clips(source, {"one.mp4": _CLIPS["train.mp4"], "mute.mp4": Clip((9, 9, 9), 0)}, 2.0)
    labels = [("one.mp4", "a train"), ("two.mp4", "a bell"), ("mute.mp4", "a cat")]
    (source / "labels.csv").write_text(labels_csv(labels))
    ids = tmp_path / "ids.txt"
    rows = ["swap|first_second|one.mp4|two.mp4", "swap|first_first|one.mp4|two.mp4"]
    ids.write_text("\n".join([*rows, "swap|first_second|one.mp4|mute.mp4"]))
    arguments = ["--annotations", str(source / "labels.csv"), "--media", str(source)]
    arguments += ["--ids", str(ids)]
    to = tmp_path / "to"
    assert _build(to, *arguments) == 1
    printed = capsys.readouterr().out
    assert "mute.mp4 is silent" in printed
    assert (to / "missing_compositional.txt").read_text() == "two.mp4\n"
    # What needs only the clip that is there was made.
    (first,) = _items(to)
    assert first.source.id == rows[1]
    assert first.video is not None
    made = (to / first.video).stat().st_mtime_ns
    make_clips(source, {"two.mp4": _CLIPS["bell.mp4"]}, 2.0)
    assert _build(to, *arguments) == 0
    assert [item.source.id for item in _items(to)] == rows
    assert (to / first.video).stat().st_mtime_ns == made
    os.utime(source / "one.mp4", ns=(made + 10**9, made + 10**9))  # it was downloaded again
    assert _build(to, *arguments) == 0
    assert (to / first.video).stat().st_mtime_ns > made
    assert not list(to.rglob("*.tmp"))


def test_without_media_the_questions_alone(clips: Path, tmp_path: Path) -> None:
    labels = ["--annotations", str(clips / "labels.csv"), "--annotations-only"]
    assert _build(tmp_path, *labels, "--number", "6", "--seed", "4") == 0
    assert len(_items(tmp_path)) == 6
    assert check_folder(tmp_path, media=False).good
    assert not (tmp_path / "media").exists()


def test_a_folder_sorted_by_what_the_clips_show(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder says both what there is and where it is."""
    source = tmp_path / "clips"
    for file, label in _LABELS.items():
        place = source / label.replace(" ", "_") / "more" / Path(file).name
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(clips / file, place)
    (source / "stray.mp4").touch()
    (source / "a_dog" / "notes.txt").write_text("no clip")
    assert _build(tmp_path / "to", "--annotations", str(source), "--number", "3") == 0
    assert "stray.mp4: lies in no subfolder" in capsys.readouterr().out
    assert check_folder(tmp_path / "to").good
    named = "".join(text for item in _items(tmp_path / "to") for text in item.options or ())
    assert all(label in _LABELS.values() for label in re.findall(r"a (?:dog|train|bell)", named))
    assert len({event.label for event in read_events(source).clips}) == 3


# Which clips


def test_clips_of_both_data_sets(tmp_path: Path) -> None:
    music = tmp_path / "avqa-test.json"
    music.write_text(music_rows({"00000001": "violin", "00000002": "acoustic_guitar"}))
    valor = tmp_path / "desc_test.json"
    rows = [("AbCdEfGhIjK_20.000_30.000", "A dog barks in the yard.")]
    rows += [("LmNoPqRsTuV_0.000_10.000", "A train whistles as it passes.")]
    rows += [("XxNoPqRsTuV_0.000_10.000", "A man talks while a dog barks.")]
    valor.write_text(json.dumps([{"video_id": name, "desc": text} for name, text in rows]))
    pool = read(music, valor, licence="terms")
    assert pool.has_shipped_rows
    assert pool.rows == 4
    drafts = pool.drawn("compositional", 40, 0)
    assert {draft.item.source.dataset for draft in drafts} == {"MUSIC-AVQA", "VALOR-32K"}
    files = {name for draft in drafts if draft.montage for name in draft.montage.files}
    assert files >= {"00000001.mp4", "AbCdEfGhIjK_20.000_30.000.mp4"}
    assert not read(music, licence="").has_shipped_rows


def test_the_sample_of_music_avqa_is_too_little(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (event,) = read_events(_UPDATE).clips
    assert event == Event("00001801", "a xylophone", "00001801.mp4", "MUSIC-AVQA")
    for column in ("compositional", "geoiq"):
        files = ["--annotations", str(_UPDATE), "--annotations-only", "--number", "9"]
        assert main(["data", "build", column, "--to", str(tmp_path), *files]) == 1
        said = capsys.readouterr().err
        assert f"{column}: no item can be made from {_UPDATE.name}" in said
        assert said.splitlines()[-1].startswith("Name the complete annotation file: ")


def _row(template: str, answer: str, *values: str, video: str = "00000001") -> Question:
    return Question.model_validate(
        {
            **{"video_id": video, "question_id": 1, "question_content": template, "anser": answer},
            "templ_values": json.dumps(values),
            "type": "[]",
        }
    )


_KIND = _row("What kind of musical instrument is it\uff1f ", "violin")


@pytest.mark.parametrize(
    "other",
    [
        _row("Is there a <Object> sound?", "yes", "piano"),
        _row("Is there a <Object> sound?", "no", "violin"),
        _row("Is the <Object> louder than the <Object>?", "no", "piano", "violin"),
        _row("Is there a voiceover?", "yes"),
        _row("Is this sound from the instrument in the video?", "no"),
        _row("How many types of musical instruments sound in the video?", "two"),
        _row("What is the <TH> instrument that comes in?", "piano", "first"),
    ],
)
def test_what_another_row_says_against_a_single_kind(other: Question) -> None:
    assert sole_instruments([_KIND]) == {"00000001": "violin"}
    assert sole_instruments([_KIND, other]) == {}
    agreeing = _row("How many <Object> are in the entire video?", "zero", "piano")
    assert sole_instruments([agreeing, _KIND]) == {"00000001": "violin"}


def test_made_clips_of_music_avqa_itself_are_no_source() -> None:
    synthetic = _row("What kind of musical instrument is it?", "violin", video="sa00000001")
    assert sole_instruments([synthetic]) == {}
    assert (
        sole_instruments([_row("How many <Object> are in the entire video?", "one", "piano")]) == {}
    )


@pytest.mark.parametrize(
    ("description", "label"),
    [
        ("On the lawn a black dog barked loudly.", "a dog"),
        ("A dog barked at a cat.", None),
        ("A dog ran over the lawn.", None),
        ("A dog barks while a woman sings.", None),
        ("A man lay in bed and snored.", "someone snoring"),
        ("A man rode a motorcycle with a roar.", "a motorcycle"),
        ("With the sound of scissors a man cut paper.", "scissors"),
    ],
)
def test_descriptions_of_one_thing(description: str, label: str | None) -> None:
    assert event_of(description) == label


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("rows.json", "{}", "none of the forms"),
        ("rows.json", '[{"desc": "A dog barks."}]', "no 'video_id'"),
        ("rows.csv", "file,label\na.mp4,\n", "rows.csv:2: has no label"),
        ("rows.csv", "file,label\na.mp4,a dog\na.mp4,a cat\n", "rows.csv:3: a.mp4 comes twice"),
        ("rows.csv", "file,label\na|b.mp4,a dog\n", "has a |"),
    ],
)
def test_files_that_give_no_clips(name: str, content: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ConfigError, match=re.escape(what)):
        read_events(path)


# Which questions

_EVENTS = st.lists(
    st.sampled_from(("a dog", "A dog", "a train", "a bell", "congas")), min_size=2, max_size=12
).filter(lambda labels: len({label.casefold() for label in labels}) > 1)


@given(_EVENTS, st.integers(0, 5), st.integers(1, 60))
def test_any_clips_give_questions_with_one_right_option(
    labels: list[str], seed: int, number: int
) -> None:
    events = [
        Event(f"{place}.mp4", label, f"{place}.mp4", "x") for place, label in enumerate(labels)
    ]
    pool = MadeClips([Events(tuple(events))], "terms")
    drafts = pool.drawn("compositional", number, seed)
    assert len({draft.item.id for draft in drafts}) == len(drafts) <= number
    assert pool.named([draft.item.source.id for draft in drafts], "ids") == drafts
    for draft in drafts:
        kind, arrangement, *keys = draft.item.source.id.split("|")
        first, second = (labels[int(key.removesuffix(".mp4"))].casefold() for key in keys[:2])
        assert first != second
        options = draft.item.options
        assert options is not None
        assert len({option.casefold() for option in options}) == 4
        wanted = KINDS[kind].options[arrangement](first, second)
        assert options[draft.item.letters.index(draft.item.answer)].casefold() == wanted
        assert draft.montage is not None
        assert set(draft.montage.files) <= {event.file for event in events}


def test_row_ids_that_these_clips_do_not_give() -> None:
    events = [Event("1", "a dog", "1.mp4", "x"), Event("2", "a dog", "2.mp4", "x")]
    pool = MadeClips([Events((*events, Event("3", "a cat", "3.mp4", "x")))], "")
    good = "order|alone|1|3|2"
    assert pool.named([good], "ids")[0].item.answer in "ABCD"
    for bad in ("order|alone|1|3", "order|alone|1|3|3", "swap|first_first|1|2", "swap|x|1|3", "1"):
        with pytest.raises(ConfigError, match="1 of 2 rows are not in the annotations"):
            pool.named([good, bad], "ids")


def test_the_shipped_rows_are_balanced() -> None:
    golds: dict[str, Counter[str]] = defaultdict(Counter)
    for row in shipped_ids("compositional") or ():
        kind, arrangement, *_ = row.split("|")
        golds[kind][arrangement] += 1
    assert sum(sum(counts.values()) for counts in golds.values()) == 968
    for kind, counts in golds.items():
        assert set(counts) == set(KINDS[kind].options)
        assert max(counts.values()) <= 1.5 * sum(counts.values()) / 4
