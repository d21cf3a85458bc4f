"""The names of countries and continents, in the form of `text.normalise`.

They tell which part of an answer such as "Lima, Peru" answers a question, and which names are
those of one country.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CONTINENTS", "COUNTRIES", "usual_name"]

CONTINENTS: Final = frozenset(
    (
        *("africa", "antarctica", "asia", "europe", "north america", "south america", "oceania"),
        *("australia", "america", "eurasia"),
    )
)

COUNTRIES: Final = frozenset(
    """
    afghanistan|albania|algeria|andorra|angola|argentina|armenia|australia|austria|azerbaijan
    bahamas|bahrain|bangladesh|barbados|belarus|belgium|belize|benin|bhutan|bolivia
    bosnia and herzegovina|botswana|brazil|brunei|bulgaria|burkina faso|burundi|cambodia|cameroon
    canada|cape verde|central african republic|chad|chile|china|colombia|comoros|congo|costa rica
    cote divoire|croatia|cuba|cyprus|czech republic|czechia|denmark|djibouti|dominica
    dominican republic|east timor|ecuador|egypt|el salvador|england|equatorial guinea|eritrea
    estonia|eswatini|ethiopia|fiji|finland|france|gabon|gambia|georgia|germany|ghana|greece|grenada
    guatemala|guinea|guinea bissau|guyana|haiti|honduras|hungary|iceland|india|indonesia|iran|iraq
    ireland|israel|italy|ivory coast|jamaica|japan|jordan|kazakhstan|kenya|kiribati|korea|kosovo
    kuwait|kyrgyzstan|laos|latvia|lebanon|lesotho|liberia|libya|liechtenstein|lithuania|luxembourg
    madagascar|malawi|malaysia|maldives|mali|malta|marshall islands|mauritania|mauritius|mexico
    micronesia|moldova|monaco|mongolia|montenegro|morocco|mozambique|myanmar|namibia|nauru|nepal
    netherlands|new zealand|nicaragua|niger|nigeria|north korea|north macedonia|northern ireland
    norway|oman|pakistan|palau|palestine|panama|papua new guinea|paraguay|peru|philippines|poland
    portugal|qatar|romania|russia|rwanda|saint lucia|samoa|san marino|saudi arabia|scotland|senegal
    serbia|seychelles|sierra leone|singapore|slovakia|slovenia|solomon islands|somalia
    south africa|south korea|south sudan|spain|sri lanka|sudan|suriname|sweden|switzerland|syria
    taiwan|tajikistan|tanzania|thailand|togo|tonga|trinidad and tobago|tunisia|turkey|turkiye
    turkmenistan|tuvalu|uganda|uk|ukraine|united arab emirates|united kingdom|united states
    united states of america|uruguay|us|usa|uzbekistan|vanuatu|vatican|vatican city|venezuela
    vietnam|wales|yemen|zambia|zimbabwe
    """.replace("\n", "|")
    .replace("  ", "")
    .split("|")
) - {""}

_NAMES: Final = """
united states|us|usa|united states of america|america
united kingdom|uk|great britain|britain
netherlands|holland
czech republic|czechia
turkey|turkiye
ivory coast|cote divoire
russia|russian federation
united arab emirates|uae|emirates
china|prc|peoples republic of china
south korea|republic of korea
north korea|dprk|democratic peoples republic of korea
myanmar|burma
eswatini|swaziland
cape verde|cabo verde
east timor|timor leste
north macedonia|macedonia
vatican city|vatican|holy see
vietnam|viet nam
ireland|republic of ireland
bosnia and herzegovina|bosnia
democratic republic of congo|democratic republic of the congo|dr congo|drc
congo|republic of congo|republic of the congo
"""
_USUAL: Final = {
    name: names[0]
    for names in (line.split("|") for line in _NAMES.split("\n") if line)
    for name in names
}


def usual_name(name: str) -> str:
    """Return the usual name of a country that has several, any other name as it is.

    Args:
        name: in the form of `text.normalise`.
    """
    return _USUAL.get(name, name)
