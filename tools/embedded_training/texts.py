"""Scene and item -> what the model is to say about a clip, in every part that it plays."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from aurelia_plugin.benchmark.data.documents import question_text
from aurelia_plugin.benchmark.synthetic.columns import Sample
from aurelia_plugin.reasoning.prompting import PromptSet
from embedded_training.exchange import Exchange, answer_of, asked_as
from embedded_training.notes import (
    Note,
    caption,
    label_of,
    lines_of,
    notes_of,
    perceived,
    scored,
    spoilt,
    verdict,
)

__all__ = ["direct", "exchanges", "looks"]

UNCLEAR = "unclear"


_ANYWHERE = (
    "What colour is the shape?",
    "Which shape is in the picture?",
    "How does the shape move?",
    "When does the shape light up?",
    "Which stripe colours does the flag have, in order?",
    "Which instrument is heard?",
    "Which instrument is heard first?",
    "Compare the pitch of the last notes with that of the first notes.",
    "How does the melody of the anthem move?",
    "Which region of the atlas has this flag and this anthem?",
    "How large is the shape?",
    "Are thuds heard?",
    "How many beats per second does each of the four sounds have?",
    "Which of the four counts is the closest to that of the shape?",
    "Which instrument plays in that half?",
    "Which of the heard instruments is louder?",
    "Do picture and sound fit together?",
    "Look up the currency of that region in the atlas.",
    "Which region is its northern neighbour?",
    "Compare the two moments.",
)


_REFERS = re.compile(r"that half|that moment|the two moments|the four counts")
"""Marks steps that nobody can follow without those before them."""


def _explored(sample: Sample, notes: Sequence[Note], rng: np.random.Generator) -> list[Note]:
    """Return other steps than the question's: some fit the clip, some do not."""
    known = {note.step: note.finding for note in (*perceived(sample.scene), *notes)}
    pool = [Note(*told) for told in known.items() if not _REFERS.search(told[0])]
    order = rng.permutation(len(pool))
    chosen = [pool[int(k)] for k in order[: 1 + int(rng.integers(3))]]
    if rng.random() < 0.35:
        step = _ANYWHERE[int(rng.integers(len(_ANYWHERE)))]
        if step not in known:
            chosen.insert(int(rng.integers(len(chosen) + 1)), Note(step, UNCLEAR))
    return chosen


def judged(sample: Sample, prompts: PromptSet, rng: np.random.Generator) -> list[Exchange]:
    """Return captions with their scores: of the question's notes, and of a single fact."""
    asked = asked_as(sample.item, question_text(sample.item))
    own = [note for note in notes_of(sample.item) if label_of(note.step)]
    facts = [note for note in (*perceived(sample.scene), *own) if label_of(note.step)]
    pools = [own] * bool(own)
    pools += [[facts[int(k)]] for k in rng.permutation(len(facts))[: 1 + int(rng.random() < 0.5)]]
    made = []
    for pool in pools:
        said, score = scored(pool, rng)
        prompt = prompts.render("evaluator", {"caption": said, "question": asked})
        made.append(Exchange("evaluate", prompt, verdict(caption(pool), score), True))
    return made


def direct(sample: Sample) -> Exchange:
    """Return the question with its answer, and nothing else."""
    text = question_text(sample.item)
    return Exchange("direct", text, f"Answer: {answer_of(sample.item)}", False)


def exchanges(
    sample: Sample, other: Sequence[Note], prompts: PromptSet, rng: np.random.Generator
) -> list[Exchange]:
    """Return what the model is to say about one clip, in every part that it plays.

    `other` are the notes of another question, for `improve`.
    """
    item = sample.item
    text = question_text(item)
    asked = asked_as(item, text)
    notes = notes_of(item)
    answer = f"Answer: {answer_of(item)}"
    steps = [note.step for note in notes]
    follow = prompts.render("inject", {"steps": steps, "step_answers": ()})
    findings = f"{lines_of(notes)}\n{answer}"
    made = [
        direct(sample),
        Exchange("follow", f"{follow}\n\n{text}", findings, False),
        Exchange("reason", prompts.render("reasoner", {"question": asked}), lines_of(notes), True),
    ]
    made += looks(sample, prompts, rng, 4)
    long = 0.5 if item.column == "geoiq" else 1.0  # its atlas makes every prompt long
    if rng.random() < 0.3 * long:
        explored = _explored(sample, notes, rng)
        preface = prompts.render(
            "inject", {"steps": [n.step for n in explored], "step_answers": ()}
        )
        found = f"{lines_of(explored)}\n{answer}"
        made.append(Exchange("explore", f"{preface}\n\n{text}", found, False))
    if rng.random() < 0.3 * long:
        preface = prompts.render("cot", {})
        made.append(Exchange("cot", f"{preface}\n\n{text}", findings, False))
    if rng.random() < 0.25 * long:
        made.append(_improve(asked, notes, other, prompts, rng))
    made += judged(sample, prompts, rng)
    return made


_HARDEST = (
    "Is the ",
    "Which shape is ",
    "Which shape lights up ",
    "Which instrument plays ",
    "Which instruments are in the picture",
    "Which instrument is on the",
    "Which instrument is in the",
)


def looks(
    sample: Sample, prompts: PromptSet, rng: np.random.Generator, most: int = 6
) -> list[Exchange]:
    """Return single steps about the clip without a question: what seeing and hearing begin with."""
    notes = {n.step: n.finding for n in (*perceived(sample.scene), *notes_of(sample.item))}
    usable = [
        Note(step, found)
        for step, found in notes.items()
        if label_of(step) is not None and not _REFERS.search(step)
    ]
    mixed = [usable[int(k)] for k in rng.permutation(len(usable))]
    if rng.random() < 0.6:  # outlines and moments are what it learns last
        mixed.sort(key=lambda note: not note.step.startswith(_HARDEST))
    chosen = mixed[:most]
    return [
        Exchange(
            "look",
            prompts.render("inject", {"steps": [note.step], "step_answers": ()}),
            lines_of([note]),
            False,
        )
        for note in chosen
    ]


def _improve(
    asked: str,
    notes: Sequence[Note],
    other: Sequence[Note],
    prompts: PromptSet,
    rng: np.random.Generator,
) -> Exchange:
    bad = spoilt(notes, other, rng)
    right = sum(a == b for a, b in zip(bad, notes, strict=False))
    # What the evaluator thinks little of may be right all the same, and is then to be kept.
    score = int(rng.integers(1, 3 + (7 * right) // len(notes)))
    values = {
        "question": asked,
        "steps": [n.step for n in bad],
        "step_answers": [n.finding for n in bad],
        "caption": caption(bad),
        "score": score,
        "feedback": None,
    }
    return Exchange("improve", prompts.render("feedback", values), lines_of(notes), True)
