"""A model's visible thinking, and how it is taken off a reply.

`MARKS` is the one table of marks; the sources are the reasoning parsers of vLLM
(`vllm/reasoning/*_reasoning_parser.py`) and the models' chat templates. Time is linear in the
length of the reply.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["MARKS", "Mark", "Spoken", "spoken", "without_thinking"]


class Mark(NamedTuple):
    """How thinking begins and ends: two regular expressions, matched without regard to case."""

    begin: str
    end: str
    used_by: str


def _tags(*names: str) -> tuple[str, str]:
    joined = "|".join(names)
    return (
        rf"<\s{{0,3}}(?:{joined})(?:\s[^<>]{{0,80}})?>",
        rf"<\s{{0,3}}/\s{{0,3}}(?:{joined})\s{{0,3}}>",
    )


MARKS: Final[tuple[Mark, ...]] = (
    Mark(
        *_tags("think", "thinking", "thoughts?"), "DeepSeek R1, Qwen3, GLM, Kimi K2, Olmo, EXAONE"
    ),
    Mark(*_tags("reasoning", "reason"), "Reka Flash, prompted models"),
    Mark(*_tags("analysis"), "prompted models"),
    Mark(*_tags("context"), "HumanOmniV2"),
    Mark(*_tags("scratchpad", "reflection"), "prompted models"),
    Mark(*_tags("seed:think", "mm:think"), "Seed OSS, MiniMax"),
    Mark("◁think▷", "◁/think▷", "Kimi-VL"),
    Mark(r"\[think\]", r"\[/think\]", "Magistral"),
    Mark(r"<\|channel>(?:thought\b)?", r"<channel\|>", "Gemma 4"),
    Mark(r"<unused94>(?:thought\b)?", r"<unused95>", "MedGemma"),
    Mark(r"<\|start_thinking\|>", r"<\|end_thinking\|>", "Cohere Command A"),
    Mark(r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>", "Sky-T1"),
    Mark(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>", "Apertus"),
    Mark(
        r"\bhere(?:'s|\u2019s| is) my thought process:",
        r"\bhere(?:'s|\u2019s| is) my response:",
        "Granite 3.2",
    ),
)
"""The marks of thinking as pairs; gpt-oss's channels (harmony) are read apart from them."""

# The lookahead holds every mark's first character: most places of a long reply are passed at once.
_ANY: Final = re.compile(
    r"(?=[<\[◁]|\bhere)(?:"
    + "|".join(f"(?P<b{n}>{mark.begin})|(?P<e{n}>{mark.end})" for n, mark in enumerate(MARKS))
    + ")",
    re.IGNORECASE,
)
# Harmony: <|channel|>NAME<|message|>TEXT, until a token that ends or starts a message.
_CHANNEL: Final = re.compile(
    r"<\|channel\|>\s{0,3}(?P<name>[a-z]{0,20})[^<]{0,80}(?:<\|constrain\|>[^<]{0,40})?<\|mess"
    r"age\|>",
    re.IGNORECASE,
)
_MESSAGE_END: Final = re.compile(r"<\|(?:end|return|call|start|channel)\|>", re.IGNORECASE)
# The same reply from a server that leaves special tokens out: "analysisWe hear ...assistantfinalB".
_BARE_ANALYSIS: Final = re.compile(r"\s{0,10}analysis(?=[A-Z\"'(])")
_BARE_FINAL: Final = "assistantfinal"


class Spoken(NamedTuple):
    """A reply without its thinking.

    Attributes:
        text: what is left, without white space around it.
        unclosed: thinking began and never ended, so `text` is not the model's last word.
    """

    text: str
    unclosed: bool


def spoken(reply: str) -> Spoken:
    """Take the thinking off a reply.

    A closing mark without an opening one ends thinking that the chat template began in the prompt,
    so what stands before it goes. Marks may be nested, repeated, mixed, and in any case.
    """
    final = _final_channel(reply)
    text, unclosed = _without_pairs(final.text)
    return Spoken(text.strip(), unclosed or final.unclosed)


def _final_channel(reply: str) -> Spoken:
    """Return what harmony's final channels hold; a reply without channels as it is."""
    bare = _BARE_ANALYSIS.match(reply)
    if bare:
        _, found, rest = reply.rpartition(_BARE_FINAL)
        return Spoken(rest if found else "", not found)
    openings = list(_CHANNEL.finditer(reply))
    if not openings:
        return Spoken(reply, False)
    finals = []
    ended = True
    for opening in openings:
        end = _MESSAGE_END.search(reply, opening.end())
        final = opening["name"].lower() == "final"
        if final:
            finals.append(reply[opening.end() : end.start() if end else None])
        ended = final or end is not None
    return Spoken("\n".join(finals), not ended)


def _without_pairs(reply: str) -> tuple[str, bool]:
    kept: list[str] = []
    open_marks: list[int] = []
    start = 0
    for found in _ANY.finditer(reply):
        name = found.lastgroup or ""
        mark = int(name[1:])
        if not open_marks:
            kept.append(reply[start : found.start()])
        start = found.end()
        if name.startswith("b"):
            # The same mark again, before its end, opens nothing new: one end closes both. Where
            # each has its own, the second end is one without an opening, which clears the rest.
            open_marks += [mark] if mark not in open_marks else []
        elif open_marks:  # one that another mark opened closes that
            del open_marks[open_marks.index(mark) if mark in open_marks else -1 :]
        else:
            kept.clear()
    if not open_marks:
        kept.append(reply[start:])
    return _joined(kept), bool(open_marks)


def _joined(parts: list[str]) -> str:
    """Join what stands around thinking, so that words on both sides stay apart."""
    said = [part for part in parts if part]
    apart = (
        one if one[-1].isspace() or other[:1].isspace() or not other else f"{one} "
        for one, other in zip(said, [*said[1:], ""], strict=False)
    )
    return "".join(apart)


def without_thinking(reply: str) -> str:
    """Return a reply without its thinking; nothing if the thinking does not end."""
    said = spoken(reply)
    return "" if said.unclosed else said.text
