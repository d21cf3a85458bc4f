"""What the model is to say: one prompt with a good reply, for each of the parts that it plays."""

from __future__ import annotations

from typing import NamedTuple

from aurelia_plugin.benchmark.data.items import Item

__all__ = ["ROLES", "Exchange", "answer_of", "asked_as"]

ROLES = (
    "direct",
    "follow",
    "explore",
    "look",
    "cot",
    "reason",
    "improve",
    "summarize",
    "evaluate",
    "conclude",
    "caption_qa",
    "exercise",
)
"""The parts: answers directly, follows the question's steps, follows other steps, follows one step
without a question, makes its own steps, writes the reasoner's steps, improves bad steps, writes the
caption, scores a caption; and without any clip: concludes from findings that are written already,
answers directly from a caption, does exercises in reading."""


class Exchange(NamedTuple):
    """One prompt with a good reply.

    `agent`: media are named as the loop names them. `given`: what stands at the reply's beginning
    already and is not learnt.
    """

    role: str
    prompt: str
    reply: str
    agent: bool
    sees_clip: bool = True
    given: str = ""


def answer_of(item: Item) -> str:
    """Return the answer as it is learnt: an option by its text, a sentence in its first wording."""
    if item.options is not None:
        return item.options[item.letters.index(item.answer)]
    return item.references[0] if item.references else item.answer


def asked_as(item: Item, text: str) -> str:
    """Return the question as the loop words it: separate sounds appear as `[audio 1]`."""
    places = [f"Audio {k}:\n[audio {k}]" for k in range(1, len(item.audios) + 1)]
    return "\n".join([*places, text])
