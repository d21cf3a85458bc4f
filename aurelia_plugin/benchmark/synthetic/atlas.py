"""A fictional atlas: every pair of a flag and an anthem's melody names one region.

All names are invented, so that no question can be answered from what a model has read.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ATLAS", "ATTRIBUTES", "FLAGS", "MELODIES", "Region", "region_of"]

FLAGS: tuple[tuple[str, str, str], ...] = (
    ("red", "yellow", "white"),
    ("blue", "green", "blue"),
    ("green", "red", "blue"),
    ("white", "blue", "yellow"),
    ("yellow", "white", "green"),
)
"""Stripe colours from left to right, or from top to bottom."""

MELODIES: dict[str, tuple[int, ...]] = {
    "rising": (0, 2, 4, 7, 9, 12),
    "falling": (12, 9, 7, 4, 2, 0),
    "hill": (0, 5, 12, 12, 5, 0),
    "valley": (12, 5, 0, 0, 5, 12),
    "level": (5, 5, 5, 5, 5, 5),
}
"""Semitones above the first scale note, one per note."""


def _words(text: str) -> tuple[str, ...]:
    """Split one word for each region: a row of the table of flags and melodies per line."""
    return tuple(text.split())


_CONTINENTS = ("Ostravia", "Lunara", "Pelagia", "Thulemar", "Zephyria")
_NAMES = _words(
    "Velnor Kestra Ombria Talwick Jorveth "
    "Sundara Brillow Quanta Merrovia Dunmarsh "
    "Ixalund Farrowby Gelvania Ruskeld Polderia "
    "Norwenna Hyssop Cravell Estamar Wyndle "
    "Abrulia Tormond Zelkova Lissandra Obermund"
)
_CURRENCIES = _words(
    "torl mirk dalen sopek vint "
    "gruna faldi zorin pesk lumet "
    "karo brenn ostil quill jarra "
    "teppo nural wick hesper dovik "
    "azur crono ballis renna uvelo"
)
_FOODS = _words(
    "plumcake lentilpie fernbread saltcurd mosswrap "
    "kelpbun goatstew nutbroth beetroll oatfritter "
    "figpaste eelpie ricecone yamcrisp dillsoup "
    "leekstrudel honeyloaf peatbean quinceflan rootmash "
    "berrygruel cornpuff turnipbake milkcrepe hazeltart"
)
_LANGUAGES = _words(
    "Velnic Kestran Ombric Talwish Jorvan "
    "Sundaric Brillish Quantese Merrovian Dunmarsic "
    "Ixali Farrowese Gelvanic Ruskeldic Poldrian "
    "Norwennic Hyssopic Cravellian Estamari Wyndlish "
    "Abrulic Tormondic Zelkovan Lissandric Obermundic"
)
_DANCES = _words(
    "swirla tokko bramble minarde jostep "
    "falua trindel cassock huvva pendrill "
    "sarmo wheelup lomba grista oskro "
    "dravo netterby quadrell fouta mazzel "
    "yarrow kipple umbera steggo vantz"
)
_LANDMARKS = _words(
    "Glasspier Ironfall Moonstair Saltgate Windspire "
    "Copperdome Reedbridge Stonewheel Hollowarch Frostlamp "
    "Rainvault Ashtower Pearlwell Thornkeep Mistcairn "
    "Oakring Sunledge Blueforge Cloudmill Driftwall "
    "Fernhall Goldsteps Quietmound Lampquay Silverden"
)


class Region(NamedTuple):
    """One region of the atlas."""

    name: str
    flag: tuple[str, str, str]
    melody: str
    currency: str
    food: str
    continent: str
    language: str
    dance: str
    landmark: str


def _regions() -> tuple[Region, ...]:
    regions = []
    melodies = tuple(MELODIES)
    for row, flag in enumerate(FLAGS):
        for column, melody in enumerate(melodies):
            place = row * len(melodies) + column
            regions.append(
                Region(
                    name=_NAMES[place],
                    flag=flag,
                    melody=melody,
                    currency=_CURRENCIES[place],
                    food=_FOODS[place],
                    # A Latin square: regions of one flag, or of one melody, share no continent.
                    continent=_CONTINENTS[(row + 2 * column) % len(_CONTINENTS)],
                    language=_LANGUAGES[place],
                    dance=_DANCES[place],
                    landmark=_LANDMARKS[place],
                )
            )
    return tuple(regions)


ATLAS = _regions()

ATTRIBUTES = ("currency", "food", "continent", "language", "dance", "landmark")


def region_of(flag: tuple[str, str, str], melody: str) -> Region:
    """Return the region with this flag and this melody; KeyError if there is none."""
    for region in ATLAS:
        if region.flag == flag and region.melody == melody:
            return region
    raise KeyError((flag, melody))
