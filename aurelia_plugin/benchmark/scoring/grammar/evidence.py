"""What each mention in a text says of its value: stated or denied, and how firmly.

A text is cut into clauses. A mention is judged by its own clause alone: by the words between it
and the mention before, and between it and the one after.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from .letters import FILLER, MENTION, masked
from .phrasebook import Mention

__all__ = ["Evidence", "Weight", "corrects", "weigh"]

_M: Final = f"{MENTION}{FILLER}*"


class Weight(IntEnum):
    """How firmly a mention states its value."""

    NONE = 0  # "if it were B", "is it B?"
    LISTED = 1  # one entry of a list of options
    TENTATIVE = 2  # "B was tempting", "because B ..."
    PLAIN = 3  # "B is heard"
    CHOSEN = 4  # "I choose B"
    CONCLUDED = 5  # "so B"
    LEADING = 6  # "B. ..."


class Evidence(NamedTuple):
    """One mention, judged.

    Attributes:
        denied: the text says that it is not this value.
        clash: a letter that stands directly before another option's text, or the reverse.
        joined: one of several that are named in one breath ("A or B"), the first left aside.
    """

    mention: Mention
    weight: Weight
    denied: bool = False
    clash: bool = False
    joined: bool = False


_BREAK: Final = re.compile(
    r"(?P<line>\n\s*)"
    rf"|(?P<stop>(?:[.!?\u2026]+(?=[\s\"')\]{MENTION}]|$)))"
    r"|(?P<open>\()|(?P<close>\))"
    r"|(?P<colon>[;:](?![\d/])|\s[-\u2013\u2014]+\s|\u2014)"
    r"|(?P<comma>,(?!\d))"
    r"|(?<![\w'-])(?P<word>but|so|because|since|although|though|while|whereas|however"
    r"|therefore|thus"
    r"|hence|then|which|yet|given that|due to|overall|finally|ultimately|in (?:conclusion"
    r"|summary|short|sum|the end)"
    r"|to (?:conclude|sum up)|pero|aber|mais|mas|sondern|sino|donc|por lo tanto|portanto"
    r"|quindi)(?![\w'-])"
    r"|(?P<end>\Z)",
    re.IGNORECASE,
)
_REASON: Final = frozenset(
    (
        *("because", "since", "although", "though", "while", "whereas", "given that", "due to"),
        "which",
    )
)
_RESULT: Final = frozenset(
    (
        *("so", "therefore", "thus", "hence", "overall", "finally", "ultimately", "in conclusion"),
        *("in summary", "in short", "in sum", "in the end", "to conclude", "to sum up", "donc"),
        *("por lo tanto", "portanto", "quindi"),
    )
)
_IDIOM: Final = re.compile(
    r"\b(?:no|without(?: a)?|beyond(?: a)?) (?:doubt|question)\b|\bnot only\b"
    r"|\bnothing (?:else )?but\b"
    r"|\bnone other than\b|\b(?:can't|cannot|can not|couldn't) be (?:anything"
    r"|any) (?:\w+ )?(?:but|than)\b"
    r"|\bno other (?:option|choice)?\b|\bwhy not\b|\bif not\b|\bnot wrong\b|\bno\s*[,:]"
    r"|\bno problem\b"
    r"|\bdoubtless\b|\b(?:no|not much) (?:contest|difference)\b",
    re.IGNORECASE,
)
_NOT: Final = (
    r"not|\w+n't|cannot|never|neither|nor|no|none of|nicht|kein|keine|pas|ni|n\u00e3o|non|nunca"
    r"|jamais"
)
_DENIES_NEXT: Final = re.compile(
    rf"(?<![\w'])(?:{_NOT}|unlike|except|rather than|instead of|as opposed to|other than|than|over"
    r"|against|without|wrong|incorrect|false|versus"
    r"|(?:rul|eliminat|exclud|discard|reject|dismiss)(?:e|es|ed|ing|s)?(?: out)?|\u4e0d\u662f"
    r"|\u975e)(?![\w'])"
    r"|\u4e0d\u662f|\u4e0d\u9009",
    re.IGNORECASE,
)
# "All but B are wrong", "nothing except B fits": the one that is excepted is meant.
_EXCEPTED: Final = re.compile(
    r"(?<!\w)(?:(?P<all>all|everything|every\b[^.;\n]{0,30}|each\b[^.;\n]{0,30}|any\w*)"
    r"|none|nothing|no(?: other)? \w+)(?!\w)(?:(?P<between>[^.;\n]{0,60}?)"
    r"\b(?:except|other than|apart from|besides|save)(?: for)?"
    r"|(?: of \w+(?: \w+)?)? but)\s+[\"'(]?$",
    re.IGNORECASE,
)
_OF_MANY: Final = re.compile(r"\s*(?:are|were|have|fit|match|seem|sound|look|remain)\b", re.I)
_AGAINST: Final = re.compile(
    rf"(?<![\w'])(?:{_NOT}|wrong|incorrect|false|contradicted|eliminated|excluded|ruled out"
    r"|unlikely|implausible|absent|missing|fails?|distractors?|irrelevant|unrelated)(?![\w'])",
    re.IGNORECASE,
)
_AFFIRMS_NEXT: Final = re.compile(
    r"(?<![\w'])(?:it(?:'s| is| must be)|that(?:'s| is)|rather|instead|the answer is|must be)\s*$",
    re.IGNORECASE,
)
_DENIED_BEFORE: Final = re.compile(
    r"\s*(?:[\"')\]]\s*)?(?:(?:is|are|was|were|seems?|looks?|sounds?|would be|can be|could be"
    r"|gets?|has been|be|feels)\s+)?"
    r"(?:(?:also|clearly|definitely|probably|therefore|simply|obviously|just|both|all|then"
    r"|thus|really|far)\s+){0,2}"
    r"(?:not\b|never\b|(?:is|was|are|were|do|does|did|ca|could|wo|would|has|have|had"
    r"|should)n't\b|cannot\b"
    r"|(?:do|does|did|can|could|would|will|should) not\b|wrong\b|incorrect\b|false\b|out\b|off\b"
    r"|(?:ruled|crossed) out\b|eliminated\b|excluded\b|discarded\b|rejected\b|unlikely\b"
    r"|implausible\b"
    r"|too \w+|less (?:likely|plausible|fitting)\b|impossible\b|absent\b|missing\b"
    r"|irrelevant\b|unrelated\b"
    r"|a distractor\b|no match\b|fails?\b|lacks?\b|contradicts?\b|ist falsch|est faux|es incorrect"
    r"|\u4e0d\u5bf9|\u9519\u8bef|\u4e0d\u6b63\u786e)",
    re.IGNORECASE,
)
# "B: no", "C | yes", "D - wrong": a verdict behind the name.
_VERDICT: Final = re.compile(
    r"\s*(?:[):|=\u2013\u2014\u2192-]|\)?\s*[:|.])*\s*"
    r"(?:(?P<no>no|nope|wrong|incorrect|false|not (?:\w+ ){0,2}\w+|\u2717|\u2718|\u274c|\u00d7|x)"
    r"|(?P<yes>yes|correct|true|right|match(?:es)?|\u2713|\u2714|\u2705))(?=\s*(?:$|\n"
    r"|[.,;:!|(\u2013\u2014-]))",
    re.IGNORECASE,
)
_VERDICT_SIGN: Final = re.compile(
    r"\s*[:|=\u2013\u2014\u2192)-]|\s*[\u2717\u2718\u274c\u2713\u2714\u2705]"
)
_TENTATIVE: Final = re.compile(
    r"(?<![\w'])(?:might|may|maybe|perhaps|possibly|could|at first|first (?:thought|guess"
    r"|glance|sight|impression)"
    r"|initially|originally|tempt\w*|expect\w*|would have|second (?:choice|place|best|guess)"
    r"|runner|close to|similar"
    r"|resembl\w*|almost|nearly|consider\w*|hesitat\w*|torn|compared?|suspect\w*|wonder\w*"
    r"|thought|assumed?|toss-?up"
    r"|between|confus\w*|mistake\w*|evoke\w*|reminiscent)(?![\w'])",
    re.IGNORECASE,
)
_TENTATIVE_AFTER: Final = re.compile(
    r"\s*(?:is|was|were|seems?|seemed|looks?|looked|sounds?|sounded|might|may|could|can|would)?\s*"
    r"(?:also |at first |initially |a bit |quite |very |rather )?"
    r"(?:tempting|tempted|possible|plausible|close|a close second|similar|at first|initially"
    r"|second\b|considered"
    r"|be\b|have been|my first (?:thought|guess)|a distractor|a red herring|come[s]? (?:close"
    r"|second|in|next|only))",
    re.IGNORECASE,
)
_MUST: Final = re.compile(r"\b(?:must|has to|can only|could only|should) be\b", re.IGNORECASE)
_SUPPOSED: Final = re.compile(
    r"(?<![\w'])(?:whether|if|unless|suppose|supposing|assuming|were it|which of"
    r"|known? (?:whether|if))(?![\w'])",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"(?<![\w'])(?:is|was|are|could it|can it|would|does|do|did|why|what|which|how|or)(?![\w'])",
    re.IGNORECASE,
)
_CHOOSES: Final = re.compile(
    r"(?<![\w'])(?:choos\w*|chose\w*|pick\w*|select\w*|go(?:ing|es)?(?: with| for)?"
    r"|went (?:with|for)|opt\w*|settl\w*"
    r"|vote[sd]?|say|answers?|lean\w*|stick\w*|stay\w*|leav(?:es|ing)|left|must|has to"
    r"|conclu\w+|decid\w+|final\w*"
    r"|correct|right|best|only|it's|it is|that's|that is|this is|in total|total|altogether"
    r"|prefer\w*|remain\w*"
    r"|elijo|escolho|choisis|w\u00e4hle|scelgo|\u9009|\u9009\u62e9|\u662f|so|therefore|thus"
    r"|hence|overall"
    r"|in (?:short|sum|conclusion|summary))(?![\w'])|[=\u2192\u21d2]\s*$|\u9009|\u662f\s*$",
    re.IGNORECASE,
)
_CHOSEN_AFTER: Final = re.compile(
    r"\s*[\"')\]]?\s*(?:it is\b(?!\s+(?:not|\w+n't))|it's my|is (?:(?:clearly|definitely"
    r"|probably|therefore|thus|most likely|likely|indeed)\s+)?"
    r"(?:(?:the|my|our) (?:\w+ ){0,2}(?:answer|option|choice|one|match|fit|pick)|correct|right"
    r"|it\b|best|true)"
    r"|wins\b|fits best|matches best|is what|in total|total\b|altogether|instead of"
    r"|rather than|over\b"
    r"|\u6b63\u786e|\u662f\u6b63\u786e|is (?:the )?(?:only|most|best|more (?:likely|plausible"
    r"|probable)|likelier|likeliest)\b|remains\b|stands out\b|would be (?:my|the)"
    r"|seems? (?:right|correct|best|the most)"
    r"|is preferred|es (?:la )?correct|est (?:la )?(?:bonne|correct)|ist (?:richtig|korrekt)"
    r"|\u00e9 a correta)",
    re.IGNORECASE,
)
_JOIN: Final = re.compile(
    r"\s*(?:,\s*)?(?:and/or|and|or|nor|&|/|\||,|\+|[-\u2013\u2014]|to|vs\.?|versus|y|o|und"
    r"|oder|et|ou|e|\u548c|\u6216|\u6216\u8005)?"
    r"(?:\s*(?:even|also|then|possibly|perhaps|maybe|the|else))*\s*",
    re.IGNORECASE,
)
_BULLET: Final = re.compile(r"\n\s*[-\u2013\u2014*\u2022]")
_NEXT_RANK: Final = re.compile(
    r"\s*[,;]?\s*(?:and\s+)?(?:(?:then|next|followed by)|(?:2nd|3rd|4th|5th|second|third"
    r"|fourth)(?: place)?\s?:)\s*",
    re.IGNORECASE,
)
_TAKES_BACK: Final = re.compile(
    r"(?:^|\W)(?:no|wait|actually|hmm|sorry|correction|or rather)[\s,.:\u2026-]*$", re.IGNORECASE
)
_OR_ELSE: Final = re.compile(
    r"\s*(?:or\s|/)\s*(?!(?:rather|so|else|at least|more|not|no|something|similar|like|higher"
    r"|less)\b)(?:[\w'-]+\s){0,2}[\w'-]+\s*",
    re.IGNORECASE,
)
_LIST_GOES_ON: Final = re.compile(r"[\s)\"'\]]*(?:$|[.,;:!?\n&/]|(?:and|or|nor)\b)", re.IGNORECASE)
_PAIR: Final = re.compile(r"[\s.):,(\"'\u2013\u2014-]*")
_RANKED: Final = re.compile(
    r"most (?:likely|probable|plausible|fitting)|\brank\w*|\bin order\b|best to worst|order of",
    re.IGNORECASE,
)
_CORRECTION: Final = re.compile(
    r"(?<![\w'])(?:wait|actually|hold on|correction|scratch that|on second thoughts?"
    r"|on reflection|i meant"
    r"|changed? my (?:mind|answer)|let me (?:correct|revise|reconsider)|hmm|no(?=\s*[,.!-])"
    r"|sorry|my mistake|rather"
    r"|on (?:closer|a second|further) \w+|looking (?:again|closer)|in the end|finally"
    r"|ultimately)(?![\w'])",
    re.IGNORECASE,
)
_ENUMERATION: Final = 3
_NEAR: Final = 40  # characters between two mentions that may be named in one breath
_RELATIVE: Final = 90  # characters on each side of a mention that are looked at


def corrects(text: str) -> bool:
    """Return whether words between two statements take back the first."""
    return bool(_CORRECTION.search(text))


class _Clause(NamedTuple):
    start: int
    end: int
    opener: str
    reason: bool
    asks: bool
    sentence: int
    expands: bool = False  # behind a colon that stands behind a mention


def _clauses(mask: str) -> list[_Clause]:
    """Cut a text into clauses; `reason` holds for those that give reasons, asides among them."""
    found: list[_Clause] = []
    start, opener, reason, sentence, depth = 0, "", False, 0, 0
    expands = initial = False
    for cut in _BREAK.finditer(mask):
        at, kind = cut.start(), cut.lastgroup or ""
        word = cut["word"].lower() if kind == "word" else kind
        asks = kind == "stop" and "?" in cut[0]
        found.append(_Clause(start, at, opener, reason or depth > 0, asks, sentence, expands))
        resumes = kind in ("comma", "colon") and opener in _RESULT and not mask[start:at].strip()
        start, opener = cut.end(), opener if resumes else word
        if kind in ("line", "stop"):
            reason, sentence, expands = False, cut.end(), False
        elif kind == "colon":
            expands = expands or MENTION in mask[max(sentence, at - 2 * _RELATIVE) : at]
        elif kind == "word":
            # "Although A is close, B ...": the comma ends a reason that begins its sentence.
            initial, reason = not mask[sentence:at].strip(), word in _REASON
        elif kind == "comma" and initial:
            reason = initial = False
        depth = 0 if kind == "line" else max(0, depth + (kind == "open") - (kind == "close"))
    return found


def weigh(text: str, mentions: Sequence[Mention]) -> list[Evidence]:
    """Judge every mention of a cleaned text, in order."""
    mentions, pairs = _paired(mentions, text)
    if not mentions:
        return []
    mask = masked(text, mentions)
    clauses = _clauses(mask)
    starts = [clause.start for clause in clauses]
    listed = _entries(mask, mentions) | _enumerated(mask, mentions, pairs)
    judged: list[Evidence] = []
    ranked_in = -1
    for number, mention in enumerate(mentions):
        place = bisect_right(starts, mention.start) - 1
        clause = clauses[place]
        before = mentions[number - 1] if number else None
        after = mentions[number + 1] if number + 1 < len(mentions) else None
        from_ = max(clause.start, before.end if before else 0, mention.start - _RELATIVE)
        to = min(clause.end, after.start if after else clause.end, mention.end + _RELATIVE)
        left, right = mask[from_ : mention.start], mask[mention.end : to]
        rest = mask[mention.end : min(mention.end + _RELATIVE, after.start if after else len(mask))]
        near = before is not None and mention.start - before.end < _NEAR
        gap = mask[before.end : mention.start] if before is not None and near else None
        if gap is not None:
            said = mask[max(0, mention.start - _RELATIVE) : mention.start]
            ranked_in = clause.sentence if _RANKED.search(said) else ranked_in
            follower = _follows(judged, gap, ranked_in == clause.sentence, text, mention)
            if follower is not None:
                judged.append(follower)
                continue
        judged.append(
            _judge(mention, clause, left, right, rest, number in listed, place == 0, mask)
        )
    return judged


def _paired(mentions: Sequence[Mention], text: str) -> tuple[list[Mention], frozenset[int]]:
    """Return mentions with a letter and the same option's text beside it made one, and which."""
    found: list[Mention] = []
    pairs: set[int] = set()
    for mention in mentions:
        last = found[-1] if found else None
        if (
            last is not None
            and last.value == mention.value
            and last.by_letter != mention.by_letter
            and mention.start - last.end < 12
            and _PAIR.fullmatch(text[last.end : mention.start])
        ):
            found[-1] = Mention(last.start, mention.end, last.value, True)
            pairs.add(len(found) - 1)
        else:
            found.append(mention)
    return found, frozenset(pairs)


def _enumerated(mask: str, mentions: Sequence[Mention], pairs: frozenset[int]) -> set[int]:
    """Return the options of a list on one line: three or more, each letter with its text."""
    found: set[int] = set()
    run: list[int] = []
    for number in sorted(pairs):
        joined = (
            run
            and number == run[-1] + 1
            and re.fullmatch(
                r"[\s,;.]*(?:and|or)?\s*", mask[mentions[run[-1]].end : mentions[number].start][:20]
            )
        )
        run = [*run, number] if joined else [number]
        if len(run) >= _ENUMERATION and len({mentions[one].value for one in run}) == len(run):
            found.update(run)
    return found


def _follows(
    judged: list[Evidence], gap: str, ranked: bool, text: str, mention: Mention
) -> Evidence | None:
    """Judge a mention that only a sign or a joining word parts from the one before."""
    last = judged[-1]
    if (
        re.fullmatch(r"\s*>+\s*", gap)
        or _NEXT_RANK.fullmatch(gap)
        or (ranked and re.fullmatch(r"\s*(?:,|,?\s*then|>|\u2192|->)\s*(?:and )?(?:then )?", gap))
    ):
        return Evidence(mention, Weight.CHOSEN, denied=True)
    if re.fullmatch(r"\s*<+\s*", gap):
        judged[-1] = last._replace(denied=True)
        return Evidence(mention, Weight.CHOSEN)
    ends = re.match(r"[\s)\"'\]]*(?:$|[.,;:!?\n])", text[mention.end : mention.end + 20])
    if last.mention.by_letter != mention.by_letter and ends and _PAIR.fullmatch(gap):
        judged[-1] = last._replace(clash=True)
        return last._replace(mention=mention, clash=True)
    joins = None if _BULLET.search(gap) else _JOIN.fullmatch(gap)
    if joins and gap.strip() == ",":
        joins = _LIST_GOES_ON.match(text[mention.end : mention.end + 20])
    if joins and gap.strip():
        tentative = re.search(r"possibly|perhaps|maybe", gap, re.IGNORECASE)
        if last.weight == Weight.LEADING and last.mention.value != mention.value:
            judged[-1] = last = last._replace(weight=Weight.PLAIN)
        weight = Weight.TENTATIVE if tentative else last.weight
        return Evidence(mention, weight, last.denied, joined=True)
    return None


def _judge(
    mention: Mention,
    clause: _Clause,
    left: str,
    right: str,
    rest: str,
    listed: bool,
    first: bool,
    mask: str,
) -> Evidence:
    verdict = _VERDICT.match(rest)
    if verdict and _VERDICT_SIGN.match(rest):
        return Evidence(mention, Weight.CHOSEN, denied=verdict["no"] is not None)
    excepted = _EXCEPTED.search(mask, max(0, mention.start - _RELATIVE), mention.start)
    against = excepted and _AGAINST.search((excepted["between"] or "") + right)
    if excepted and (against or excepted["all"] is None or _OF_MANY.match(right)):
        return Evidence(mention, Weight.CHOSEN, denied=not against and excepted["all"] is not None)
    said = _IDIOM.sub(" ", left)
    negations = list(_DENIES_NEXT.finditer(said))
    denied = bool(negations) and not _AFFIRMS_NEXT.search(said[negations[-1].end() :])
    if not denied and _DENIED_BEFORE.match(right) and not re.match(r"\s*not only\b", right):
        denied = True
    if _SUPPOSED.search(left) or (clause.asks and _ASKS.search(left)):
        return Evidence(mention, Weight.NONE, denied)
    if denied:
        return Evidence(mention, Weight.TENTATIVE if clause.reason else Weight.CHOSEN, denied=True)
    weight = _weight(clause, left, right, listed, first)
    back = mask[max(0, clause.start - 20) : clause.start]
    if weight == Weight.PLAIN and not left.strip() and _TAKES_BACK.search(back):
        weight = Weight.CHOSEN
    unknown = not mention.by_letter and _OR_ELSE.fullmatch(right) is not None
    return Evidence(mention, weight, clash=unknown and MENTION not in right)


def _weight(clause: _Clause, left: str, right: str, listed: bool, first: bool) -> Weight:
    if listed:
        return Weight.LISTED
    if clause.asks:
        return Weight.TENTATIVE
    opens, ends = not left.strip(" \t\"'*\u2022>#-"), not right.strip(" \t\"'.)]")
    if first and opens and ends:
        return Weight.LEADING
    if clause.reason or (clause.expands and not (opens and ends)):
        return Weight.TENTATIVE
    if clause.opener in _RESULT and (
        opens or ends or _CHOOSES.search(left) or _CHOSEN_AFTER.match(right)
    ):
        return Weight.CONCLUDED
    if _MUST.search(left):
        return Weight.CHOSEN
    if _TENTATIVE.search(left) or _TENTATIVE_AFTER.match(right):
        return Weight.TENTATIVE
    if _CHOOSES.search(left) or _CHOSEN_AFTER.match(right):
        return Weight.CHOSEN
    if opens and ends and clause.opener not in ("comma", "open"):
        return Weight.CHOSEN
    return Weight.PLAIN


_ENDS_LINE: Final = re.compile(r"[ \t]*[.):]?[ \t]*(?:\n|$)")
_ENTRY: Final = re.compile(rf"^[ \t*\u2022>|-]*(?:\d{{1,2}}[.)]\s*)?{_M}", re.MULTILINE)


def _entries(mask: str, mentions: Sequence[Mention]) -> frozenset[int]:
    """Return which mentions begin the entries of a list: lines that lead with different values."""
    by_start = {mention.end: number for number, mention in enumerate(mentions)}
    lines = [by_start[match.end()] for match in _ENTRY.finditer(mask) if match.end() in by_start]
    bare = [number for number in lines if _ENDS_LINE.match(mask, mentions[number].end)]
    if lines[:1] == bare == [0]:  # the answer, and then what speaks against the others
        lines = lines[1:]
    if len({mentions[number].value for number in lines}) < 2:
        return frozenset()
    entries = set(lines)
    for number in lines:  # the text behind an entry's letter belongs to the entry
        following = number + 1
        if following < len(mentions):
            gap = mask[mentions[number].end : mentions[following].start]
            if (
                len(gap) < 12
                and re.fullmatch(r"[\s.):,(\"'\u2013\u2014|-]*", gap)
                and "\n" not in gap
            ):
                entries.add(following)
    return frozenset(entries)
