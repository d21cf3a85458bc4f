"""The table's countries, currencies and languages against pycountry and Babel's CLDR data."""

from __future__ import annotations

from collections.abc import Mapping

import pycountry
from babel import Locale
from babel.languages import get_territory_language_info
from babel.numbers import get_territory_currencies

from aurelia_plugin.benchmark.sources.instruments.knowledge import Fact, Relation, knowledge

_ENGLISH = Locale("en")


def _facts(relation: Relation) -> list[Fact]:
    return [fact for fact in knowledge().facts if fact.relation == relation]


def test_countries() -> None:
    for fact in _facts("country"):
        country = pycountry.countries.get(alpha_2=fact.subject)
        assert country is not None
        assert country.name == fact.value == _ENGLISH.territories[fact.subject]
        assert fact.sources == (f"iso3166: {fact.subject}",)


def test_currencies() -> None:
    for fact in _facts("currency"):
        (code,) = get_territory_currencies(fact.subject)
        assert pycountry.currencies.get(alpha_3=code) is not None
        assert _ENGLISH.currencies[code].casefold() == fact.value.casefold()
        assert fact.sources == (f"iso4217: {code}", f"cldr: {fact.subject}")


def test_languages() -> None:
    for fact in _facts("language"):
        spoken = get_territory_language_info(fact.subject)
        shares = {code: _share(info) for code, info in spoken.items()}
        most = max(shares, key=shares.__getitem__)
        assert _ENGLISH.languages[most] == fact.value
        # No other official language is half as common.
        others = [shares[code] for code in spoken if spoken[code]["official_status"]]
        others.remove(shares[most])
        assert all(share < shares[most] / 2 for share in others)
        assert fact.sources == (f"cldr: {fact.subject}",)


def _share(info: Mapping[str, object]) -> float:
    share = info["population_percent"]
    assert isinstance(share, int | float)
    return share


def test_each_relation_speaks_of_each_country_or_says_why_not() -> None:
    table = knowledge()
    countries = {fact.value for fact in _facts("origin")}
    relations = {fact.relation for fact in table.facts} - {"origin", "sounding"}
    for relation in relations:
        known = {fact.subject for fact in _facts(relation)}
        known |= {one.subject for one in table.left_out if one.relation == relation}
        assert known == countries, relation
