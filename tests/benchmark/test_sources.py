"""The readers, on real annotation rows where those may be kept, else on invented ones."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media.conftest import MakeSound, MakeVideo, grey_frames, tone
from PIL import Image

from aurelia_plugin.benchmark.data.home import PUBLIC
from aurelia_plugin.benchmark.data.items import COLUMNS
from aurelia_plugin.benchmark.reading import read_item
from aurelia_plugin.benchmark.scoring.labels import QUESTION_TYPES, canonical_label
from aurelia_plugin.benchmark.sources import SOURCES, avsd, music_avqa, odyssey, valor
from aurelia_plugin.benchmark.sources.selection import _rank, by_seed, shipped_ids
from aurelia_plugin.errors import ConfigError

_DATA = Path(__file__).resolve().parents[1] / "data"
_UPDATE = _DATA / "music_avqa_test_update_sample.json"
_ORIGINAL = _DATA / "music_avqa_test_original_sample.json"
_DIALOGS = _DATA / "avsd_dstc7_test_sample.json"
_SIX = _DATA / "avsd_dstc7_test_multiref_sample.json"


def _file(folder: Path, value: object, name: str = "rows.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value))
    return path


# MUSIC-AVQA


def test_music_avqa_update_sample() -> None:
    reading = music_avqa.read(_UPDATE, "terms")
    items = [draft.item for draft in reading.drafts]
    kinds = Counter(item.question_type for item in items)
    assert kinds == {f"{kind.modality} {kind.name}": 6 for kind in QUESTION_TYPES}
    assert len({item.id for item in items}) == 54
    assert not reading.notes
    by_id = {item.source.id: item for item in items}
    one = by_id["00000045/95"]
    assert (
        one.question == "Is the instrument on the right more rhythmic than the instrument on "
        "the left?"
    )
    assert (one.answer, one.video) == ("yes", "media/music_avqa/00000045.mp4")
    assert one.source.licence == "terms"
    for item in items:
        assert not set("<>\uff1f_") & set(item.question), item.question
        assert item.question == item.question.strip()
        assert " ?" not in item.question
        assert canonical_label(item.answer) is not None


def test_music_avqa_original_sample() -> None:
    items = [draft.item for draft in music_avqa.read(_ORIGINAL, "").drafts]
    assert len(items) == 20
    assert items[3].question == "How many sounding violin in the video?"
    assert (items[3].answer, items[3].question_type) == ("three", "Audio-Visual Counting")


_SLOTS = ("<Object>", "<LR>", "<LRer>", "<LL>", "<FL>", "<BA>", "<TH>")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("Is the ", "where is", " in the video, ", "on  the")),
            st.sampled_from(_SLOTS),
            st.sampled_from(("", " ", ",", "'s ")),
        ),
        max_size=4,
    ),
    st.sampled_from(("?", "\uff1f", "\uff1f ", " ?", "")),
    st.lists(st.sampled_from(("left", "acoustic_guitar", "first", "loudest")), max_size=4),
)
def test_templates_are_filled_in_order(
    parts: list[tuple[str, str, str]], end: str, values: list[str]
) -> None:
    template = "".join("".join(part) for part in parts) + end
    if len(values) != len(parts):
        with pytest.raises(ValueError, match="slots for"):
            music_avqa.fill(template, values)
        return
    text = music_avqa.fill(template, values)
    place = 0
    for value in values:
        place = text.index(value.replace("_", " "), place) + 1
    assert not set("<>_\uff1f") & set(text)
    assert text == " ".join(text.split())
    assert text.endswith("?") == bool(end.strip())


def test_music_avqa_doubled_and_deleted_rows(tmp_path: Path) -> None:
    rows = json.loads(_UPDATE.read_text())[:4]
    rows[1] |= {"video_id": rows[0]["video_id"], "question_id": rows[0]["question_id"]}
    rows[0]["anser"], rows[1]["anser"] = "yes", "no"
    rows[2]["question_deleted"] = 1
    reading = music_avqa.read(_file(tmp_path, [*rows, rows[3]]), "")
    assert len(reading.drafts) == 1
    assert "marked as deleted" in reading.notes[0]
    assert "answers differ" in reading.notes[1]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({}, "not a list"),
        ([{"video_id": "1"}], "row 0 has no 'question_id'"),
        (["row"], "row 0 has no"),
        ([{"video_id": "1", "question_id": 2, "anser": "no"}], "video 1, question 2"),
    ],
)
def test_music_avqa_faults(content: object, what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"{what}.*\nName MUSIC-AVQA's data/json_update"):
        music_avqa.read(_file(tmp_path, content), "")


# AVSD


def test_avsd_samples() -> None:
    drafts = avsd.read(_DIALOGS, _SIX, "terms").drafts
    assert len(drafts) == 25
    item = drafts[1].item
    assert item.source.id == "YEDU4_1"
    assert item.question == (
        "The dialogue about the video so far:\n"
        "Q: hello . did someone come to the door ?\n"
        "A: no and it is a window that he is standing in front of .\n"
        "Question: is he looking at something outside the window ?"
    )
    assert drafts[0].item.question == "Question: are there any people in the video ?"
    assert drafts[0].item.references[:2] == (
        "there is man sitting on couch",
        "there is only one man in the video .",
    )
    for draft in drafts:
        assert len(draft.item.references) == 6
        assert "__UNDISCLOSED__" not in draft.item.model_dump_json()
    turns = sum(len(d["dialog"]) for d in json.loads(_DIALOGS.read_text())["dialogs"])
    assert sum(d.item.question.count("Q: ") + 1 for d in drafts) == turns == 115


def test_avsd_dstc8_sample(tmp_path: Path) -> None:
    path = _DATA / "avsd_dstc8_test_sample.json"
    dialogs = json.loads(path.read_text())["dialogs"]
    assert len(dialogs) == 10
    assert sum(len(dialog["dialog"]) for dialog in dialogs) == 60
    names = [f"{d['image_id']}_{len(d['dialog']) - 1}" for d in dialogs]
    references = {
        "images": [{"id": n, "name": name} for n, name in enumerate(names)],
        "annotations": [{"image_id": n, "id": n, "caption": "yes"} for n in range(10)],
    }
    drafts = avsd.read(path, _file(tmp_path, references), "").drafts
    assert [draft.item.source.id for draft in drafts] == names


def test_avsd_files_that_do_not_belong_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no reference for 10 dialogs.*\n.*--references"):
        avsd.read(_DATA / "avsd_dstc8_test_sample.json", _SIX, "")
    with pytest.raises(ConfigError, match="holds no dialogs"):
        avsd.read(_SIX, _SIX, "")
    with pytest.raises(ConfigError, match="not in the layout of COCO"):
        avsd.read(_DIALOGS, _DIALOGS, "")
    with pytest.raises(ConfigError, match="dialog 0 has no"):
        avsd.read(_file(tmp_path, {"dialogs": [{"image_id": "A"}]}), _SIX, "")


# VALOR-32K: invented rows

_CLIP = "AbCdEfGhIjK_20.000_30.000"


def test_valor(tmp_path: Path) -> None:
    kettle = "In a kitchen, a kettle whistles  while a woman hums. "
    rows = [
        {"video_id": _CLIP, "desc": kettle, "subtitle": ""},
        {"video_id": "-b_d_fGhIj__0.000_10.000", "desc": "Waves break on a beach."},
        {"video_id": _CLIP, "desc": "Again."},
        {"video_id": "AbCdEfGhIjL_1.000_2.000", "desc": " "},
    ]
    reading = valor.read(_file(tmp_path, rows), "terms")
    first, second = (draft.item for draft in reading.drafts)
    assert first.references == ("In a kitchen, a kettle whistles while a woman hums.",)
    assert (first.category, second.category) == ("Indoor/kitchen scenarios", "Miscellaneous")
    assert second.video == "media/captioning/-b_d_fGhIj__0.000_10.000.mp4"
    assert [note.split(": ")[1] for note in reading.notes] == [
        "comes twice; the first is kept",
        "has no description; left out",
    ]
    with pytest.raises(ConfigError, match="row 0"):
        valor.read(_file(tmp_path, [{"video_id": "short_0.000_1.000", "desc": "x"}]), "")


_ELEVEN = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=11, max_size=11
)


@given(_ELEVEN, st.integers(0, 10**7), st.integers(1, 10**5))
def test_clip_ids(video: str, start: int, length: int) -> None:
    first, last = start / 1000, (start + length) / 1000
    parts = valor.clip_id(f"{video}_{first:.3f}_{last:.3f}")
    assert tuple(parts) == (video, pytest.approx(first), pytest.approx(last))
    with pytest.raises(ValueError, match="is not"):
        valor.clip_id(f"{video}_{last:.3f}_{first:.3f}")


@given(st.text(max_size=40))
def test_other_texts_are_no_clip_ids(text: str) -> None:
    try:
        parts = valor.clip_id(text)
    except ValueError:
        return
    assert len(parts.video) == 11


# AV-Odyssey: invented rows


def odyssey_row(number: int, task: int = 16, **more: Any) -> dict[str, Any]:
    sounds = 4 if task == 16 else 1
    return {
        "question_id": f"{task}_{number}",
        "question_type_id": task,
        "data_type": "invented",
        "subfield": "invented",
        "question": "Which of [audio1] [audio2] [audio3] [audio4] fits the dance in [video1]?"
        if task == 16
        else "What makes [video1] with [audio1] funny?",
        "options": ["the third audio", "the first audio", "the fourth audio", "the second audio"],
        "answer": "ABCD"[number % 4],
        "image_path": None,
        "video_path": [f"v/{number}.mp4"],
        "audio_path": [f"a/{number}_{place}.wav" for place in range(1, sounds + 1)],
        **more,
    }


def odyssey_file(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "av_odyssey.parquet"
    parquet.write_table(arrow.Table.from_pylist(rows), path)
    return path


def test_odyssey(tmp_path: Path) -> None:
    rows = [odyssey_row(0), odyssey_row(1), odyssey_row(0, 13), odyssey_row(0, 7)]
    path = odyssey_file(tmp_path, [*rows, odyssey_row(5, video_path=[]), odyssey_row(1)])
    reading = odyssey.read("dm_match", path, "terms")
    assert [draft.item.id for draft in reading.drafts] == ["dm_match-16_0", "dm_match-16_1"]
    assert len(reading.notes) == 2
    item, media = reading.drafts[0]
    assert item.question == "Which of Audio 1 Audio 2 Audio 3 Audio 4 fits the dance in the video?"
    assert (item.audio, len(item.audios)) == (None, 4)
    assert media[item.audios[2]] == "a/0_3.wav"
    assert item.options is not None
    # The letters map to the sounds in shuffled order: "Audio 3" is A here, not C.
    assert read_item(item, "Answer: Audio 3").value == "A"
    assert read_item(item, "the second audio").value == "D"
    assert read_item(item, "A: Audio 1").value is None
    (meme,) = odyssey.read("meme", path, "terms").drafts
    assert meme.item.audio is not None
    assert meme.item.audios == ()


def test_odyssey_as_datasets_writes_it_and_as_lmms_eval_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_video: MakeVideo, make_sound: MakeSound
) -> None:
    """The rows are invented; types and reader are those of lmms-eval's own task of that file."""
    import datasets
    from lmms_eval.tasks.av_odyssey import utils

    text, texts = datasets.Value("string"), datasets.Sequence(datasets.Value("string"))
    types = dict.fromkeys(odyssey_row(0), text)
    types |= {"question_type_id": datasets.Value("int64"), "options": texts}
    types |= dict.fromkeys(("image_path", "video_path", "audio_path"), texts)
    kept = datasets.Features({"bytes": datasets.Value("binary"), "path": text})
    kinds = (datasets.Audio(), datasets.Image(), datasets.Video())
    media = dict(zip(("audio_1", "image_1", "video_1"), kinds, strict=True))
    own = odyssey_row(3, data_type="video", options=[f"{x}. the sound" for x in "ABCD"])
    sound = make_sound("beep.wav", tone(0.5)).read_bytes()
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    video = make_video("v.mp4", grey_frames(range(4))).read_bytes()
    own |= {
        "audio_1": {"bytes": sound, "path": "beep.wav"},
        "image_1": {"bytes": picture.getvalue(), "path": "p.png"},
        "video_1": {"bytes": video, "path": "v.mp4"},
    }
    path = tmp_path / "av_odyssey.parquet"
    stored = datasets.Features({**types, **dict.fromkeys(media, kept)})
    rows = datasets.Dataset.from_list([own], features=stored)
    rows.cast(datasets.Features({**types, **media})).to_parquet(path)

    (draft,) = odyssey.read("dm_match", path, "terms").drafts
    assert draft.item.options == ("the sound",) * 4
    monkeypatch.setattr(utils, "cache_dir", str(tmp_path))
    for name in draft.media.values():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    read = utils.av_odyssey_doc_to_visual(own)
    # The question names the sounds first, so that is where lmms-eval puts them.
    assert read == [str(tmp_path / draft.media[place]) for place in draft.item.audios] + [
        str(tmp_path / draft.media[str(draft.item.video)])
    ]
    assert utils.av_odyssey_process_results(own, [draft.item.answer])["av_odyssey_score"]["score"]


def test_odyssey_faults(tmp_path: Path) -> None:
    row = odyssey_row(0)
    del row["audio_path"]
    with pytest.raises(ConfigError, match=r"no column audio_path\nName av_odyssey"):
        odyssey.read("meme", odyssey_file(tmp_path, [row]), "")
    with pytest.raises(ConfigError, match="question 16_0: answer 'F'"):
        odyssey.read("dm_match", odyssey_file(tmp_path, [odyssey_row(0, answer="F")]), "")
    same = odyssey_row(0, audio_path=["a/x.wav", "b/x.wav"])
    with pytest.raises(ConfigError, match="the same name"):
        odyssey.read("dm_match", odyssey_file(tmp_path, [same]), "")
    text = tmp_path / "text.parquet"
    text.write_text("no")
    with pytest.raises(ConfigError, match="Name av_odyssey"):
        odyssey.read("meme", text, "")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no parquet file"):
        odyssey.read("meme", tmp_path / "empty", "")


# Choosing rows


def test_the_choice_does_not_depend_on_order_or_on_other_rows() -> None:
    drafts = music_avqa.read(_UPDATE, "").drafts
    chosen = {draft.item.id for draft in by_seed(drafts, "music_avqa", 10, 0)}
    assert chosen == {d.item.id for d in by_seed(drafts[::-1], "music_avqa", 10, 0)}
    assert chosen < {d.item.id for d in by_seed(drafts, "music_avqa", 11, 0)}
    kept = [draft for draft in drafts if draft.item.id in chosen]
    assert chosen == {d.item.id for d in by_seed(kept, "music_avqa", 10, 0)}
    assert chosen != {d.item.id for d in by_seed(drafts, "music_avqa", 10, 1)}
    assert len(by_seed(drafts, "music_avqa", None, 0)) == 54
    assert [d.item.source.id for d in by_seed(drafts, "music_avqa", 3, 0)] == _FIRST_THREE


_FIRST_THREE = ["00000093/12", "00000195/188", "00008117/1982"]


def test_every_source_states_its_terms() -> None:
    assert sorted(SOURCES) == sorted(COLUMNS) == sorted(PUBLIC.columns)
    for column, source in SOURCES.items():
        assert len(source.licence) > 40
        ids = shipped_ids(column)
        # What a build takes whole needs no file of row ids.
        assert (ids is None) == (source.number is None)
        if ids is not None:
            assert len(ids) == len(set(ids)) == source.number
    with pytest.raises(ConfigError, match="one annotation file, not 2"):
        SOURCES["captioning"].read([_UPDATE, _UPDATE], None)


def test_the_shipped_rows_are_those_that_the_algorithm_chooses() -> None:
    """The sample holds the first rows of each type of the file that the ids were made from."""
    shipped = set(shipped_ids("music_avqa") or ())
    drafts = SOURCES["music_avqa"].read([_UPDATE], None).drawn("music_avqa", None, 0)
    ranks = {d.item.source.id: _rank(0, "music_avqa", d.item.source.id) for d in drafts}
    among = [ranks[row] for row in ranks if row in shipped]
    beside = [ranks[row] for row in ranks if row not in shipped]
    assert among
    assert max(among) < min(beside)


def test_files_that_a_source_lacks_or_does_not_have() -> None:
    with pytest.raises(ConfigError, match="file of references"):
        SOURCES["avsd"].read([_DIALOGS], None)
    with pytest.raises(ConfigError, match="without --references"):
        SOURCES["music_avqa"].read([_UPDATE], _SIX)
    with pytest.raises(ConfigError, match="No such file"):
        SOURCES["captioning"].read([_DATA / "none.json"], None)
