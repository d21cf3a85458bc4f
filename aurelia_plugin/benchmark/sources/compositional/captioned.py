"""Which one thing a description of VALOR-32K says is seen and heard, if it is a single one.

The descriptions are sentences of people (translated), so this is a filter, not a reading: a thing
counts if it is named together with a sound of its own, and if neither another thing of the list
nor speech, song or music is named beside it. What a description leaves out is not known.
"""

from __future__ import annotations

import re
from re import Pattern
from typing import Final, NamedTuple

__all__ = ["event_of"]


class _Thing(NamedTuple):
    """One thing of the list.

    Attributes:
        label: as it stands in a sentence.
        names: words for it.
        sounds: words for the sounds that it makes.
    """

    label: str
    names: Pattern[str]
    sounds: Pattern[str]


def _thing(label: str, names: str, sounds: str) -> _Thing:
    return _Thing(label, _words(names), _words(sounds))


def _words(alternatives: str) -> Pattern[str]:
    return re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE)


_ENGINE: Final = r"roar\w*|rumbl\w*|buzz\w*|humm?\w*|engines?|noise|whirr?\w*"
_STRUCK: Final = r"sounds?|sounded|beat\w*|thump\w*|play\w*|tapp\w*|hit|rhythm\w*"

_THINGS: Final = (
    _thing("a dog", r"dogs?|pupp(?:y|ies)", r"bark\w*|growl\w*|howl\w*|whimper\w*|yell\w*"),
    _thing("a cat", r"cats?|kittens?", r"meow\w*|purr\w*|grunt\w*|growl\w*"),
    _thing(
        "a bird",
        r"birds?|pigeons?|parrots?|sparrows?|crows?|owls?|roosters?|hens?|chickens?|chicks?"
        r"|ducks?|ducklings?|goose|geese|turkeys?",
        r"chirp\w*|tweet\w*|twitter\w*|squawk\w*|coo\w*|crow(?:s|ed|ing)|quack\w*|cluck\w*"
        r"|call\w*|sounds? of (?:the )?birds?|squeak\w*|cackl\w*",
    ),
    _thing("sheep or goats", r"sheep|goats?|lambs?", r"bleat\w*|baa\w*"),
    _thing("cattle", r"cows?|cattle|bulls?", r"moo\w*|roar\w*|bellow\w*|bark\w*"),
    _thing("a pig", r"pigs?|piglets?", r"grunt\w*|howl\w*|squeal\w*|oink\w*"),
    _thing("a horse", r"horses?", r"neigh\w*|hiss\w*|hoof\w*|hooves|clicking|clatter\w*"),
    _thing("an insect", r"bees?|insects?|mosquito\w*|cicadas?|crickets?", r"buzz\w*|humm?\w*"),
    _thing(
        "a train",
        r"trains?|locomotives?|subway",
        rf"{_ENGINE}|whistl\w*|clatter\w*|click\w*|creak\w*|rattl\w*|clang\w*",
    ),
    _thing("a motorcycle", r"motorcycles?|motorbikes?|motorcyclists?", rf"{_ENGINE}|bang"),
    _thing(
        "a car or truck",
        r"cars?|trucks?|bus|buses|vans?|tractors?|sedans?|ambulances?|suv",
        rf"{_ENGINE}|horn|honk\w*|siren|accelerat\w*",
    ),
    _thing(
        "an aircraft",
        r"planes?|airplanes?|aircraft|helicopters?|jets?",
        rf"{_ENGINE}|propellers?",
    ),
    _thing("a boat", r"boats?|ships?|motorboats?|ferry|yachts?", rf"{_ENGINE}|horn|motor"),
    _thing("a chainsaw", r"chainsaws?", rf"{_ENGINE}|harsh"),
    _thing("a drill", r"drills?|drilling", rf"{_ENGINE}|sounds?|rattl\w*"),
    _thing("a hammer", r"hammers?", r"sounds?|thump\w*|bang\w*|click\w*|pound\w*|knock\w*"),
    _thing("a sewing machine", r"sewing machine", rf"{_ENGINE}|clatter\w*|rattl\w*|click\w*"),
    _thing("a printer", r"printers?", rf"{_ENGINE}|sounds?|rattl\w*|buzz\w*"),
    _thing("a blender", r"blenders?|juicers?", rf"{_ENGINE}|sounds?"),
    _thing("a vacuum cleaner", r"vacuum cleaner", rf"{_ENGINE}|sounds?"),
    _thing("a toilet", r"toilets?", r"flush\w*"),
    _thing("a clock or alarm", r"clocks?|alarms?", r"tick\w*|rang|rings?|ringing|sounds?|beep\w*"),
    _thing("a bell", r"bells?", r"rang|rings?|ringing|tinkl\w*|chim\w*|clang\w*|jingl\w*"),
    _thing("a guitar", r"guitars?", r"play\w*|sounds?|tune"),
    _thing("a piano", r"pianos?", r"play\w*|sounds?|tune"),
    _thing("drums", r"drums?|drumming|drummers?", _STRUCK),
    _thing("a violin or cello", r"violins?|cellos?", r"play\w*|sounds?|tune"),
    _thing("an accordion", r"accordions?", r"play\w*|sounds?|tune"),
    _thing("a trumpet or horn", r"trumpets?|french horns?|trombones?", r"play\w*|blew|blow\w*"),
    _thing(
        "guns or cannons",
        r"guns?|rifles?|pistols?|cannons?|machine-?guns?",
        r"fire|fires|fired|firing|shots?|shoot\w*|bang\w*|gunfire|explo\w*",
    ),
    _thing("fireworks", r"fireworks?|firecrackers?", r"explo\w*|noise|sounds?|loud|bang\w*"),
    _thing("someone snoring", r"man|woman|child|person|boy|girl|men", r"snores?|snored|snoring"),
    _thing("someone typing", r"keyboards?|typewriters?", r"typ(?:ed|es|ing)"),
    _thing("scissors", r"scissors", r"click\w*|sounds?"),
)
_BESIDE: Final = _words(
    r"music\w*|songs?|sang|sing\w*|sung|talk\w*|spoke\w*|speak\w*|speech|said|says?|voices?|words"
    r"|explain\w*|narrat\w*|report\w*|conversation|introduc\w*|shout\w*|scream\w*|laugh\w*"
    r"|crying|cries|cheer\w*|discuss\w*|chat\w*|games?|anim(?:e|at\w*)|cartoons?|screen|tv"
    r"|television|instruments?|band|orchestra|symphony|toys?|thunder\w*|rain\w*|picture"
)


def event_of(description: str) -> str | None:
    """Return the label of the one thing that is seen and heard, or None if there is not just one.

    Someone who snores is a person, and people are named in most descriptions: a person counts only
    where nothing else does.
    """
    if _BESIDE.search(description):
        return None
    named = [thing for thing in _THINGS if thing.names.search(description)]
    things = [thing for thing in named if thing.label != "someone snoring"] or named
    if len(things) != 1 or not things[0].sounds.search(description):
        return None
    return things[0].label
