"""Which clips of MUSIC-AVQA show and sound one kind of instrument, as far as its rows say.

A row asks one thing of a clip, so what a clip holds is put together from all of its rows: one must
say that there is a single kind of instrument, one which it is, and none may name another kind,
a voice-over, or a sound that is not the instrument's. Synthetic clips (whose ids are not numbers:
their sound or picture was exchanged or stacked) are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from aurelia_plugin.benchmark.sources.music_avqa import Question

__all__ = ["INSTRUMENTS", "is_real", "normal_template", "sole_instruments"]

INSTRUMENTS: Final = frozenset(
    (
        *("accordion", "acoustic_guitar", "bagpipe", "banjo", "bassoon", "cello", "clarinet"),
        *("congas", "drum", "electric_bass", "erhu", "flute", "guzheng", "piano", "pipa"),
        *("saxophone", "suona", "trumpet", "tuba", "ukulele", "violin", "xylophone"),
    )
)
"""The 22 kinds that MUSIC-AVQA knows."""

_WHICH: Final = "What kind of musical instrument is it?"
_ONE_KIND: Final = frozenset(
    (
        "How many types of musical instruments appeared in the entire video?",
        "How many types of musical instruments sound in the video?",
    )
)
_THERE: Final = ("Is there a <Object>", "How many <Object>", "How many sounding <Object>")
_CONTRARY: Final = (
    ("Is there a voiceover", "yes"),
    ("Is this sound from the instrument in the video", "no"),
)


def is_real(video: str) -> bool:
    """Return whether a clip is a recording, not one that was made of others."""
    return video.isascii() and video.isdigit()


def normal_template(row: Question) -> str:
    """Return a row's template with plain marks and single spaces."""
    return " ".join(row.question_content.replace("\uff1f", "?").split())


def sole_instruments(rows: Iterable[Question]) -> dict[str, str]:
    """Return clip -> its one kind of instrument, for the clips of which the rows say so."""
    by_clip: dict[str, list[Question]] = defaultdict(list)
    for row in rows:
        by_clip[row.video_id].append(row)
    found = {video: _sole(group) for video, group in by_clip.items() if is_real(video)}
    return {video: instrument for video, instrument in found.items() if instrument is not None}


def _sole(rows: Iterable[Question]) -> str | None:
    """Return the one kind of instrument in a clip with these rows, or None if not established."""
    there: set[str] = set()
    named: set[str] = set()
    denied: set[str] = set()
    single = False
    for row in rows:
        template = normal_template(row)
        values = INSTRUMENTS & set(row.templ_values)
        if any(template.startswith(head) and row.anser == answer for head, answer in _CONTRARY):
            return None
        if template in _ONE_KIND and row.anser != "one":
            return None
        single = single or template in _ONE_KIND or template == _WHICH
        if template.startswith(_THERE):
            (denied if row.anser in ("no", "zero") else there).update(values)
        else:
            named |= values
        if row.anser in INSTRUMENTS:
            named.add(row.anser)
            if template == _WHICH:
                there.add(row.anser)
    kinds = there | named
    return (
        next(iter(kinds)) if single and there and len(kinds) == 1 and not denied & kinds else None
    )
