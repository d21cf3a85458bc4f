"""How an item is put to the agents that write its steps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aurelia_plugin.benchmark.data.documents import user_turn
from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.calling.backend import Generation, Message, Part, Text
from aurelia_plugin.media.content import coerce
from aurelia_plugin.reasoning.question import Question

__all__ = ["REDO_NOTE", "ItemSource"]

REDO_NOTE: Final = (
    "(The steps must only say what to look at, to listen to and to compare. They must not name, "
    "quote or rule out any possible answer.)"
)
"""Stands before the question where steps are written anew because they gave the answer away."""


class ItemSource:
    """Makes an item's question, the same that the task of its benchmark asks.

    Args:
        item: one line of the manifest.
        folder: that of the manifest.
        note: put before the question; with one, it is another question than that of the task.
    """

    def __init__(self, item: Item, folder: Path, note: str = "") -> None:
        self.item = item
        self._folder = folder
        self._note = note

    @property
    def id(self) -> str:
        """The item's."""
        return self.item.id

    @property
    def category(self) -> str:
        """The item's."""
        return self.item.category

    def __call__(self) -> Question:
        """Make the question.

        Raises:
            MediaError: if a medium is missing or has no usable form.
        """
        (turn,) = user_turn(self.item, self._folder)
        parts: list[Part] = []
        for block in turn["content"]:
            text = block["type"] == "text"
            parts.append(Text(block["text"]) if text else coerce(block["url"], label=block["type"]))
        if self._note:
            parts.insert(len(parts) - 1, Text(self._note))
        message = Message("user", tuple(parts))
        return Question(self.id, (message,), Generation(), self.category, column=self.item.column)
