"""Answer questions from what a scene shows and what it lets hear, without the generator's notes."""

from __future__ import annotations

import re
from collections.abc import Callable

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.synthetic.atlas import MELODIES
from aurelia_plugin.benchmark.synthetic.scene import TEMPI, Figure, Scene, Sound

_SHAPES = ("circle", "square", "triangle", "star", "cross")
_INSTRUMENT = dict(zip(_SHAPES, ("flute", "organ", "guitar", "drum", "bell"), strict=True))
_NUMBERS = ("zero", "one", "two", "three", "four", "five")


def _row(picture: Scene) -> list[str]:
    return [_INSTRUMENT[f.shape] for f in sorted(picture.figures, key=lambda f: f.x)]


def _heard(sound: Scene) -> list[str]:
    return [source.timbre for source in sound.sounds]


def _where(picture: Scene, instrument: str) -> str:
    for figure in picture.figures:
        if _INSTRUMENT[figure.shape] == instrument:
            return ("left", "middle", "right")[min(int(figure.x * 3), 2)]
    return "nowhere"


def _onset(source: Sound) -> float:
    return min(note.onset for note in source.notes)


def _music(item: Item, family: str, picture: Scene, sound: Scene) -> str:
    seen, heard = _row(picture), _heard(sound)
    if family == "count_sounding":
        return _NUMBERS[len(set(seen) & set(heard))]
    if family == "place_sounding":
        (place,) = re.findall(r"(left|middle|right) sounding", item.question)
        asked = next((name for name in seen if _where(picture, name) == place), None)
        return "yes" if asked in heard else "no"
    if family == "unseen_source":
        return "yes" if set(heard) - set(seen) else "no"
    if family == "unseen_name":
        return "/".join(sorted(set(heard) - set(seen)))
    if family == "where_sounding":
        return _where(picture, heard[0])
    if family == "louder":
        return _where(picture, max(sound.sounds, key=lambda source: source.gain).timbre)
    if family == "first_to_sound":
        return _where(picture, min(sound.sounds, key=_onset).timbre)
    return _NUMBERS[len(set(heard)) if family == "count_heard" else len(seen)]


def _flash(figure: Figure) -> float:
    return figure.flashes[0]


def _text(item: Item, pattern: str) -> str:
    """Return the letter of the only option that the pattern matches."""
    assert item.options is not None
    hits = [
        letter
        for letter, option in zip(item.letters, item.options, strict=True)
        if re.fullmatch(pattern, option, re.IGNORECASE)
    ]
    return hits[0] if len(hits) == 1 else f"{len(hits)} options"


def _compositional(item: Item, family: str, picture: Scene, sound: Scene) -> str:
    if family == "order_of_two":
        gap = _onset(sound.sounds[0]) - _flash(picture.figures[0])
        if abs(gap) < 0.2:
            return _text(item, ".*same moment.*")
        return _text(item, "The flash comes first.*" if gap > 0 else "The sound comes first.*")
    if family == "flash_with_sound":
        onset = _onset(sound.sounds[0])
        lit = min(picture.figures, key=lambda figure: abs(_flash(figure) - onset))
        return _text(item, f"The {lit.colour} {lit.shape}")
    if family == "sound_with_shape":
        (colour, shape) = re.findall(r"while the (\w+) (\w+) is", item.question)[0]
        spans = [f.shown for f in picture.figures if (f.colour, f.shape) == (colour, shape)]
        start, stop = spans[0] if spans else (0.0, 0.0)
        names = [s.timbre for s in sound.sounds if start <= _onset(s) + 0.2 < stop]
        return _text(item, "/".join(names))
    events = [(_flash(picture.figures[0]), "flash")]
    events += [(_onset(source), source.timbre) for source in sound.sounds]
    return _text(item, ", then ".join(name for _, name in sorted(events)))


def _melody(source: Sound) -> str:
    pitches = [note.pitch for note in source.notes]
    for name, intervals in MELODIES.items():
        if [pitch - min(pitches) for pitch in pitches] == [k - min(intervals) for k in intervals]:
            return name
    raise AssertionError(pitches)


def _geoiq(item: Item, family: str, picture: Scene, sound: Scene) -> str:
    assert picture.flag is not None
    wanted = f"flag {', '.join(picture.flag.stripes)}; anthem {_melody(sound.sounds[0])}"
    lines = [line for line in item.question.split("\n") if line.startswith("- ")]
    hits = [line for line in lines if wanted in line]
    if len(hits) != 1:
        return f"{len(hits)} regions"
    (line,) = hits
    if family.startswith("neighbour"):
        name = line.split("northern neighbour ")[1]
        (line,) = (other for other in lines if other.startswith(f"- {name}:"))
    if family == "region":
        return line[2:].split(":")[0]
    attribute = family.removeprefix("neighbour_")
    return str(re.findall(rf"; {attribute} (\w+)", line)[0])


def _meme(item: Item, family: str, picture: Scene, sound: Scene) -> str:
    figure = picture.figures[0]
    if family == "landing_and_sound":
        bounces, thuds = figure.motion == "bouncing", bool(sound.sounds)
        return _text(
            item,
            {
                (True, True): "It bounces and thuds.*",
                (True, False): "It bounces without.*",
                (False, True): "Thuds are heard while.*",
                (False, False): "It keeps still in silence.*",
            }[bounces, thuds],
        )
    source = sound.sounds[0]
    if family == "size_and_pitch":
        size = "huge" if figure.radius > 0.25 else "tiny"
        voice = "deep" if source.notes[0].pitch < 60 else "squeaky"
        return _text(item, f"Something {size} with a {voice} voice.*")
    if family == "wrong_instrument":
        return _text(item, f"A {figure.shape} that sounds like an? {source.timbre}:.*")
    speed = "hurries" if figure.period < 2.0 else "dawdles"
    tempo = "fast" if source.notes[1].onset - source.notes[0].onset < 0.8 else "slow"
    return _text(item, f"It {speed} while the music is {tempo}:.*")


def _pitch(source: Sound) -> str:
    rise = source.notes[-1].pitch - source.notes[0].pitch
    return "rising" if rise > 0 else "falling" if rise < 0 else "level"


def facts(item: Item, picture: Scene, sound: Scene) -> dict[str, str]:
    """Return the values of the item's attributes in this picture and this sound."""
    figure, source = picture.figures[0], sound.sounds[0]
    gap = _onset(source) - figure.begins
    order = "together" if abs(gap) < 0.2 else "picture first" if gap > 0 else "sound first"
    values: dict[str, Callable[[], str]] = {
        "colour": lambda: figure.colour,
        "shape": lambda: figure.shape,
        "motion": lambda: figure.motion,
        "sound": lambda: source.timbre,
        "pitch": lambda: _pitch(source),
        "order": lambda: order,
    }
    return {attribute: values[attribute]() for attribute in item.facts}


def match(picture: Scene, candidates: tuple[Scene, ...]) -> str:
    """Return the letter of the candidate whose beat is that of the moving figure."""
    periods = [c.sounds[0].notes[1].onset - c.sounds[0].notes[0].onset for c in candidates]
    gaps = [abs(period - picture.figures[0].period) for period in periods]
    assert sorted(gaps)[1] > 0.1 * 60 / max(TEMPI.values())
    return "ABCD"[gaps.index(min(gaps))]


def answer(item: Item, family: str, picture: Scene, sound: Scene) -> str:
    """Answer a closed question about this picture and this sound."""
    solvers = {
        "music_avqa": _music,
        "compositional": _compositional,
        "geoiq": _geoiq,
        "meme": _meme,
    }
    return solvers[item.column](item, family, picture, sound)
