"""Scores of one reply to one item. All functions are pure, hence thread-safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-untyped]

from aurelia_plugin.benchmark.answers import (
    Extracted,
    extract_label,
    extract_option,
    extract_phrase,
    normalise,
    stated_values,
    statement,
)
from aurelia_plugin.benchmark.schema import FREE_TEXT_COLUMNS, Item
from aurelia_plugin.benchmark.vocabulary import VOCABULARY

__all__ = ["extract", "rouge_l", "score_item"]


def rouge_l(hypothesis: str, references: Sequence[str]) -> float:
    """Return the ROUGE-L F-measure (beta 1.2) of the COCO caption evaluation, 0..1.

    Both sides are split into the words of `answers.normalise`; the evaluation's own tokeniser
    needs Java. An empty hypothesis, or no reference with a word, scores 0.
    """
    words = normalise(hypothesis)
    targets = [target for target in map(normalise, references) if target]
    if not words or not targets:
        return 0.0
    return float(Rouge().calc_score([words], targets))


def extract(item: Item, reply: str) -> Extracted:
    """Return the answer to a closed item: a letter, a label of its closed set, or a phrase."""
    if item.options is not None:
        return extract_option(reply, item.options)
    if len(item.facts) == 1:
        (attribute,) = item.facts
        return extract_label(reply, VOCABULARY[attribute])
    return extract_phrase(reply)


def score_item(item: Item, reply: str) -> dict[str, float]:
    """Score one reply.

    Returns:
        `score` (0..1), `accuracy` (0 or 1) and `unparsed` (0 or 1); for the free-text columns
        `rouge_l` too. A reply to a free-text item is accurate when it states every fact of the
        item and contradicts none; its score is the share of facts stated right. Without facts,
        the score is `rouge_l` and accuracy is a match with a reference. An empty reply is
        unparsed and wrong.
    """
    if item.column in FREE_TEXT_COLUMNS:
        return _score_free_text(item, reply)
    extracted = extract(item, reply)
    golds = {item.answer}
    if item.options is None and len(item.facts) != 1:
        golds = {normalise(gold) for gold in (item.answer, *item.references)}
    right = float(extracted.value in golds)
    return {"score": right, "accuracy": right, "unparsed": float(extracted.value is None)}


def _score_free_text(item: Item, reply: str) -> dict[str, float]:
    references = item.references or (item.answer,)
    text = statement(reply).text
    overlap = rouge_l(text, references)
    if not item.facts:
        exact = normalise(text) in {normalise(reference) for reference in references}
        blank = not normalise(text)
        return {
            "score": overlap,
            "accuracy": float(exact and not blank),
            "unparsed": float(blank),
            "rouge_l": overlap,
        }
    right, silent = _facts(item.facts, reply)
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
