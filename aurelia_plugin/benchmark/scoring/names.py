"""Reading the answer to a question without options and without a closed set: a name or phrase.

The answer is the whole name: "New Mexico" is not Mexico.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from .geography import CONTINENTS, COUNTRIES, usual_name
from .grammar.deciding import NO_VALUE, Reading
from .grammar.statements import is_placeholder, statements
from .grammar.text import before_next_question, cleaned, normalise

__all__ = ["is_name", "is_refusal", "read_name"]

_REFUSAL: Final = re.compile(
    r"\b(?:i(?:'m| am)? (?:cannot|can't|can not|could not|couldn't|unable|not able|do not"
    r"|don't|did not|didn't|have no|am not|not sure|won't)\b"
    r"|(?:cannot|can't|could not|couldn't|impossible to|unable to|no way to|hard to"
    r"|difficult to) (?:be )?(?:determin|tell|say|identif|know|answer|see|hear|access|process"
    r"|view|watch|listen|assist|help|confirm|infer)\w*"
    r"|not (?:possible|enough|sufficient)|insufficient|i(?:'m| am) sorry|sorry|as an ai|n/?a\b"
    r"|unknown|unclear|unidentified|undetermined"
    r"|does not (?:provide|contain|show)|no (?:information|idea|answer|audio|video)\b)"
    r"|\u62b1\u6b49|\u65e0\u6cd5|\u4e0d\u77e5\u9053",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=\S)|\n+")
_LEAD: Final = re.compile(
    r"(?:(?:well|so|therefore|thus|hence|ok|okay|yes|hmm|overall|in conclusion|finally"
    r"|actually|sure|answer)\s*[,:]?\s+"
    r"|(?:i|we) (?:would |'d |will |can )?(?:think|believe|guess|say|conclude|suspect|assume"
    r"|answer|go with|choose|see|recogni[sz]e|suggest|hear)s?\b(?: that)?\s*:?\s*"
    r"|i'd (?:say|guess|go with)\s+|(?:my|the) (?:best )?(?:guess|answer|bet) (?:is"
    r"|would be)\s*:?\s*"
    r"|(?:most |very |quite |highly )?(?:likely|probably|possibly|perhaps|maybe|definitely"
    r"|clearly|certainly|obviously|apparently|presumably|indeed|simply|surely|also)\b\s*,?\s*"
    r"|(?:it|this|that|these|they|he|she|there|which|what we (?:see|hear))(?:'s"
    r"|'re)?\s+(?=(?:is|was|are|were|looks?|appears?|seems?|sounds?|must|might|may|could|would"
    r"|should|comes?|originates?|belongs?|refers?)\b)"
    r"|(?:it|this|that|they|these)(?:'s|'re)\s+"
    r"|(?:is|was|are|were|be|being|looks? like|appears? to be|seems? to be|sounds? like"
    r"|must be|might be|may be|could be|would be|should be|comes? from|originates? from"
    r"|belongs? to|refers? to|suggests?|indicates?|points? to|shows?|represents?|depicts?"
    r"|features?)\b\s*:?\s*"
    r"|(?:they|he|she|people|we|you|(?:the|all|both) (?:people|man|woman|men|women|singers?"
    r"|speakers?|dancers?|locals|actors?)) (?=(?:is|are|was|were|speak|sing|talk|pay|use|dance"
    r"|play|eat|cook|prepar|perform|serv|mak)\w*\b)"
    r"|(?:speak|sing|talk|pay|us|danc|play|eat|cook|prepar|perform|serv|mak)(?:s|e|es|ing)?"
    r" (?:in |with )?(?=\S)"
    r"|(?:filmed|recorded|shot|located|situated|found|taken|set|made|captured|performed|played"
    r"|sung|spoken|danced)\s+(?=in|at|on|from|near)"
    r"|(?:in|from|at|on|of|to|near|to be|called|named|known as|that of|the name is|as)\s+)",
    re.IGNORECASE,
)
# A subject before "is": "the landmark in the picture is the Gateway Arch".
_SUBJECT: Final = re.compile(
    r"(?:the|this|that|these|its|their|my|our)\s[^.,;:!?\n]{1,80}?\s"
    r"(?:is|was|are|were|looks like|appears to be|seems to be|must be|might be|may be|could be"
    r"|would be|comes from|originates from|belongs to"
    r"|is from|suggests?|indicates?|points to|is called|is named|shows|depicts|represents"
    r"|is that of)\b\s*:?\s*",
    re.IGNORECASE,
)
_CUT: Final = re.compile(
    r"\s*(?:[;!?\u2014]|\s[-\u2013]\s|\.(?=\s|$)|:(?=\s)"
    r"|,?\s+(?:because|since|which|who|whose|where|when|based on|given|due to|judging|so"
    r"|although|though|while|whereas|as (?:it|the|we|seen|shown|i)"
    r"|rather than|instead of|according to|known for|famous for|seen|shown|playing"
    r"|as indicated|as evidenced|thanks to|for its|and (?:it|this|that|the|not)\b|i (?:think"
    r"|believe|guess)|if i|is (?:the|a|shown|seen|what|my)|but)\b"
    r"|,\s*(?:not|an?|the|one|as|with|located|situated|in (?:the|my)|and|most|its?|based|given"
    r"|known|likely|probably|of course|i|made|played|used)\b(?!\s*$)"
    r"|\s+(?:not|no|isn't|aren't)\b).*",
    re.IGNORECASE | re.DOTALL,
)
_WITH: Final = re.compile(r"\s+(?:with|and its|by|for|on|from)\s.*", re.IGNORECASE | re.DOTALL)
_NOT_BUT: Final = re.compile(
    r"^\W*(?:it(?:'s| is) |this is |that is )?not (?:from |in )?[^.;,\n]{1,60}?,?\s(?:but"
    r"|rather)\s(?:rather )?",
    re.IGNORECASE,
)
_CONCLUDED: Final = re.compile(
    r"[,;.\u2014-]\s*(?:and )?(?:so|therefore|thus|hence)\b[,:]?\s+(?=\S)", re.IGNORECASE
)
_RELATIVE: Final = re.compile(r"\b(?:whose|that|which|where|who|in which)\b", re.IGNORECASE)
_SECOND_IS: Final = re.compile(
    r"[^.,;:!?\n]{1,60}?\s(?:is|was|must be|would be)\s(?=\S)", re.IGNORECASE
)
_DENIED: Final = re.compile(
    r"(?:^|\b)(?:not|isn't|aren't|wasn't|no longer|neither|never|cannot be|can't be)\b",
    re.IGNORECASE,
)
_SUPPOSED: Final = re.compile(r"\b(?:whether|if|unless)\b", re.IGNORECASE)
_SEVERAL: Final = re.compile(
    r"\s(?:or|versus|vs\.?)\s|\s?/\s?|\beither\b|\band/or\b", re.IGNORECASE
)
_DESCRIPTIVE: Final = frozenset(
    (
        *(
            "certain",
            "clear",
            "obvious",
            "easy",
            "helpful",
            "based",
            "supported",
            "because",
            "that",
            "derived",
        ),
        *(
            "determined",
            "found",
            "given",
            "short",
            "simple",
            "correct",
            "right",
            "wrong",
            "as",
            "not",
            "hard",
        ),
        *(
            "difficult",
            "straightforward",
            "likely",
            "unknown",
            "consistent",
            "also",
            "shown",
            "evident",
            "what",
        ),
        *(
            "well",
            "quite",
            "very",
            "too",
            "fairly",
            "still",
            "confirmed",
            "justified",
            "drawn",
            "provided",
        ),
    )
)
_PROPER: Final = re.compile(
    r"[A-Z\u00c0-\u00de][\w'\u2019.-]*(?:\s+(?:(?:of|de|da|do|du|del|la|le|el|al|the|and"
    r"|d')\s+)*[A-Z\u00c0-\u00de][\w'\u2019.-]*)*"
)
_LABEL: Final = re.compile(
    r"(?:^|(?<=\n)|(?<=[.;,]\s))[ \t*\u2022-]{0,8}(?P<label>[\w' ]{2,40}):[ \t]*"
    r"(?=(?P<value>\S[^\n]*))"
    r"|\"(?P<key>[\w ]{2,40})\"\s?:\s?\"(?P<text>[^\"\n]{1,200})\""
)
_ONLY_NOT: Final = re.compile(r"\W*(?:it's |it is )?not\b[^,;:]*$", re.IGNORECASE)
# "The vendors speak Vietnamese, and there are scooters everywhere: Vietnam."
_IN_THE_END: Final = re.compile(
    r":\s+(?!(?:The|An?|It|This|There|In) )(?=[A-Z\u00c0-\u00de][^:.,;!?]{1,40}[.!]?$)"
)
_IS: Final = re.compile(
    r"(?:the|this|that|its|it)\b[^.,;:!?\n]{0,60}?\s(?:is|was|must be|would be)\b", re.IGNORECASE
)
_WHICH: Final = re.compile(r"\b(?:which|what) (?!is\b|was\b|are\b)(\w+)", re.IGNORECASE)
_PRONOUNS: Final = frozenset(("it", "this", "that", "its", "is", "was", "must", "would", "be"))
_PICTURES: Final = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]")
_NOUN: Final = 3  # letters; shorter words of a question are no nouns
_SHORT: Final = 8  # words
_INITIALS: Final = re.compile(r"\b(?:[A-Za-z]\.){2,}")


def is_refusal(text: str) -> bool:
    """Return whether a text says that it gives no answer."""
    return bool(_REFUSAL.search(text))


def read_name(text: str, question: str = "") -> Reading:
    """Return the name or phrase that a reply, thinking taken off, gives as its answer.

    Args:
        text: the reply.
        question: its nouns are no part of a name ("the country is Peru", "Spanish language"), and
            it tells which part of "Lima, Peru" answers.
    """
    said = cleaned(text)
    if not normalise(said):
        return Reading(None, "empty")
    answer = before_next_question(said)
    reading = _read(answer or said, question)
    return reading if reading.value is None else reading._replace(value=usual_name(reading.value))


def _read(said: str, question: str) -> Reading:
    for statement in reversed(statements(said)):
        content = cleaned(statement.content)
        words = normalise(content).split()
        if is_placeholder(statement.content) or not words:
            continue
        if not statement.labelled and (words[0] in _DESCRIPTIVE or len(words) > 2 * _SHORT):
            continue
        return _complement(content, question) or _phrase(content, question, "answer line")
    return _from_sentences(said, question)


def _from_sentences(said: str, question: str) -> Reading:
    sentences = [one.strip() for one in _SENTENCE.split(said) if normalise(one)]
    if len(sentences) > 1 and sentences[0].endswith("?"):  # the question, said again
        sentences.pop(0)
    first = sentences[0]
    named = _named(said, question)
    if named is not None:
        return _phrase(named, question, "named")
    asked = _of_noun(sentences, question)
    if asked is not None:
        return asked
    if first.endswith(":") and len(sentences) > 1:  # "Here is what I found:"
        first = sentences.pop(0) and sentences[0]
    if len(first.split()) <= _SHORT and not _SUPPOSED.search(first) and not is_refusal(first):
        reading = _complement(first, question) or _phrase(first, question, "short reply")
        if reading.value is not None or len(sentences) == 1:
            return reading
    stated = [one for one in sentences if not _SUPPOSED.search(one) and not is_refusal(one)]
    stated = [one for one in stated if not _ONLY_NOT.match(one)] or stated
    if not stated:
        return Reading(None, "refusal")
    concluding = [
        one
        for one in stated
        if re.match(
            r"\W*(?:so|therefore|thus|hence|overall|in conclusion|finally|this suggests|i)\b",
            one,
            re.I,
        )
    ]
    for one in [*reversed(concluding), *stated]:
        complement = _complement(one, question)
        if complement is not None and (len(stated) == 1 or not _is_aside(one, question)):
            return complement
    names = dict.fromkeys(
        normalise(found[0]) for one in stated for found in _PROPER.finditer(_uncapital(one))
    )
    names.pop("", None)
    if len(names) == 1:
        return Reading(next(iter(names)), "the only name")
    return Reading(None, "several names" if names else NO_VALUE)


def _of_noun(sentences: list[str], question: str) -> Reading | None:
    """Return what the last of several sentences says of a noun of the question: "The dance is"."""
    asked = _WHICH.search(question)
    if asked is None or len(sentences[0].split()) < _NOUN:  # a first word that answers already
        return None
    for one in reversed(sentences[1:]):
        subject = _IS.match(one)
        if subject and asked[1].lower() in subject[0].lower().split():
            complement = None if _SUPPOSED.search(one) else _complement(one, question)
            if complement is not None:
                return complement
    return None


def _is_aside(sentence: str, question: str) -> bool:
    """Return whether a sentence without a name speaks of something else: "The mood is cheerful"."""
    subject = _IS.match(sentence)
    if subject is None or re.search(r"[A-Z\u00c0-\u00de]", sentence[1:]):
        return False
    about = set(normalise(subject[0]).split()) - _PRONOUNS
    return bool(about) and not about & _nouns(question)


def _nouns(question: str) -> set[str]:
    return {word for word in normalise(question).split() if len(word) > _NOUN}


def _named(said: str, question: str) -> str | None:
    """Return what stands behind the last label or key that is a noun of the question, or None."""
    nouns = _nouns(question)
    found = None
    for label in _LABEL.finditer(said):
        words = normalise(label["label"] or label["key"]).split()
        if words and words[-1] in nouns:
            found = label["value"] or label["text"]
    return found


def _uncapital(sentence: str) -> str:
    """Return a sentence whose first word is no name for its capital alone."""
    first, _, rest = sentence.partition(" ")
    common = first.lower().strip(",") in _OPENING
    return f"{first.lower()} {rest}" if common else sentence


_OPENING: Final = frozenset(
    (
        *(
            "the",
            "this",
            "that",
            "these",
            "it",
            "its",
            "a",
            "an",
            "in",
            "on",
            "at",
            "from",
            "there",
            "i",
            "we",
        ),
        *(
            "he",
            "she",
            "they",
            "so",
            "based",
            "given",
            "judging",
            "looking",
            "people",
            "you",
            "as",
            "with",
            "my",
        ),
        *(
            "therefore",
            "thus",
            "hence",
            "here",
            "what",
            "which",
            "both",
            "one",
            "and",
            "but",
            "because",
            "since",
            "some",
            "many",
            "all",
            "another",
            "while",
        ),
    )
)


def _complement(sentence: str, question: str) -> Reading | None:
    """Return what a sentence says that its subject is, if that is short enough for a name."""
    ending = _IN_THE_END.search(sentence)
    if ending:
        return _phrase(sentence[ending.end() :], question, "sentence")
    rest = _LEAD.sub("", sentence, count=1) if _LEAD.match(sentence) else sentence
    for text in (rest, sentence):
        subject = _SUBJECT.match(text)
        if subject and not re.search(r"(?<=\s)[A-Z\u00c0-\u00de]", subject[0]):
            rest = text[subject.end() :]  # a subject without a name in it
            again = _SECOND_IS.match(rest) if _RELATIVE.search(subject[0]) else None
            rest = rest[again.end() :] if again else rest
            break
    else:
        if rest is sentence:
            return None
    reading = _phrase(rest, question, "sentence")
    words = (reading.value or "").split()
    capital = re.search(r"[A-Z\u00c0-\u00de]", rest) is not None
    return reading if words and len(words) <= (_SHORT if capital else 3) else None


def _phrase(content: str, question: str, rule: str) -> Reading:
    """Return the name in a text that is nothing but the answer and what is said about it."""
    line = _PICTURES.sub("", content).strip().split("\n")[0]
    line = _NOT_BUT.sub("", line)
    concluded = _CONCLUDED.search(line)
    if concluded and len(line[concluded.end() :].split()) <= _SHORT:
        line = line[concluded.end() :]
    if re.match(
        r"\W*(?:it's |it is |this is |definitely |certainly )?(?:not|isn't"
        r"|neither)\b(?!.*[,;.] ?\w)",
        line,
        re.IGNORECASE,
    ):
        return Reading(None, "only denied")
    parts = re.split(r"(?:(?<=[.!?])|[,;])\s+", line)
    if len(parts) > 1 and _DENIED.search(parts[0]) and not _DENIED.search(parts[1]):
        line = line[line.find(parts[1], len(parts[0])) :]  # "It isn't Peru, it's Chile."
    line = _led(line)
    if _SUPPOSED.search(line.split(",")[0]) or (is_refusal(line) and rule != "answer line"):
        return Reading(None, "refusal")
    phrase = _CUT.sub("", line).strip(" \t.,;:!?\"'")
    if is_refusal(phrase):
        return Reading(None, "refusal")
    if not normalise(phrase):
        return Reading(None, "only denied" if _DENIED.search(line) else "no name")
    if _SEVERAL.search(_without_brackets(phrase)):
        return Reading(None, "several names")
    return Reading(
        normalise(_INITIALS.sub(lambda m: m[0].replace(".", ""), _asked(phrase, question))), rule
    )


def _led(line: str) -> str:
    """Return a line without the words that lead to a name."""
    while (lead := _LEAD.match(line)) and normalise(line[lead.end() :]):
        line = line[lead.end() :]
    return line


def _without_brackets(phrase: str) -> str:
    return re.sub(r"\([^()]{0,200}\)", " ", phrase)


def _asked(phrase: str, question: str) -> str:
    """Return the part of a phrase for which the question asks."""
    phrase = _without_nouns(phrase, question)
    parts = [part.strip() for part in re.split(r",|\(|\)|\bin\b", phrase) if normalise(part)]
    if len(parts) < 2:
        return parts[0] if parts else phrase
    kinds = ((r"\bcountry|\bcountries|\bnation\b", COUNTRIES), (r"\bcontinent\b", CONTINENTS))
    for words, members in kinds:
        if re.search(words, question, re.IGNORECASE):
            fitting = [part for part in parts if normalise(part) in members]
            return fitting[0] if len(fitting) == 1 else phrase
    within = all(normalise(part) in COUNTRIES | CONTINENTS for part in parts[1:])
    bracket = "(" in phrase and "," not in phrase
    placed = re.search(r"\bin\b", phrase) is not None and "," not in phrase
    large = COUNTRIES if all(normalise(one) in CONTINENTS for one in parts[1:]) else frozenset()
    if normalise(parts[0]) in (COUNTRIES | CONTINENTS) - large and within:
        return phrase  # a list
    return (
        parts[0]
        if within or bracket or placed or re.search(_LOCAL, question, re.IGNORECASE)
        else phrase
    )


_LOCAL: Final = (
    r"\b(?:city|town|village|landmark|building|monument|place|where|state|province|bridge|tower"
    r"|temple|museum|square|island|stadium)\b"
)


_NOUN_BEFORE: Final = (
    re.compile(r"(?:the\s+)?(?:[a-z]+\s+){0,1}([a-z]+)\s+of\s+(?=\S)"),
    re.compile(r"(?:the\s+)?([a-z]+)\s+(?=[A-Z])"),
)
_NOUN_BEHIND: Final = re.compile(r"(?<=\w)\s+([a-z]+)$")


def _without_nouns(phrase: str, question: str) -> str:
    """Return a phrase without the question's noun before or behind a name."""
    nouns = {word for word in normalise(question).split() if len(word) > 3}
    nouns |= {word.removesuffix("s") for word in nouns} | {"flag", "country", "city", "language"}
    for noun in _NOUN_BEFORE:
        before = noun.match(phrase)
        if before and before[1].lower() in nouns:
            return phrase[before.end() :]
    last = _NOUN_BEHIND.search(phrase)
    return phrase[: last.start()] if last and last[1] in nouns else phrase


def is_name(value: str, golds: Iterable[str]) -> bool:
    """Return whether a name that was read is one of the right ones, in every sign and mark.

    A name read with more than a name ("pasta with tomato sauce") is compared without that too.
    """
    wanted = {form for gold in golds for form in _forms(gold)}
    forms = {usual_name(form) for form in (value, normalise(_WITH.sub("", value)))}
    return bool(forms & wanted)


def _forms(gold: str) -> Iterator[str]:
    yield usual_name(normalise(_INITIALS.sub(lambda m: m[0].replace(".", ""), gold)))
