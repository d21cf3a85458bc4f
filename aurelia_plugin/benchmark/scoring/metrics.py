"""Scores of one reply to one item. All functions are pure, hence thread-safe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-untyped]

from aurelia_plugin.benchmark.data.items import FREE_TEXT_COLUMNS, Item
from aurelia_plugin.benchmark.scoring.answers import (
    Extracted,
    extract_label,
    extract_option,
    extract_phrase,
    normalise,
    stated_values,
    statement,
)
from aurelia_plugin.benchmark.scoring.captions import without_stop_tokens, words
from aurelia_plugin.benchmark.scoring.labels import LABELS, kind_of
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY

__all__ = ["extract", "rouge_l", "score_item"]


def rouge_l(
    hypothesis: str, references: Sequence[str], split: Callable[[str], str] = normalise
) -> float:
    """Return the ROUGE-L F-measure (beta 1.2) of the COCO caption evaluation, 0..1.

    Both sides are split into words by `split`; the evaluation's own tokeniser needs Java. An empty
    hypothesis, or no reference with a word, scores 0.
    """
    said = split(hypothesis)
    targets = [target for target in map(split, references) if target]
    if not said or not targets:
        return 0.0
    return float(Rouge().calc_score([said], targets))


def extract(item: Item, reply: str) -> Extracted:
    """Return the answer to a closed item: a letter, a label of its closed set, or a phrase."""
    if item.options is not None:
        return extract_option(reply, item.options)
    if len(item.facts) == 1:
        (attribute,) = item.facts
        return extract_label(reply, VOCABULARY[attribute])
    gold = kind_of(item.answer) if item.column == "music_avqa" else None
    return extract_label(reply, LABELS[gold[0]]) if gold else extract_phrase(reply)


def _golds(item: Item) -> set[str]:
    if item.options is not None or len(item.facts) == 1:
        return {item.answer}
    gold = kind_of(item.answer) if item.column == "music_avqa" else None
    return {gold[1]} if gold else {normalise(text) for text in (item.answer, *item.references)}


# Without apostrophes, as `normalise` leaves the words.
_LISTS: Final = re.compile(
    r"\b(?:or|and|not|no|neither|nor|never|cannot"
    r"|(?:is|are|was|were|do|does|did|ca|wo|would|could)nt)\b"
)


def _contained(extracted: Extracted, golds: set[str], text: str) -> bool:
    """Return whether a phrase contains a gold one and names nothing beside it."""
    if extracted.rule != "text" or extracted.value is None:
        return False
    hits = [gold for gold in golds if gold and f" {gold} " in f" {extracted.value} "]
    rest = extracted.value
    for gold in hits:
        rest = rest.replace(gold, " ")
    return bool(hits) and not _LISTS.search(rest) and not re.search(r"[,;/&+]", text)


def score_item(item: Item, reply: str) -> dict[str, float]:
    """Score one reply.

    Returns:
        `score` (0..1), `accuracy` (0 or 1) and `unparsed` (0 or 1); for the free-text columns
        `rouge_l` too. A reply to a free-text item is accurate when it states every fact of the
        item and contradicts none; its score is the share of facts stated right. Without facts,
        the score is `rouge_l` over the tokens of `captions.words`, and accuracy is a match with a
        reference. A phrase is right when, after `answers.normalise`, it is the answer or a
        reference, or contains one and is neither a list nor a denial. An empty reply is unparsed
        and wrong.
    """
    if item.column in FREE_TEXT_COLUMNS:
        return _score_free_text(item, reply)
    extracted = extract(item, reply)
    golds = _golds(item)
    right = float(extracted.value in golds or _contained(extracted, golds, statement(reply).text))
    return {"score": right, "accuracy": right, "unparsed": float(extracted.value is None)}


def _score_free_text(item: Item, reply: str) -> dict[str, float]:
    references = item.references or (item.answer,)
    text = statement(reply).text
    if not item.facts:
        heard = without_stop_tokens(text) if item.column == "avsd" else text
        overlap = rouge_l(heard, references, words)
        exact = normalise(text) in {normalise(reference) for reference in references}
        blank = not normalise(text)
        return {
            "score": overlap,
            "accuracy": float(exact and not blank),
            "unparsed": float(blank),
            "rouge_l": overlap,
        }
    right, silent = _facts(item.facts, reply)
    overlap = rouge_l(text, references)
    return {
        "score": right / len(item.facts),
        "accuracy": float(right == len(item.facts)),
        "unparsed": float(silent),
        "rouge_l": overlap,
    }


def _facts(facts: Mapping[str, str], reply: str) -> tuple[int, bool]:
    """Return how many facts are stated right, and whether nothing was stated at all."""
    stated = {attribute: stated_values(reply, attribute) for attribute in facts}
    right = sum(stated[attribute] == {value} for attribute, value in facts.items())
    return right, not any(stated.values())
