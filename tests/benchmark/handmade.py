"""A benchmark of fourteen items made by hand, two per column, with small real media."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from aurelia_plugin.benchmark.data.items import MANIFEST, Item, write_items
from aurelia_plugin.benchmark.synthetic.encode import write_mp4, write_wav

__all__ = ["ITEMS", "make_home", "media"]


def _item(id_: str, column: str, category: str, question: str, answer: str, **more: Any) -> Item:
    fields = {"video": f"v/{column}.mp4", "source": {"dataset": "made by hand", "id": id_}}
    head = {"id": id_, "column": column, "category": category, "question": question}
    return Item.model_validate({**head, "answer": answer, **fields, **more})


_SOUNDS = ["a/1.wav", "a/2.wav", "a/3.wav", "a/4.wav"]
_ORDER = ["a whistle, then a crash", "a crash, then a whistle", "both at once"]
_PLACE = "Indoor/kitchen scenarios"

ITEMS = [
    _item(
        "m-1",
        "music_avqa",
        "Musical performances",
        "How many instruments are sounding in the video?",
        "three",
        question_type="Audio-Visual Counting",
    ),
    _item(
        "m-2",
        "music_avqa",
        "Musical performances",
        "Is the piano louder than the violin?",
        "yes",
        question_type="Audio Comparative",
    ),
    _item(
        "d-1",
        "avsd",
        "Dynamic scene",
        "Q: is anyone there ?\nA: yes , a man .\nQuestion: what does he do ?",
        "he opens the door .",
        references=["he opens the door .", "he is opening a door", "a man opens the door"],
    ),
    _item(
        "d-2",
        "avsd",
        "Miscellaneous",
        "Question: can you hear music ?",
        "no , only a dog barking .",
        references=["no , only a dog barking .", "there is a dog barking , no music"],
    ),
    _item(
        "c-1",
        "captioning",
        _PLACE,
        "Describe what is seen and heard.",
        "A kettle whistles while a woman chops carrots.",
        references=["A kettle whistles while a woman chops carrots."],
    ),
    _item(
        "c-2",
        "captioning",
        _PLACE,
        "Describe what is seen and heard.",
        "A tap is running and a man hums.",
        references=["A tap is running and a man hums."],
    ),
    _item("o-1", "compositional", "Compositional", "In which order?", "B", options=_ORDER),
    _item("o-2", "compositional", "Compositional", "In which order?", "C", options=_ORDER),
    _item("g-1", "geoiq", "Continent", "Which continent is the maker from?", "Asia"),
    _item(
        "g-2",
        "geoiq",
        "Popular dish/food",
        "Which food is the country of the left instrument known for?",
        "Pasta",
        references=["spaghetti"],
    ),
    _item(
        "h-1",
        "meme",
        "Meme and humor",
        "What makes this funny?",
        "A",
        options=["the dog sings", "the cat flies"],
        audio="a/1.wav",
    ),
    _item(
        "h-2",
        "meme",
        "Commonsense reasoning",
        "What makes this funny?",
        "B",
        options=["the dog sings", "the cat flies"],
        audio="a/2.wav",
    ),
    _item(
        "x-1",
        "dm_match",
        "Dance performances",
        "Which audio fits the dance?",
        "D",
        options=["Audio 1", "Audio 2", "Audio 3", "Audio 4"],
        audios=_SOUNDS,
    ),
    _item(
        "x-2",
        "dm_match",
        "Dance performances",
        "Which audio fits the dance?",
        "A",
        options=["the third audio", "the first audio", "the fourth audio", "the second audio"],
        audios=_SOUNDS,
    ),
]


def media(seconds: float = 1.0, hertz: float = 440.0) -> tuple[Any, Any]:
    """Frames [n, 32, 32, 3] at 8 per second, and a tone at 16 kHz."""
    levels = np.linspace(20, 220, max(1, round(8 * seconds))).astype(np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (levels.size, 32, 32, 3)).copy()
    moments = np.arange(round(16_000 * seconds)) / 16_000
    return frames, (0.3 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)


def make_home(folder: Path, items: list[Item] | None = None) -> Path:
    """Write the manifest and all media that it names; returns the folder."""
    items = ITEMS if items is None else items
    for number, name in enumerate(sorted({path for item in items for path in item.media})):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frames, sound = media(hertz=300.0 + 50 * number)
        if path.suffix == ".mp4":
            write_mp4(path, frames, sound)
        else:
            write_wav(path, sound)
    write_items(folder / MANIFEST, items)
    return folder
