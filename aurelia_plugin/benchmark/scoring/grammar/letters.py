"""Finding the letters of options in a text.

A letter is one by its form ("(B)", "option B", alone on its line) or, standing bare in a sentence,
by what is around it: a word that leads to a choice before it, and after it the end of the clause
or a word that no noun phrase goes on with. One rule holds for all letters, so the article "A", the
pronoun "I" and the C of "vitamin C" are passed for the same reasons as any other.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from .phrasebook import Mention

__all__ = ["FILLER", "MENTION", "LetterFinder", "masked"]

MENTION: Final = "\ue000"
FILLER: Final = "\ue001"
_M: Final = f"{MENTION}{FILLER}*"

# Letters of other alphabets that look like Latin ones, where they stand alone.
_ALIKE: Final = dict(
    zip(
        "\u0410\u0412\u0421\u0415\u0391\u0392\u0395\u0430\u0432\u0441\u0435",
        "ABCEABEabce",
        strict=True,
    )
)
_LATIN: Final = "A-Za-z0-9\u00c0-\u024f_"
_X: Final = "(?P<letter>[A-Za-z" + "".join(_ALIKE) + "])"
_ENDS: Final = rf"(?![{_LATIN}])(?!'[A-Za-z])"
_NAME: Final = (
    r"(?:option|choice|letter|alternative|candidate|answer|variant|opci\u00f3n|opcion"
    r"|op\u00e7\u00e3o"
    r"|opzione|antwort|r\u00e9ponse|respuesta|\u0432\u0430\u0440\u0438\u0430\u043d\u0442"
    r"|\u9009\u9879"
    r"|\u9078\u9805|\u7b54\u6848|\uc120\ud0dd\uc9c0)"
)
_FORMED: Final = re.compile(
    rf"\(\s?{_X.replace('letter', 'l1')}\s?\)|\[\s?{_X.replace('letter', 'l2')}\s?\]"
    rf"|\{{\s?{_X.replace('letter', 'l3')}\s?\}}|<\s?{_X.replace('letter', 'l4')}\s?>"
    rf"|(?<!\w)\"\s?{_X.replace('letter', 'l5')}[.)]?\s?\""
    rf"|(?<!\w)'{_X.replace('letter', 'l6')}'(?!\w)"
    rf"|(?<![{_LATIN}]){_NAME}(?:s?(?:\s{{1,2}}[:#]?|[:#])\s{{0,2}}[\"'(\[]?|s?[(\[\"]"
    rf"|(?<=[^\x00-\u024f])){_X.replace('letter', 'l7')}{_ENDS}",
    re.IGNORECASE,
)
_BARE: Final = re.compile(rf"(?<![{_LATIN}'.&])(?<![Nn]/){_X}{_ENDS}(?!\.[A-Za-z]\b)")

# What may follow a letter that stands for an option: no word that an article or an initial has.
_VERB: Final = (
    r"is|isn't|was|wasn't|has|hasn't|had|does|doesn't|did|didn't|can't|cannot|could|couldn't|would"
    r"|wouldn't|should|might|may|must|can be|can not|will be|won't|fits?|matches|seems?|looks"
    r"|sounds"
    r"|sounded|appears?|remains?|wins?|makes|describes?|shows?|corresponds?|refers?|gets|comes"
    r"|starts|stands|fails?|lacks|mentions?|says|needs?|requires?|captures?|reflects?|explains?"
    r"|contradicts?|works|feels|were|are|have"
)
_OTHER_VERB: Final = (
    "\u00e9|\u00e8|es|est|ist|w\u00e4re|sind|sono|son|\u00e4r|er|jest|\u2014|\u2013|adalah"
    r"|trifft|stimmt|passt|gilt|convient|correspond|corresponde|coincide|encaja|corrisponde"
)
_LINK: Final = (
    r"and|or|nor|over|but|because|since|as|so|rather|instead|then|if|when|where|while|whereas|than"
    r"|though|although|however|therefore|which|it|here|too|also|alone|by|for|with|from|at|after"
    r"|before|in|on|of|to|due|not|versus|vs|who|that|y|o|u|und|oder|et|ou|e|porque|parce|weil"
    r"|car|pois"
)
_AFTER: Final = re.compile(
    rf"\s*(?:$|\n|[.,;:!?()\[\]{{|/>=<+&\u2013\u2014\"'\u2705\u274c\u2713\u2717\u2192-]|{_M}"
    rf"|(?:{_VERB}|{_OTHER_VERB}|{_LINK}|the (?:most|best|only|right|correct|clear|likel\w+))"
    r"(?![\w'])|[^\x00-\u024f])",
    re.IGNORECASE,
)
# A lower-case letter has to end its clause.
_AFTER_LOWER: Final = re.compile(
    r"\s*(?:$|\n|[.,;:!?()\]]|(?:because|since|as|and|or|i (?:think|guess|believe)|for sure"
    r"|imo)(?!\w))",
    re.IGNORECASE,
)
# "I" before a verb of the first person is the pronoun.
_PRONOUN: Final = re.compile(
    r"[ \t]+(?:'?(?:m|d|ve|ll)\b|(?!(?:is|isn't|has|hasn't|does|doesn't|fits|matches|seems|looks"
    r"|sounds"
    r"|and|or|nor|because|since|over|rather|instead|than|it|here|alone)\b)\w)"
    r"|'|,\s*(?:too|also|personally|for one|however|myself|on the|in turn|as an?|being an?"
    r"|unfortunately|sadly|honestly)\b",
    re.IGNORECASE,
)
_OPEN: Final = re.compile(r"(?:^|[\n.;:,!?(\[|/>=<+&\u2013\u2014\u2192\"'*-])\s*$")
_LEADS: Final = (
    r"is|isn't|was|wasn't|be|been|it's|that's|its|this|are|answers?|option|choice|pick|picks"
    r"|letter|only|just"
    r"|probably|likely|definitely|clearly|certainly|obviously|surely|maybe|perhaps|possibly|simply"
    r"|not|or|and|nor|either|neither|both|than|over|say|said|so|therefore|thus|hence|then|leaves"
    r"|leaving|mean|means|meant|prefer|preferred|choose|chose|chosen|choosing|picked|picking|select"
    r"|selects|selected|selecting|guess|think|believe|conclude|suggests?|supports?|favou?rs?"
    r"|eliminate|eliminated"
    r"|eliminates|exclude|excluded|excludes|reject|rejected|rejects|discard|discarded|dismiss|out"
    r"|unlike|like|that|except|besides|but|while|though|although|if|whether|because|since|when|unless|still"
    r"|now|yes"
    r"|no|ok|okay|well|hmm|wait|actually|finally|rather|instead|versus|vs|consider|considered"
    r"|i'd|going"
    r"|remains|becomes|makes|being|i'll|mark|submit|choosing|between|rules|rule|confirms?|indicates?"
    r"|equals"
    r"|\u00e9|\u00e8|es|est|ist|w\u00e4re|sia|sea|la|el|le|die|der|\u00e4r|er|jest|adalah|opt"
    r"|elijo|lautet|escolho|choisis"
    r"|w\u00e4hle|scelgo|por|y|o|und|oder|et|ou|e|ni|nicht|pas|n\u00e3o|no|non"
)
_LEAD: Final = re.compile(rf"(?<![\w'])(?:{_LEADS})\s+[\"'(]?$|[^\x00-\u024f]\s*$", re.IGNORECASE)
# These lead to a choice only behind a verb of choosing.
_PREPOSITION: Final = re.compile(
    r"(?<!\w)(?:go|goes|going|went|opt|opted|opting|settle[sd]?|settling|vote[sd]?|point(?:s"
    r"|ed|ing)?|leav(?:e|es|ing)|narrow(?:s|ed)?"
    r"|lean(?:s|ed|ing)?|stick|sticking|stuck|stay|staying|correspond\w*|match\w*|amounts?"
    r"|down|side"
    r"|agree|land(?:s|ed)?|fits?|choice|pick|answer|answers|leads?|led|refers?|left|instead"
    r"|favou?r|preference"
    r"|evidence|case|closest|nearest|combination|decide[sd]?|converge[sd]?|get|come|comes|came"
    r"|conclusion|rule[sd]?|ruling)"
    r"\b[^.;:\n]{0,40}?\b(?:with|for|on|to|toward|towards|of|from|at|as|against|out)\s+[\"'(]?$",
    re.IGNORECASE,
)
# A letter behind these names something else.
_NAMED_ELSE: Final = re.compile(
    r"(?<!\w)(?:notes?|key|chords?|pitch|tonic|scale|tun(?:ed|ing)|strings?|grade|vitamin|plan|team"
    r"|hepatitis|type|section|channel|gate|flat|sharp|tone|drop|string|clef)\b[^.;\n]{0,25}$",
    re.IGNORECASE,
)
_WINDOW: Final = 70  # characters of a sentence that are looked at


def masked(text: str, mentions: Sequence[Mention]) -> str:
    """Return the text with every mention written as MENTION and FILLERs, at equal length."""
    ends = [0, *(mention.end for mention in mentions)]
    parts = (
        text[at : mention.start] + MENTION.ljust(mention.end - mention.start, FILLER)
        for at, mention in zip(ends, mentions, strict=False)
    )
    return "".join([*parts, text[ends[-1] :]])


class LetterFinder:
    """Finds the letters of a set of options.

    Args:
        letters: as the source gives them; letters of one character are found inside sentences,
            other labels only by their form or alone.
    """

    def __init__(self, letters: Sequence[str]) -> None:
        self._known = {letter.upper(): letter for letter in letters}
        self._single = all(len(letter) == 1 and letter.isalpha() for letter in letters)
        plain = self._single and all(letter.isascii() for letter in letters)
        self._other = None if plain else _forms_of(letters)

    def find(self, text: str, named: Sequence[Mention]) -> list[Mention]:
        """Return the letters in a cleaned text and the mentions that are given, in order.

        A letter that is no option's is found where its form says that an option is meant; its
        value is the letter.

        Args:
            named: mentions of options by their text; letters inside them are none.
        """
        found = list(named)
        if self._single:
            found = _merged(found, self._formed(text))
            found = _merged(found, self._bare(masked(text, found)))
        return found if self._other is None else _merged(found, self._labels(self._other, text))

    def _labels(self, form: re.Pattern[str], text: str) -> Iterator[Mention]:
        for match in form.finditer(text):
            group = next(name for name in "abc" if match[name] is not None)
            value = self._known.get(match[group].upper(), match[group])
            yield Mention(*match.span(group), value, True)

    def _value(self, letter: str) -> str:
        letter = _ALIKE.get(letter, letter).upper()
        return self._known.get(letter, letter)

    def _formed(self, text: str) -> Iterator[Mention]:
        for match in _FORMED.finditer(text):
            group = match.lastgroup or "l1"
            letter, end = match[group], match.end(group)
            if group != "l7" or _goes_on(letter, text[end : end + _WINDOW]):
                yield Mention(*match.span(), self._value(letter), True)

    def _bare(self, mask: str) -> Iterator[Mention]:
        for match in _BARE.finditer(mask):
            start, end = match.span()
            before = mask[max(0, start - _WINDOW) : start].rpartition("\n")[2]
            if self._is_choice(match["letter"], before, mask[end : end + _WINDOW]):
                yield Mention(start, end, self._value(match["letter"]), True)

    def _is_choice(self, letter: str, before: str, after: str) -> bool:
        opens = not before.strip(" \t>*\u2022-") or bool(_OPEN.search(before))
        set_off = opens and _sets_off(before, after)
        follows = _AFTER if letter.isupper() else _AFTER_LOWER
        if not follows.match(after) or (letter == "I" and _PRONOUN.match(after)):
            return False
        if _ALIKE.get(letter, letter).upper() not in self._known:
            # Only where the form alone says that an option is meant.
            return set_off and not (letter == "I" and "," in after[:2])
        if opens:
            return set_off or letter.isupper()
        if _NAMED_ELSE.search(before):
            return False
        leads = _LEAD.search(before) or _PREPOSITION.search(before)
        return bool(leads) or before.endswith((f"{MENTION}{FILLER}", MENTION))


def _forms_of(letters: Sequence[str]) -> re.Pattern[str]:
    """Return what finds labels that are no Latin letters, by their form or alone."""
    labels = "|".join(re.escape(letter) for letter in sorted(letters, key=len, reverse=True))
    return re.compile(
        rf"(?:\b{_NAME}\s{{0,2}}[:#]?\s{{0,2}}\(?(?P<a>{labels})\)?(?!\w)"
        rf"|[(\[](?P<b>{labels})[)\]]|(?:^|(?<=\n))\s*(?P<c>{labels})(?:[.):]|\s*$))",
        re.IGNORECASE,
    )


def _goes_on(letter: str, after: str) -> bool:
    """Return whether what follows a letter may stand behind an option, and is no verb of "I"."""
    follows = _AFTER if letter.isupper() else _AFTER_LOWER
    return bool(follows.match(after)) and not (letter in "Ii" and _PRONOUN.match(after))


def _sets_off(before: str, after: str) -> bool:
    """Return whether a letter that begins a text, line or clause is set off from what follows."""
    return bool(re.match(r"\s*(?:$|\n|[.):\]](?:\s|$|\n))", after)) or (
        not before.strip() and bool(re.match(r"\s*[,;]", after))
    )


def _merged(kept: Sequence[Mention], more: Iterator[Mention]) -> list[Mention]:
    """Return mentions in order; of those that overlap, the ones that were there."""
    starts = [one.start for one in kept]
    free = [
        one
        for one in more
        if not (place := bisect_left(starts, one.end)) or kept[place - 1].end <= one.start
    ]
    return sorted([*kept, *free])
