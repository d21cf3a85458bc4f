"""The words of a request: as one text, and shortened where a system takes only so many."""

from __future__ import annotations

import itertools
from typing import Callable, Dict, List, Sequence, Tuple

from aurelia_plugin.model_wrappers.sidecar.kit.forms import Block, RequestError, Text

__all__ = ["TAG", "conversation", "fitted", "placed", "spliced", "turns"]

TAG = "\ue000"
"""Stands for a medium in a template's text; unlike `<video>` and the like it is in no question."""


def conversation(blocks: Sequence[Block]) -> str:
    """Return all words of a request as one text, for systems that take a single turn.

    Where there is more than one turn, the replies of the system itself are marked as such.
    """
    turns: List[Tuple[str, str]] = []
    texts = [block for block in blocks if isinstance(block, Text)]
    for role, parts in itertools.groupby(texts, key=lambda block: block.role):
        turns.append((role, "\n".join(part.text for part in parts)))
    return "\n\n".join(
        f"Your reply was: {text}" if role == "assistant" else text for role, text in turns
    )


def placed(blocks: Sequence[Block]) -> List[Text]:
    """Return a request's words, and for each medium `TAG` in its place.

    Raises:
        RequestError: if the words themselves hold `TAG`.
    """
    if any(TAG in block.text for block in blocks if isinstance(block, Text)):
        raise RequestError("A question holds the private character U+E000.", "Remove it.")
    return [block if isinstance(block, Text) else Text(block.role, TAG) for block in blocks]


def turns(blocks: Sequence[Block]) -> List[Dict[str, str]]:
    """Return a request as turns for a chat template, with `TAG` in each medium's place.

    Raises:
        RequestError: see `placed`.
    """
    found = []
    for role, group in itertools.groupby(placed(blocks), key=lambda block: block.role):
        found.append({"role": role, "content": "\n".join(part.text for part in group)})
    return found


def spliced(
    prompt: str, places: Sequence[Sequence[int]], tokens: Callable[[str], List[int]]
) -> List[int]:
    """Return a prompt's ids with each medium's own ids in the place of its `TAG`.

    Args:
        prompt: a template's text.
        places: the ids that stand for each medium, in order.
        tokens: the system's tokenizer, for the text between them, without special tokens.
    """
    chunks = prompt.split(TAG)
    if len(chunks) != len(places) + 1:
        raise ValueError(f"{len(places)} media for {len(chunks) - 1} places")
    ids = list(tokens(chunks[0]))
    for place, chunk in zip(places, chunks[1:]):
        ids += [*place, *tokens(chunk)]
    return ids


def fitted(
    blocks: Sequence[Block], fits: Callable[[List[Block]], bool]
) -> Tuple[List[Block], List[str]]:
    """Shorten the reasoning by whole steps, from its end, until the request fits.

    Args:
        blocks: the request.
        fits: tells whether a request is within the system's limit, in its own tokens.

    Returns:
        The longest form of the request that fits, and the entries for `Used.dropped`.

    Raises:
        RequestError: if it is too long even without any reasoning.
    """
    chosen = list(blocks)
    if fits(chosen):
        return chosen, []
    dropped: List[str] = []
    for place, block in enumerate(blocks):
        if not isinstance(block, Text):
            continue
        for shorter in block.shorter:
            dropped.append("text: one reasoning step at the end, more than the model takes")
            chosen[place] = block._replace(text=shorter, shorter=())
            if fits(chosen):
                return chosen, dropped
    raise RequestError(
        "The request is longer than this system takes, even without reasoning.",
        "Shorten the question, or choose a target with a longer context (`aurelia models`). "
        "For agents, whose requests are longer than a question, name another model: agents=.",
    )
